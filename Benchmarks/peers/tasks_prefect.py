"""Peer measurement: one Prefect flow of so many tasks one after another, each computing a Fibonacci number by the plain recursion.

usage: tasks_prefect.py --count N --number M
Prints one JSON line: the seconds that the flow took.
"""

import argparse
import json
import time

import quiet_prefect

parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, required=True)
parser.add_argument("--number", type=int, required=True)
options = parser.parse_args()

quiet_prefect.prepare()

from prefect import flow, task  # noqa: E402 (reads its settings when imported)


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@task
def compute(n: int) -> int:
    return fibonacci(n)


@flow
def all_of_them(count: int, number: int) -> int:
    return sum(compute(number) for _ in range(count))


all_of_them(1, 2)
begin = time.perf_counter()
assert all_of_them(options.count, options.number) == options.count * fibonacci(options.number)
# The check computes it once more outside a task.
checked = time.perf_counter()
fibonacci(options.number)
print(json.dumps({"peer": "prefect", "seconds": round(checked - begin - (time.perf_counter() - checked), 3)}))
