"""Faults on a deployment of several processes, under load from outside; afterwards what was promised is compared with what is there."""

import calendar
import collections
import dataclasses
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from brokers import Broker
from cluster import Cluster
from crash.mock import Mock
from crash.story import Counter, Load, chain, compare, executions, miscounted, settle
from documents import line, node
from server import Postgres, Server

CLIENTS = 4
PAUSE_S = 0.1
# A lease is watched for 15 s before it is ended, and a database that comes back is given time.
SETTLE_LIMIT_S = 180
FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
# What a process runs in whose clock of the day is not the machine's.
BENT = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def shifted(offset):
    """The surroundings of a process whose clock is off by so much: `+15d`, `-3600`."""
    return {**BENT, "FAKETIME": offset}


@dataclasses.dataclass
class Outcome:
    faults: list
    answered: int
    runs: int
    repeated: int
    slots: int
    lines: list

    def __str__(self):
        return (f"{'; '.join(self.lines)}: {self.answered} answered, {self.runs} runs, {self.slots} slots, "
                f"{self.repeated} requests repeated with the same key, {len(self.faults)} faults")


class Network:
    """A network of its own, reached over two cables: one to the database, one to everything else."""

    def __init__(self):
        self.name = f"aias{os.getpid() % 10000}"
        self.cables = {}
        subprocess.run(["ip", "netns", "add", self.name], check=True, capture_output=True)
        try:
            for number, cable in enumerate(("database", "outside")):
                here, there = f"{self.name}h{number}", f"{self.name}n{number}"
                net = f"10.{201 + number}.{os.getpid() % 250}"
                self._ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
                self._ip("addr", "add", f"{net}.1/24", "dev", here)
                self._ip("link", "set", here, "up")
                self._ip("-n", self.name, "addr", "add", f"{net}.2/24", "dev", there)
                self._ip("-n", self.name, "link", "set", there, "up")
                self.cables[cable] = (there, f"{net}.1")
            self._ip("-n", self.name, "link", "set", "lo", "up")
        except BaseException:
            self.remove()
            raise

    def _ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def address(self, cable):
        """That of this machine at the near end of the cable."""
        return self.cables[cable][1]

    @property
    def within(self):
        return ["ip", "netns", "exec", self.name]

    def set(self, cable, state):
        self._ip("-n", self.name, "link", "set", self.cables[cable][0], state)

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)

    @staticmethod
    def why_not():
        """What stands in the way, or nothing."""
        if os.geteuid() != 0 or not shutil.which("ip"):
            return "network namespaces need root and iproute2"
        made = subprocess.run(["ip", "netns", "add", "aias-probe"], capture_output=True, text=True)
        if made.returncode:
            return f"network namespaces are not permitted here: {made.stderr.strip()}"
        subprocess.run(["ip", "netns", "del", "aias-probe"], capture_output=True)
        return None


