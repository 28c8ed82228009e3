"""Peer measurement: Prefect running a flow of three tasks one after another, each recorded by its server, on SQLite (default) or PostgreSQL.

usage: durable_chain_prefect.py [--db URL] [--runs N] [--clients C] [--steps S]
Prints one JSON line: runs/s and the latency percentiles in milliseconds.
"""

import argparse
import json
import threading
import time

import quiet_prefect

parser = argparse.ArgumentParser()
parser.add_argument("--db")
parser.add_argument("--runs", type=int, default=40)
parser.add_argument("--clients", type=int, default=1)
parser.add_argument("--steps", type=int, default=3)
options = parser.parse_args()

database = quiet_prefect.prepare(options.db)

from prefect import flow, task  # noqa: E402 (reads its settings when imported)


@task
def add(value: int) -> int:
    return value + 1


@flow
def chain(value: int) -> int:
    for _ in range(options.steps):
        value = add(value)
    return value


assert chain(0) == options.steps
left, latencies, lock = iter(range(options.runs)), [], threading.Lock()


def client():
    while True:
        with lock:
            number = next(left, None)
        if number is None:
            return
        begin = time.perf_counter()
        assert chain(number) == number + options.steps
        with lock:
            latencies.append((time.perf_counter() - begin) * 1000)


begin = time.perf_counter()
threads = [threading.Thread(target=client) for _ in range(min(options.clients, options.runs))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seconds = time.perf_counter() - begin
latencies.sort()
print(json.dumps({
    "peer": "prefect", "db": database.split(":")[0], "steps": options.steps, "clients": options.clients,
    "runs_per_s": round(options.runs / seconds, 1), "p50_ms": round(latencies[len(latencies) // 2], 2),
    "p99_ms": round(latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))], 2)}))
