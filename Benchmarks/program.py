"""The program as a whole: usage events, reading the corpus, starting."""

import http.client
import json
import pathlib
import statistics
import threading
import time

from measuring import CORPUS, aias, resident_megabytes, wait

from server import Server


def usage(options, folder):
    """Usage events, each with a key of its own, in batches of 1,000 over the API, durable before they are answered; then the same batches again."""
    batches, senders = (40 if options.quick else 200), 4
    server = Server(pathlib.Path(folder) / "usage", environment={"AIAS_LOG_LEVEL": "error"}).start()
    try:
        key = server.create_tenant("metered")["api_key"]
        metric = {"code": "orders", "name": "Orders", "aggregation": "sum"}
        assert server.request("POST", "/v1/usage-metrics", metric, key=key)[0] == 201
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        bodies = [
            json.dumps({"events": [{"key": f"{batch}:{place}", "metric": "orders", "quantity": 1, "at": at} for place in range(1_000)]}).encode()
            for batch in range(batches)]
        counts = []

        def send(own):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            for body in own:
                connection.request("POST", "/v1/usage-events", body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
                answer = connection.getresponse()
                found = json.loads(answer.read())
                assert answer.status == 200, found
                counts.append(found["accepted"])

        def measured():
            counts.clear()
            threads = [threading.Thread(target=send, args=(bodies[number::senders],)) for number in range(senders)]
            begin = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return round(batches * 1_000 / (time.perf_counter() - begin)), sum(counts)

        fresh, accepted = measured()
        repeated, again = measured()
        span = "&".join(f"{word}={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + shift))}" for word, shift in (("from", -7200), ("to", 7200)))
        counted = server.request("GET", f"/v1/usage-metrics/orders/quantity?{span}", key=key)[1]["quantity"]
        assert (accepted, again, counted) == (batches * 1_000, 0, batches * 1_000)
        return {"events_per_s": fresh, "repeated_events_per_s": repeated, "events": batches * 1_000, "senders": senders}
    finally:
        server.stop()


def corpus(options, folder):
    """Reading every template of the corpus and reporting on it."""
    if not CORPUS.is_dir():
        return "skipped: no corpus"
    files = []
    for source in sorted(CORPUS.glob("*.jsonl")):
        for number, text in enumerate(source.read_text().splitlines()):
            files.append(pathlib.Path(folder) / f"{source.stem}-{number}.json")
            files[-1].write_text(json.dumps(json.loads(text)["workflow"]))
    start = time.perf_counter()
    report = aias("import", "n8n", "--report", "--json", *files)
    seconds = time.perf_counter() - start
    wholly = sum(one["runs_wholly"] for one in report["workflows"])
    return {"workflows": len(files), "seconds": round(seconds, 2), "per_s": round(len(files) / seconds, 1), "run_wholly": wholly}


def start(options, folder):
    """From the command to the first answer, and the memory of an idle process tree."""
    times, memory = [], []
    for number in range(3 if options.quick else 5):
        server = Server(pathlib.Path(folder) / "start", environment={"AIAS_LOG_LEVEL": "error"})
        begin = time.perf_counter()
        server.start(wait=False)
        wait(server.base + "/healthz", pause=0.002)
        times.append((time.perf_counter() - begin) * 1000)
        time.sleep(1)
        memory.append(resident_megabytes(server.process.pid))
        server.stop()
    return {"start_ms": round(statistics.median(times), 1), "first_start_ms": round(times[0], 1), "idle_mb": round(statistics.median(memory), 1)}
