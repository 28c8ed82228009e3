"""Many open event streams and a steady load at once, while a worker dies and every process is replaced."""

import asyncio
import collections
import concurrent.futures
import json
import pathlib
import resource
import threading
import time

import uvloop

from measuring import own_megabytes, resident_megabytes

from cluster import Cluster
from documents import hook, line, node
from server import Postgres, Server

WATCHED = 100
OPENED_PER_S = 500
# Requests in flight and connections kept for them: what waits for a place is late by that, and a backlog does not cost a connection a request.
POOL = 256
ATTEMPTS = 40
SLOW_MS = 200
# A gateway lets its streams go within that, one after another.
HANDOVER_S = 40
# For how long a gateway that refused a connection is passed over.
PASSED_OVER_S = 1


class Stream(asyncio.Protocol):
    """One open event stream. The protocol's own calls, since ten thousand readers of lines would cost more than the servers that are measured."""

    def __init__(self, load):
        self.load, self.pause, self.is_open = load, 1.0, False
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if not self.is_open:
            if b" 200 " not in data[:16]:
                return self.transport.abort()
            self.is_open = True
            self.load.open += 1
        self.load.events += data.count(b"\n")
        if (place := data.find(b"retry:")) >= 0:
            self.pause = int(data[place + 6:].split(b"\n", 1)[0]) / 1000

    def connection_lost(self, error):
        if self.is_open:
            self.load.open -= 1
        if not self.lost.done():
            self.lost.set_result(None)


class Connection(asyncio.Protocol):
    """One request at a time."""

    def connection_made(self, transport):
        self.transport, self.answer, self.got = transport, None, b""

    def exchange(self, request):
        self.answer, self.got = asyncio.get_running_loop().create_future(), b""
        self.transport.write(request)
        return self.answer

    def data_received(self, data):
        self.got += data
        end = self.got.find(b"\r\n\r\n")
        if end < 0 or not self.answer or self.answer.done():
            return
        head = self.got[:end].lower()
        if len(self.got) >= end + 4 + int(head.split(b"content-length:")[1].split(b"\r\n")[0]):
            self.answer.set_result((int(head.split(b" ", 2)[1]), b"connection: close" in head))

    def connection_lost(self, error):
        if self.answer and not self.answer.done():
            self.answer.set_exception(ConnectionError("closed"))


class Load:
    """Streams and requests of one event loop against several gateways; whatever one refuses goes to the next, as behind a load balancer."""

    def __init__(self, ports, key, runs, streams, rate, seconds):
        self.ports, self.key, self.runs, self.streams, self.rate, self.seconds = ports, key, runs, streams, rate, seconds
        self.open = self.reopened = self.events = self.retried = self.failed = 0
        self.latencies = []
        # Seconds of the run with an answer slower than wanted, and how many.
        self.slow = collections.Counter()
        self.free = {port: [] for port in ports}
        self.refused = dict.fromkeys(ports, -PASSED_OVER_S)
        self.places = asyncio.Semaphore(POOL)
        body = json.dumps({"text": "x" * 200})
        self.request = (
            f"POST /hooks/acme/noop HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()

    def port(self, number):
        """The one whose turn it is, or the next that has not refused a connection just now."""
        turn = number % len(self.ports)
        order = self.ports[turn:] + self.ports[:turn]
        return next((port for port in order if time.monotonic() - self.refused[port] > PASSED_OVER_S), order[0])

    async def connect(self, protocol, port):
        try:
            return await asyncio.get_running_loop().create_connection(protocol, "127.0.0.1", port)
        except ConnectionRefusedError:
            self.refused[port] = time.monotonic()
            raise

    async def listen(self, number, until):
        pause = 1.0
        while time.monotonic() < until:
            port = self.port(number + self.reopened)
            try:
                transport, stream = await self.connect(lambda: Stream(self), port)
                transport.write(
                    f"GET /v1/executions/{self.runs[number % len(self.runs)]}/events HTTP/1.1\r\nHost: localhost\r\n"
                    f"Authorization: Bearer {self.key}\r\nAccept: text/event-stream\r\n\r\n".encode())
                try:
                    await stream.lost
                finally:
                    transport.abort()
                pause = stream.pause
            except OSError:
                pass
            self.reopened += 1
            await asyncio.sleep(pause)

    async def exchange(self, port):
        free = self.free[port]
        while free and free[-1].transport.is_closing():
            free.pop()
        connection = free.pop() if free else (await self.connect(Connection, port))[1]
        try:
            async with asyncio.timeout(20):
                status, is_last = await connection.exchange(self.request)
        except BaseException:
            connection.transport.abort()
            raise
        if is_last or len(free) >= POOL:
            connection.transport.close()
        else:
            free.append(connection)
        return status

    async def ask(self, number, due):
        for attempt in range(ATTEMPTS):
            try:
                async with self.places:
                    status = await self.exchange(self.port(number + attempt))
                if status == 200:
                    self.latencies.append((time.monotonic() - due) * 1000)
                    if self.latencies[-1] > SLOW_MS:
                        self.slow[int(due - self.begun)] += 1
                    return
            except (OSError, TimeoutError):
                pass
            self.retried += 1
            await asyncio.sleep(0.01 * attempt)
        self.failed += 1

    async def run(self):
        begin = time.monotonic() + self.streams / OPENED_PER_S + 5
        until = begin + self.seconds
        listening = []
        for number in range(self.streams):
            listening.append(asyncio.create_task(self.listen(number, until)))
            await asyncio.sleep(1 / OPENED_PER_S)
        while self.open < self.streams and time.monotonic() < begin + 60:
            await asyncio.sleep(0.1)
        self.opened = self.open
        self.begun = begin = time.monotonic()
        asking = set()
        for number in range(int(self.rate * self.seconds)):
            due = begin + number / self.rate
            if (wait := due - time.monotonic()) > 0.002:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self.ask(number, due))
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)
        self.left = self.open
        for task in listening:
            task.cancel()


