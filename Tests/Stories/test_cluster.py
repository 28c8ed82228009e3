"""A deployment of several processes on one PostgreSQL: a gateway that runs nothing itself, two workers, a scheduler."""

import concurrent.futures
import os
import signal
import subprocess
import threading
import time

import pytest

from cluster import Cluster
from crash.mock import Mock
from documents import hook, keep, line, node
from server import AIAS, Server

# A worker that died is noticed when its lease has run out.
RECOVERY_LIMIT_S = 75
# What a step takes that is to be interrupted, or waited for.
SLOW_S = 15


def post(name, x, address):
    return node(
        name, "httpRequest", 4.2, x, method="POST", url=address, sendBody=True, specifyBody="json",
        jsonBody="={{ JSON.stringify({id: $('Hook').item.json.body.id}) }}", options={})


class Slow(Mock):
    """Answers after a while, so that a process can die meanwhile."""

    def __init__(self, seconds):
        super().__init__()
        handler = self.server.RequestHandlerClass
        quick = handler.do_POST

        def do_POST(request):
            time.sleep(seconds)
            quick(request)

        handler.do_POST = do_POST

    def address(self, step):
        return f"http://127.0.0.1:{self.port}/{step}"


@pytest.fixture(scope="module")
def cluster(postgres, tmp_path_factory):
    mock = Slow(0.3)
    cluster = Cluster(
        postgres.create("cluster"), tmp_path_factory.mktemp("cluster"), 2, {"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{mock.port}"},
        {"AIAS_LIVE_RUNS": "0"})
    gateway = cluster.gateway
    gateway.mock, gateway.workers, gateway.key = mock, cluster.workers, gateway.create_tenant()["api_key"]
    cluster.start()
    yield gateway
    cluster.stop()
    mock.stop()


def statuses(cluster):
    rows, cursor = [], None
    while True:
        page = cluster.request("GET", "/v1/executions?limit=100" + (f"&cursor={cursor}" if cursor else ""), key=cluster.key)[1]
        rows += page["data"]
        cursor = page.get("next_cursor")
        if not cursor:
            return {row["id"]: row["status"] for row in rows}


def eventually(check, seconds=RECOVERY_LIMIT_S):
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result or time.monotonic() > deadline:
            return result
        time.sleep(0.2)


def test_a_gateway_answers_with_what_a_worker_made(cluster):
    cluster.import_workflow(cluster.key, line("Greeting", hook("hello"), keep("Greet", 200, greeting="=Hello {{ $json.body.name }}")))
    answers = [cluster.request("POST", "/hooks/acme/hello", {"name": f"N{number}"}) for number in range(10)]
    assert [answer[:2] for answer in answers] == [(200, {"greeting": f"Hello N{number}"}) for number in range(10)]
    respond = line(
        "Respond", hook("respond", "responseNode"),
        node("Answer", "respondToWebhook", 1.1, 200, respondWith="json", responseBody='={{ JSON.stringify({said: $json.body.word}) }}',
             options={"responseCode": 201}),
        post("After", 400, cluster.mock.address("after")))
    cluster.import_workflow(cluster.key, respond)
    began = time.monotonic()
    assert cluster.request("POST", "/hooks/acme/respond", {"word": "x", "id": 1})[:2] == (201, {"said": "x"})
    assert time.monotonic() - began < 20
    assert cluster.request("POST", "/hooks/acme/hello", {"name": "A"}, headers={"Idempotency-Key": "k"})[:2] == (200, {"greeting": "Hello A"})
    assert cluster.request("POST", "/hooks/acme/hello", {"name": "A"}, headers={"Idempotency-Key": "k"})[:2] == (200, {"greeting": "Hello A"})
    assert "Roles are gateway" in subprocess.run(
        [AIAS, "serve", "--roles", "cook", "--data", str(cluster.folder)], env=cluster.environment, capture_output=True, text=True).stderr


