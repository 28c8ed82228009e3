"""The engine: webhooks, durable chains, workers, and runs beside many stored ones."""

import collections
import itertools
import os
import pathlib
import statistics
import subprocess
import time

import psycopg

from measuring import Bare, OWN_PEERS, PEERS, Slow, aias, lua, peer, wrk

from cluster import Cluster
from documents import hook, line, node
from server import AIAS, Postgres, Server

# What each peer calls the driver of a PostgreSQL address.
SCHEMES = {"dbos": "postgresql+psycopg://", "prefect": "postgresql+asyncpg://"}


def webhooks(options, folder):
    """webhook -> no-op -> saved, for 1 and for 100 busy tenants, beside the bare HTTP framework on the same machine: in turn, since the machine is not the
    same from one moment to the next; medians of the rounds."""
    rounds, seconds = (3, 2) if options.quick else (12, 4)
    servers = {}
    with Bare() as bare:
        loads = {"bare": (bare.base, lua(folder, ["/"], name="bare"))}
        try:
            for tenants in (1, 100):
                name = f"tenants_{tenants}"
                server = servers[name] = Server(pathlib.Path(folder) / name, environment={"AIAS_LOG_LEVEL": "error"}).start()
                paths = []
                for number in range(tenants):
                    tenant = f"tenant-{number:03}"
                    key = server.create_tenant(tenant)["api_key"]
                    server.import_workflow(key, line("No-op", hook("noop", "lastNode"), node("Nothing", "noOp", 1, 200)))
                    paths.append(f"/hooks/{tenant}/noop")
                loads[name] = (server.base, lua(folder, paths, name=name))
                wrk(server.base, 1, 50, loads[name][1])
            measured = {name: [] for name in loads}
            # Each comes after each of the others, and after what those leave to be done when nobody calls: checkpoints, counts, deliveries.
            for order in itertools.islice(itertools.cycle(itertools.permutations(loads)), rounds):
                for name in order:
                    base, posts = loads[name]
                    measured[name].append(wrk(base, seconds, 250, posts))
                    time.sleep(2)
        finally:
            for server in servers.values():
                server.stop()
    results = {name: medians(rows) for name, rows in measured.items()}
    for name, other, what in (("tenants_1", "bare", "bare"), ("tenants_100", "bare", "bare"), ("tenants_100", "tenants_1", "one")):
        found = sorted(round(row["requests_per_s"] / base["requests_per_s"], 3) for row, base in zip(measured[name], measured[other]))
        results[name] |= {f"ratio_to_{what}": round(statistics.median(found), 3), f"ratios_to_{what}": found}
    return results


def medians(rows):
    """Of each figure of several measurements."""
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}