def spans(seconds):
    """Seconds as "1-3, 7"."""
    found = []
    for second in sorted(seconds):
        if found and second == found[-1][1] + 1:
            found[-1][1] = second
        else:
            found.append([second, second])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def size(measure, server):
    """Zero while it is replaced."""
    try:
        return measure(server.process.pid)
    except (OSError, TypeError, AttributeError):
        return 0


def listeners(options, folder):
    """10,000 event streams and 1,000 requests/s for half an hour on two gateways, two workers and a scheduler, through a kill of a worker and a
    rolling upgrade."""
    streams, rate, seconds = (500, 100, 30) if options.quick else (10_000, 1_000, 1_800)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    postgres = Postgres()
    cluster = second = None
    try:
        base = pathlib.Path(folder) / "listeners"
        url = postgres.create("listeners")
        cluster = Cluster(url, base, 2, {"AIAS_LOG_LEVEL": "error"})
        key = cluster.gateway.create_tenant("acme")["api_key"]
        cluster.start()
        second = Server(base / "gateway-2", url, cluster.gateway.environment).start()
        gateway = cluster.gateway
        gateway.import_workflow(key, line("No-op", hook("noop", "lastNode"), node("Nothing", "noOp", 1, 200)))
        gateway.import_workflow(key, line("Wait", hook("wait", "onReceived"), node("Wait", "wait", 1.1, 200, amount=2, unit="hours")))
        runs = [gateway.request("POST", "/hooks/acme/wait", {})[2]["X-Execution-Id"] for _ in range(WATCHED)]
        load = Load([gateway.port, second.port], key, runs, streams, rate, seconds)
        ended, largest = threading.Event(), {"gateway": 0.0, "all": 0.0}

        def sample():
            while not ended.wait(1):
                sizes = [(size(resident_megabytes, one), size(own_megabytes, one)) for one in (gateway, second, *cluster.workers, cluster.scheduler)]
                largest["gateway"] = max(largest["gateway"], *(resident for resident, _ in sizes[:2]))
                largest["all"] = max(largest["all"], sum(own for _, own in sizes))

        def disturb():
            while not hasattr(load, "begun"):
                time.sleep(0.1)
            time.sleep(seconds / 3)
            cluster.workers[0].kill()
            time.sleep(2)
            cluster.workers[0].start(wait=False)
            time.sleep(seconds / 3)
            for one in (*cluster.workers, cluster.scheduler):
                one.stop()
                one.start(wait=False)
            for one in (gateway, second):
                one.stop(HANDOVER_S + 15)
                one.start()

        with concurrent.futures.ThreadPoolExecutor() as threads:
            sampling, disturbing = threads.submit(sample), threads.submit(disturb)
            try:
                uvloop.run(load.run())
                disturbing.result()
            finally:
                ended.set()
            sampling.result()
        latencies = sorted(load.latencies)
        deadline = time.monotonic() + 60
        while (unended := postgres.number("listeners", "SELECT count(*) FROM runs WHERE status IN ('queued', 'running')")) and time.monotonic() < deadline:
            time.sleep(0.5)
        saved = postgres.number("listeners", "SELECT count(*) FROM runs WHERE status = 'succeeded'")
        return {
            "streams": streams, "opened": load.opened, "open_at_the_end": load.left, "reopened": load.reopened - (streams - load.left),
            "requests": len(latencies), "seconds": seconds, "retried": load.retried, "failed": load.failed,
            "p50_ms": round(latencies[len(latencies) // 2], 1), "p99_ms": round(latencies[int(0.99 * len(latencies))], 1),
            "max_ms": round(latencies[-1], 1), "slow": sum(load.slow.values()), "slow_seconds": spans(load.slow), "gateway_mb": round(largest["gateway"], 1), "all_mb": round(largest["all"], 1),
            "saved": saved, "unended": unended}
    finally:
        if second:
            second.stop()
        if cluster:
            cluster.stop()
        postgres.stop()