class Deployment:
    """A gateway, two workers and a scheduler that are started again when they end; chains from outside, a schedule of every second inside."""

    def __init__(self, broker=None, network=None, clocks=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aias-faults-"))
        self.lines, self.parts, self.cluster = [], [], None
        outside = network.address("outside") if network else "127.0.0.1"
        try:
            self.mock = self._part(Mock(outside))
            self.postgres = self._part(Postgres(network.address("database") if network else None))
            self.broker = self._part(Broker(broker)) if broker else None
            environment = {"AIAS_OUTBOUND_ALLOW": f"{outside}:{self.mock.port}"}
            if self.broker:
                environment["AIAS_BROKER"] = self.broker.url
            url = self.postgres.create("faults")
            self.cluster = Cluster(url, self.folder, 2, environment, {"AIAS_LIVE_RUNS": "3"})
            self.gateway = self.cluster.gateway
            self.key = self.gateway.create_tenant()["api_key"]
            if network:
                apart = self.cluster.workers[0]
                apart.within = network.within
                apart.environment["AIAS_DATABASE_URL"] = url.replace("127.0.0.1", network.address("database"))
            if clocks:
                for one in self.cluster.all:
                    self._bend(one)
            self.parts.append(self.cluster)
            self.cluster.start()
            self.chains = [
                self.gateway.import_workflow(self.key, chain(self.mock.port, path, mode, outside))["workflow"]["id"]
                for path, mode in (("last", "lastNode"), ("received", "onReceived"))]
            self.schedule = self._every_second(outside)
            self.cluster.supervise()
        except BaseException:
            self.close()
            raise
        self.ids, self.sent, self.answered, self.done = Counter(), [], [], threading.Event()
        self.clients = [Load(self.gateway.base, self.ids, self.sent, self.answered, self.done, PAUSE_S) for _ in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def _part(self, part):
        self.parts.append(part)
        return part

    def _every_second(self, outside):
        every = node("Every", "scheduleTrigger", 1.2, 0, rule={"interval": [{"field": "seconds", "secondsInterval": 1}]})
        tick = node(
            "Tick", "httpRequest", 4.2, 200, method="POST", url=f"http://{outside}:{self.mock.port}/tick", sendBody=True, specifyBody="json",
            jsonBody="={{ JSON.stringify({id: $json.timestamp}) }}", options={})
        workflow = self.gateway.import_workflow(self.key, line("Every second", every, tick), publish=False)["workflow"]["id"]
        detail = self._ask("GET", f"/v1/workflows/{workflow}")
        document = detail["document"]
        document.setdefault("settings", {}).update(catch_up="all", time_zone="Etc/UTC")
        self._ask("PUT", f"/v1/workflows/{workflow}/draft", {"document": document, "revision": detail["workflow"]["draft_revision"]})
        self._ask("POST", f"/v1/workflows/{workflow}/publication", {})
        return workflow

    def _ask(self, method, path, body=None):
        status, answer, _ = self.gateway.request(method, path, body, key=self.key)
        assert status in (200, 201, 204), answer
        return answer

    # MARK: What goes wrong

    def note(self, text):
        self.lines.append(text)

    def under_load(self, seconds):
        """Lets the load go on for a while."""
        time.sleep(seconds)

    def kill(self, one):
        self.note(f"kill {one.folder.name}")
        os.killpg(one.process.pid, signal.SIGKILL)

    def kill_broker(self, seconds):
        self.note("kill broker")
        self.broker.kill()
        time.sleep(seconds)
        self.broker.start()

    def kill_database(self, seconds):
        self.note(f"kill database for {seconds} s")
        self.postgres.kill()
        time.sleep(seconds)
        self.postgres.start()

    def _bend(self, one):
        self._clock_file(one).write_text("+0")
        one.environment.update({**BENT, "FAKETIME_TIMESTAMP_FILE": str(self._clock_file(one)), "FAKETIME_CACHE_DURATION": "1"})

    def _clock_file(self, one):
        return self.folder / f"{one.folder.name}.clock"

    def jump(self, one, offset):
        """From now on its clock is off by so much: `+3600`, `-3600`."""
        self.note(f"clock of {one.folder.name} {offset} s")
        self._clock_file(one).write_text(offset)

    # MARK: Afterwards

    def hits_after(self, count):
        return len([hit for hit in self.mock.hits if hit["step"] == "second"]) > count

    def finish(self) -> Outcome:
        """Ends the load, waits until all is done, and compares."""
        before = len([hit for hit in self.mock.hits if hit["step"] == "second"])
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while not self.hits_after(before + CLIENTS) and time.monotonic() < deadline:
            time.sleep(0.2)
        faults = [] if self.hits_after(before + CLIENTS) else ["no work was done any more"]
        self.done.set()
        for client in self.clients:
            client.join()
        self._wait_for_gateway()
        # The schedule ends with the load; what it was to start by then is started.
        time.sleep(3)
        self._ask("DELETE", f"/v1/workflows/{self.schedule}/publication")
        runs = settle(self.gateway, self.key, self.chains, SETTLE_LIMIT_S)
        found, repeated = compare(runs, self.answered, [hit for hit in self.mock.hits if hit["step"] != "tick"])
        slots = self._slots(faults)
        return Outcome(faults + found, len(self.answered), len(runs), repeated, slots, self.lines)

    def _wait_for_gateway(self):
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while time.monotonic() < deadline:
            try:
                if self.gateway.request("GET", "/readyz", timeout=5)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"the gateway did not come back: {self.gateway.tail()}")

    def _slots(self, faults):
        """Each second has one run, and none is left out between the first and the last."""
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while True:
            rows = list(executions(self.gateway, self.key, self.schedule))
            under_way = [row for row in rows if row["status"] in ("queued", "running", "waiting")]
            if not under_way or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        faults += [f"the run {row['id']} of the schedule is {row['status']}" for row in rows if row["status"] != "succeeded"]
        keys = collections.defaultdict(set)
        for hit in self.mock.hits:
            if hit["step"] == "tick":
                keys[hit["id"]].add(hit["key"])
        faults += [f"the slot {slot} fired {len(found)} times" for slot, found in keys.items() if len(found) != 1]
        if len(rows) != len(keys):
            faults.append(f"{len(rows)} runs of the schedule for {len(keys)} slots")
        seconds = sorted(int(calendar.timegm(time.strptime(slot[:19], "%Y-%m-%dT%H:%M:%S"))) for slot in keys)
        faults += [f"no slot between {a} and {b}" for a, b in zip(seconds, seconds[1:]) if b - a != 1]
        if not seconds:
            faults.append("the schedule never fired")
        return len(seconds)

    def close(self, keep=False):
        if hasattr(self, "done"):
            self.done.set()
        for part in reversed(self.parts):
            if part is self.cluster:
                part.kill()
            else:
                part.stop()
        self.parts = []
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


# MARK: The stories


def kills(rounds=1, rest_s=3) -> Outcome:
    """Each kind of process, the broker and the database die in turn."""
    one = Deployment(broker="redis")
    try:
        one.under_load(rest_s)
        for number in range(rounds):
            for act in (
                    lambda: one.kill(one.cluster.workers[number % 2]), lambda: one.kill(one.cluster.scheduler), lambda: one.kill(one.gateway),
                    lambda: one.kill_broker(2), lambda: one.kill_database(2)):
                act()
                one.under_load(rest_s)
        return one.finish()
    finally:
        one.close()


def broker_kills(rounds=1, rest_s=3) -> Outcome:
    """RabbitMQ dies again and again, and what it had confirmed or not is of no matter."""
    one = Deployment(broker="rabbitmq")
    try:
        one.under_load(rest_s)
        for _ in range(rounds):
            one.kill_broker(2)
            one.under_load(rest_s)
        return one.finish()
    finally:
        one.close()


def outage(seconds=20) -> Outcome:
    """The database is away for longer than a lease lasts; nobody is taken for dead for it."""
    one = Deployment()
    try:
        one.under_load(3)
        processes = [each.process for each in one.cluster.all]
        one.kill_database(seconds)
        outcome = one.finish()
        outcome.faults += [f"{each.folder.name} ended" for each, process in zip(one.cluster.all, processes) if each.process is not process]
        return outcome
    finally:
        one.close()


def cut(seconds=25) -> Outcome:
    """A worker loses the database, and nothing else, for longer than its lease lasts."""
    network = Network()
    try:
        one = Deployment(network=network)
        try:
            one.under_load(4)
            one.note(f"cut a worker from the database for {seconds} s")
            network.set("database", "down")
            one.under_load(seconds)
            network.set("database", "up")
            one.under_load(5)
            return one.finish()
        finally:
            one.close()
    finally:
        network.remove()


def clocks(rest_s=6) -> Outcome:
    """The clocks of the processes jump by an hour, forward and back, each for itself."""
    one = Deployment(clocks=True)
    try:
        one.under_load(3)
        scheduler, worker, other, gateway = one.cluster.scheduler, one.cluster.workers[0], one.cluster.workers[1], one.gateway
        for each, offset in (
                (scheduler, "+3600"), (worker, "+3600"), (scheduler, "-3600"), (other, "-3600"), (gateway, "+3600"), (scheduler, "+0"),
                (gateway, "-3600"), (worker, "+0")):
            one.jump(each, offset)
            one.under_load(rest_s)
        one.kill(worker)
        one.kill(scheduler)
        one.under_load(rest_s)
        return one.finish()
    finally:
        one.close()


class SmallDisk:
    """A folder on a disk of its own, of so many MB, that can be filled."""

    def __init__(self, megabytes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aias-disk-"))
        self.ballast = self.folder / "ballast"
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(self.folder)], capture_output=True, text=True)
        self.why_not = f"a small disk cannot be mounted here: {made.stderr.strip()}" if made.returncode else None

    def fill(self):
        """Takes what is left; again, where something was given back meanwhile."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as fault:
                    if fault.errno != errno.ENOSPC:
                        raise

    def empty(self):
        self.ballast.unlink()

    def remove(self):
        if not self.why_not:
            subprocess.run(["umount", str(self.folder)], check=True)
        self.folder.rmdir()


def disk(small, full_s=10) -> Outcome:
    """The disk of the embedded database is full for a while."""
    mock = Mock()
    server = Server(small.folder / "data", None, {"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{mock.port}"})
    done = threading.Event()
    clients = []
    try:
        key = server.create_tenant()["api_key"]
        server.start()
        for path, mode in (("last", "lastNode"), ("received", "onReceived")):
            server.import_workflow(key, chain(mock.port, path, mode))
        ids, sent, answered = Counter(), [], []
        clients += [Load(server.base, ids, sent, answered, done) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        _until(lambda: len(answered) > 20, "nothing was answered")
        end = time.monotonic() + full_s
        before = (len(sent), len(answered))
        while time.monotonic() < end:
            small.fill()
            time.sleep(0.2)
        refused = len(sent) - before[0] - (len(answered) - before[1])
        small.empty()
        count = len(answered)
        _until(lambda: len(answered) > count + 20, f"nothing was answered any more: {server.tail()}")
        done.set()
        for client in clients:
            client.join()
        runs = settle(server, key, limit_s=SETTLE_LIMIT_S)
        faults, repeated = compare(runs, answered, mock.hits)
        faults += miscounted(server, key)
        return Outcome(faults, len(answered), len(runs), repeated, 0, [f"the disk is full for {full_s} s, {refused} calls refused"])
    finally:
        done.set()
        server.kill()
        for client in clients:
            client.join()
        mock.stop()


def _until(check, otherwise):
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(0.1)