def test_nothing_is_lost_when_a_worker_dies_and_another_is_held_up(cluster):
    cluster.import_workflow(
        cluster.key, line("Chain", hook("chain", "onReceived"), post("One", 200, cluster.mock.address("one")), post("Two", 400, cluster.mock.address("two"))))
    before = set(statuses(cluster))
    answered, stop = [], threading.Event()

    def load(client):
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{client}-{number}"
            if cluster.request("POST", "/hooks/acme/chain", {"id": name})[0] == 200:
                answered.append(name)
            time.sleep(0.02)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(load, number) for number in range(4)]
        time.sleep(1.5)
        eventually(lambda: len(answered) > 10)
        dead, held = cluster.workers
        dead.kill()
        os.killpg(held.process.pid, signal.SIGSTOP)
        spare = Server(cluster.folder.parent / "worker-3", None, {**dead.environment}).start(wait=False)
        time.sleep(2)
        eventually(lambda: len(answered) > 20)
        stop.set()
        for client in clients:
            client.result()
    try:
        assert len(answered) > 20
        def open_runs():
            return {run: status for run, status in statuses(cluster).items() if run not in before and status != "succeeded"}

        assert eventually(lambda: not open_runs()), (open_runs(), spare.tail())
        os.killpg(held.process.pid, signal.SIGCONT)
        runs = {run: status for run, status in statuses(cluster).items() if run not in before}
        assert len(runs) == len(answered), "every answered call is a run, and no other"
        for step in ("one", "two"):
            hits = [hit for hit in cluster.mock.hits if hit["step"] == step]
            assert {hit["id"] for hit in hits} == set(answered)
            keys = {}
            for hit in hits:
                keys.setdefault(hit["id"], set()).add(hit["key"])
            assert all(len(one) == 1 for one in keys.values()), "a repeated request has the key of the first"
        time.sleep(2)
        assert {run: status for run, status in statuses(cluster).items() if run not in before} == runs, "who was held up changes nothing"
    finally:
        cluster.workers[0] = spare
        held.kill()
        held.start(wait=False)


def test_a_run_in_the_hands_of_a_worker_is_cancelled_and_paused_through_the_gateway(cluster):
    slow = Slow(SLOW_S)
    try:
        for worker in cluster.workers:
            worker.stop()
            worker.environment["AIAS_OUTBOUND_ALLOW"] = f"127.0.0.1:{slow.port}"
            worker.start(wait=False)
        workflow = cluster.import_workflow(
            cluster.key, line("Slow", hook("slow", "onReceived"), post("One", 200, slow.address("one")), post("Two", 400, slow.address("two"))))["workflow"]["id"]

        def newest():
            return cluster.request("GET", f"/v1/executions?workflow_id={workflow}&limit=1", key=cluster.key)[1]["data"][0]

        def become(act, status):
            assert cluster.request("POST", "/hooks/acme/slow", {"id": act})[0] == 200
            assert eventually(lambda: newest()["status"] == "running")
            run = newest()["id"]
            assert cluster.request("POST", f"/v1/executions/{run}/{act}", key=cluster.key)[0] == 204
            assert eventually(lambda: newest()["status"] == status), newest()
            return run

        began = time.monotonic()
        become("cancellation", "cancelled")
        assert time.monotonic() - began < SLOW_S, "the step in flight was interrupted"
        run = become("pause", "paused")
        assert cluster.request("POST", f"/v1/executions/{run}/resumption", key=cluster.key)[0] == 204
        assert eventually(lambda: newest()["status"] == "succeeded"), newest()
        assert [hit["step"] for hit in slow.hits if hit["id"] == "pause"] == ["one", "two"]
    finally:
        slow.stop()


def test_roles_of_their_own_need_a_server(tmp_path):
    refused = subprocess.run([AIAS, "serve", "--roles", "worker", "--data", str(tmp_path)], capture_output=True, text=True)
    assert refused.returncode != 0 and "PostgreSQL" in refused.stderr
