"""Measures the built program against peers and against bare servers, all in one run, since the machine is shared and noisy.

usage: bench.py [--quick] [--only NAME ...]
Writes Benchmarks/results.json and Benchmarks/results.md.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Stories"))

from cluster import Cluster  # noqa: E402
from documents import hook, line, node  # noqa: E402
from server import AIAS, Postgres, Server, free_port  # noqa: E402

PEERS = pathlib.Path(os.environ.get("AIAS_PEERS") or ROOT.parent / "shared" / "peers")
CORPUS = pathlib.Path(os.environ.get("AIAS_CORPUS") or ROOT.parent / "shared" / "corpus" / "n8n")
BODY = json.dumps({"text": "x" * 1000})


def wrk(url, seconds, connections, script):
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url], capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {
        "requests_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
        "p50_ms": milliseconds(re.search(r"50%\s+([\d.]+\w+)", out)[1]), "p99_ms": milliseconds(re.search(r"99%\s+([\d.]+\w+)", out)[1]),
        "errors": int(errors[1]) if errors else 0,
    }


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return round(float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit], 3)


def lua(folder, paths):
    script = pathlib.Path(folder) / "post.lua"
    listed = ", ".join(f'"{path}"' for path in paths)
    script.write_text(
        f"local paths = {{{listed}}}\nlocal n = 0\nlocal body = [=[{BODY}]=]\n"
        'local headers = {["Content-Type"] = "application/json"}\n'
        "request = function()\n  n = n % #paths + 1\n  return wrk.format(\"POST\", paths[n], headers, body)\nend\n")
    return str(script)


def aias(*arguments):
    out = subprocess.run([AIAS, *map(str, arguments)], capture_output=True, text=True)
    if out.returncode:
        raise RuntimeError(out.stdout + out.stderr)
    return json.loads(out.stdout.strip().splitlines()[-1])


def webhooks(options, folder):
    """webhook -> no-op -> saved, for 1 and for 100 busy tenants, against the bare HTTP framework on the same machine."""
    seconds = 3 if options.quick else 10
    port = free_port()
    bare_process = subprocess.Popen([AIAS, "bench", "bare", "--port", str(port)])
    try:
        wait(f"http://127.0.0.1:{port}/")
        bare = wrk(f"http://127.0.0.1:{port}", seconds, 250, lua(folder, ["/"]))
    finally:
        bare_process.terminate()
        bare_process.wait()
    results = {"bare": bare}
    for tenants in (1, 100):
        server = Server(pathlib.Path(folder) / f"webhooks-{tenants}", environment={"AIAS_LOG_LEVEL": "error"}).start()
        try:
            paths = []
            for number in range(tenants):
                name = f"tenant-{number:03}"
                key = server.create_tenant(name)["api_key"]
                server.import_workflow(key, line("No-op", hook("noop", "lastNode"), node("Nothing", "noOp", 1, 200)))
                paths.append(f"/hooks/{name}/noop")
            wrk(server.base, 1, 50, lua(folder, paths))
            measured = wrk(server.base, seconds, 250, lua(folder, paths))
            measured["ratio_to_bare"] = round(measured["requests_per_s"] / bare["requests_per_s"], 3)
            results[f"tenants_{tenants}"] = measured
        finally:
            server.stop()
    return results


def chain(options, folder):
    """A durable chain of three steps, each with its own commit, against DBOS and against a raw group commit of the same rows."""
    results = {}
    peer = PEERS / "durable_chain_dbos.py"
    postgres = Postgres()
    try:
        for database in ("sqlite", "postgres"):
            for clients in (1, 16, 64, 256):
                runs = (300 if clients == 1 else 4_000) // (4 if options.quick else 1)
                place = ["--data", pathlib.Path(folder) / f"chain-{database}-{clients}"]
                if database == "postgres":
                    url = postgres.create(f"chain_{clients}")
                    subprocess.run([AIAS, "migrate", "--database-url", url, *map(str, place)], check=True, capture_output=True)
                    place += ["--database-url", url]
                ours = aias("bench", "chain", "--runs", runs, "--clients", clients, *place)
                row = {"aias": ours}
                if peer.exists():
                    command = [sys.executable, str(peer), "--runs", str(max(40, runs // 20)), "--clients", str(clients)]
                    if database == "postgres":
                        command += ["--db", postgres.create(f"dbos_{clients}").replace("postgres://", "postgresql+psycopg://")]
                    out = subprocess.run(command, capture_output=True, text=True)
                    if out.returncode == 0:
                        row["dbos"] = json.loads(out.stdout.strip().splitlines()[-1])
                        row["times_dbos"] = round(ours["runs_per_s"] / row["dbos"]["runs_per_s"], 1)
                    else:
                        row["dbos"] = "failed: " + out.stderr.strip()[-300:]
                else:
                    row["dbos"] = "skipped: no peer"
                if database == "sqlite":
                    row["raw"] = aias("bench", "raw", "--runs", runs, "--clients", clients, "--data", pathlib.Path(folder) / f"raw-{clients}")
                    row["ratio_to_raw"] = round(ours["runs_per_s"] / row["raw"]["runs_per_s"], 3)
                results[f"{database}_{clients}"] = row
    finally:
        postgres.stop()
    return results


def workers(options, folder):
    """Draining queued webhook runs with 1, 2 and 4 workers on PostgreSQL, beside the commits of the same rows that the database takes alone."""
    runs = 1_000 if options.quick else 8_000
    postgres = Postgres()
    results = {}
    try:
        for count in (1, 2, 4):
            base = pathlib.Path(folder) / f"workers-{count}"
            url = postgres.create(f"workers_{count}")
            cluster = Cluster(url, base, count, {"AIAS_LOG_LEVEL": "error"}, {"AIAS_LIVE_RUNS": "0"})
            try:
                key = cluster.gateway.create_tenant("acme")["api_key"]
                cluster.gateway.start()
                cluster.gateway.import_workflow(key, line("No-op", hook("noop", "onReceived"), node("Nothing", "noOp", 1, 200)))
                script = lua(folder, ["/hooks/acme/noop"])
                waiting = 0
                while waiting < runs:
                    wrk(cluster.gateway.base, 1, 64, script)
                    waiting = postgres.number(f"workers_{count}", "SELECT count(*) FROM runs WHERE finished_at IS NULL")
                begin = time.perf_counter()
                for one in cluster.workers:
                    one.start(wait=False)
                while left := postgres.number(f"workers_{count}", "SELECT count(*) FROM runs WHERE finished_at IS NULL"):
                    time.sleep(0.1)
                seconds = time.perf_counter() - begin
                results[f"workers_{count}"] = {"runs": waiting, "seconds": round(seconds, 2), "runs_per_s": round(waiting / seconds, 1)}
            finally:
                cluster.stop()
        place = ["--data", pathlib.Path(folder) / "raw", "--database-url", postgres.create("raw")]
        subprocess.run([AIAS, "migrate", *map(str, place)], check=True, capture_output=True)
        results["raw"] = aias("bench", "raw", "--runs", runs // 4, "--clients", 64, *place)
        results["raw"]["commits_per_s"] = round(results["raw"]["runs_per_s"] * 4, 1)
    finally:
        postgres.stop()
    return results


def stored(options, folder):
    """The webhook of the first benchmark before and beside two million stored runs of its tenant (in a quick run 100,000), and its lists."""
    runs = 100_000 if options.quick else 2_000_000
    seconds = 3 if options.quick else 10
    place = pathlib.Path(folder) / "stored"
    server = Server(place, environment={"AIAS_LOG_LEVEL": "error"})
    results = {}
    key = server.create_tenant("acme")["api_key"]
    for name in ("empty", "full"):
        if name == "full":
            results["filling"] = aias("bench", "fill", "--data", place, "--tenant", "acme", "--runs", runs)
        server.start()
        try:
            if name == "empty":
                server.import_workflow(key, line("No-op", hook("noop", "lastNode"), node("Nothing", "noOp", 1, 200)))
            script = lua(folder, ["/hooks/acme/noop"])
            wrk(server.base, 1, 50, script)
            measured = wrk(server.base, seconds, 250, script)
            times = []
            for _ in range(20):
                begin = time.perf_counter()
                server.request("GET", "/v1/executions?limit=50", key=key)
                times.append((time.perf_counter() - begin) * 1000)
            results[name] = {**measured, "list_ms": round(statistics.median(times), 1)}
        finally:
            server.stop()
    results["full"]["ratio_to_empty"] = round(results["full"]["requests_per_s"] / results["empty"]["requests_per_s"], 3)
    results["full"]["megabytes"] = sum(one.stat().st_size for one in place.rglob("aias.db*")) >> 20
    return results
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


def resident_megabytes(pid):
    total, queue = 0, [pid]
    while queue:
        one = queue.pop()
        status = pathlib.Path(f"/proc/{one}/status").read_text()
        total += int(re.search(r"VmRSS:\s+(\d+)", status)[1])
        for task in pathlib.Path(f"/proc/{one}/task").iterdir():
            queue += map(int, (task / "children").read_text().split())
    return total / 1024


def wait(url, seconds=30, pause=0.02):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(pause)
    raise RuntimeError(f"{url} did not answer")


def markdown(results):
    lines = ["# Benchmarks", "", f"One run on {results['machine']}. Ratios count; absolute figures are of that machine and moment.", ""]
    for name, value in results.items():
        if name == "machine":
            continue
        lines += [f"## {name}", "", (BENCHMARKS[name].__doc__ or "").strip(), ""]
        if isinstance(value, dict) and all(isinstance(row, dict) for row in value.values()):
            for key, row in value.items():
                lines.append(f"- **{key}**: {flat(row)}")
        else:
            lines.append(f"- {flat(value)}")
        lines.append("")
    return "\n".join(lines)


def flat(value):
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} {f'({flat(part)})' if isinstance(part, dict) else part}" for key, part in value.items())


BENCHMARKS = {"webhooks": webhooks, "chain": chain, "workers": workers, "stored": stored, "corpus": corpus, "start": start, "usage": usage}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=list(BENCHMARKS), default=list(BENCHMARKS))
    options = parser.parse_args()
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    results = {"machine": f"{os.cpu_count()} cores, {cpu[1] if cpu else 'unknown'}"}
    for name in options.only:
        folder = tempfile.mkdtemp(prefix=f"aias-bench-{name}-")
        try:
            print(f"== {name}", flush=True)
            results[name] = BENCHMARKS[name](options, folder)
            print(json.dumps(results[name], indent=1), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    place = ROOT / "Benchmarks"
    (place / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (place / "results.md").write_text(markdown(results))


if __name__ == "__main__":
    main()