def chain(options, folder):
    """A durable chain of three steps, each with its own commit, against DBOS, Prefect and a raw group commit of the same rows."""
    results = {}
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
                for name, script in (("dbos", PEERS / "durable_chain_dbos.py"), ("prefect", OWN_PEERS / "durable_chain_prefect.py")):
                    command = ["--runs", max(40, runs // 20), "--clients", clients]
                    if database == "postgres":
                        command += ["--db", postgres.create(f"{name}_{clients}").replace("postgres://", SCHEMES[name])]
                    row[name] = peer(script, *command)
                    if isinstance(row[name], dict):
                        row[f"times_{name}"] = round(ours["runs_per_s"] / row[name]["runs_per_s"], 1)
                if database == "sqlite":
                    row["raw"] = aias("bench", "raw", "--runs", runs, "--clients", clients, "--data", pathlib.Path(folder) / f"raw-{clients}")
                    row["ratio_to_raw"] = round(ours["runs_per_s"] / row["raw"]["runs_per_s"], 3)
                results[f"{database}_{clients}"] = row
    finally:
        postgres.stop()
    return results


def workers(options, folder):
    """Draining queued runs on PostgreSQL: short ones, and ones that wait half a second for another server, of which a worker here has 64 at once.
    The database has one processor to itself and the workers the other, so that it is seen which of the two is the limit."""
    runs = 1_000 if options.quick else 8_000
    postgres = Postgres()
    results = {}
    try:
        confine([postgres.pid()], 0)
        for count in (1, 2, 4):
            results[f"short_{count}"] = drain(postgres, folder, f"short_{count}", count, runs, [node("Nothing", "noOp", 1, 200)])
        with Slow(0.5) as slow:
            asks = [node("Ask", "httpRequest", 4.2, 200, url=slow.base, options={})]
            # One tenant has half of a worker's places.
            settings = {"AIAS_LIVE_RUNS": "128", "AIAS_OUTBOUND_ALLOW": slow.base.removeprefix("http://")}
            for count in (1, 2, 4, 8, 12):
                results[f"waiting_{count}"] = drain(postgres, folder, f"waiting_{count}", count, count * runs // 16, asks, settings)
        place = ["--data", pathlib.Path(folder) / "raw", "--database-url", postgres.create("raw")]
        subprocess.run([AIAS, "migrate", *map(str, place)], check=True, capture_output=True)
        results["raw"] = aias("bench", "raw", "--runs", runs // 4, "--clients", 64, *place)
        results["raw"]["commits_per_s"] = round(results["raw"]["runs_per_s"] * 4, 1)
    finally:
        postgres.stop()
    return results


def drain(postgres, folder, name, count, runs, nodes, settings=None):
    """The rate at which some workers end queued runs, how busy both processors are, and what the database's sessions do meanwhile."""
    unended = "SELECT count(*) FROM runs WHERE finished_at IS NULL"
    commits = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = current_database()"
    cluster = Cluster(
        postgres.create(name), pathlib.Path(folder) / name, count, {"AIAS_LOG_LEVEL": "error", **(settings or {})}, {"AIAS_LIVE_RUNS": "0"})
    try:
        key = cluster.gateway.create_tenant("acme")["api_key"]
        cluster.gateway.start()
        cluster.gateway.import_workflow(key, line("Drained", hook("drained", "onReceived"), *nodes))
        script = lua(folder, ["/hooks/acme/drained"])
        waiting = 0
        while waiting < runs:
            wrk(cluster.gateway.base, 1, 16, script)
            waiting = postgres.number(name, unended)
        # As autovacuum has done by the time that a queue is long; a planner that knows nothing of it reads all of it for each claim.
        postgres.run_sql(name, "ANALYZE")
        before, busy, begin = postgres.number(name, commits), processors(), time.perf_counter()
        for one in cluster.workers:
            one.start(wait=False)
        confine([one.process.pid for one in cluster.workers], 1)
        does = collections.Counter()
        with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True) as session:
            while session.execute(unended).fetchone()[0]:
                for _ in range(5):
                    does.update(row[0] for row in session.execute(DOING))
                    time.sleep(0.05)
        seconds = time.perf_counter() - begin
        shares = [round((after - early) / seconds, 2) for after, early in zip(processors(), busy)]
        assert postgres.number(name, "SELECT count(*) FROM runs WHERE status <> 'succeeded'") == 0
        return {
            "runs": waiting, "seconds": round(seconds, 2), "runs_per_s": round(waiting / seconds, 1),
            "commits_per_s": round((postgres.number(name, commits) - before) / seconds, 1),
            "database_busy": shares[0], "workers_busy": shares[1],
            "database_does": {what: round(times / does.total(), 2) for what, times in does.most_common(4)}}
    finally:
        cluster.stop()


# What the sessions in a transaction's statements do or wait for; a session that works waits for nothing.
DOING = """SELECT coalesce(wait_event, 'work') FROM pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


def confine(pids, number):
    """Keeps processes, with all their threads and what they start from here on, to one processor; to the last where there are fewer."""
    for pid in pids:
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {min(number, os.cpu_count() - 1)})


def processors():
    """Seconds that the two processors to which `confine` keeps have worked; the same one twice where there are no two."""
    rows = [text.split() for text in pathlib.Path("/proc/stat").read_text().splitlines() if text[:3] == "cpu" and text[3] != " "]
    spent = [(sum(map(int, row[1:9])) - int(row[4]) - int(row[5])) / os.sysconf("SC_CLK_TCK") for row in rows]
    return spent[0], spent[min(1, len(spent) - 1)]


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
