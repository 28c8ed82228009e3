"""The crash test: load from outside, kills at random instants and around commits, then a comparison of what was promised with what is there."""

import collections
import dataclasses
import json
import pathlib
import random
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request

from crash.mock import Mock
from crash.unsynced import Unsynced
from server import Server

CLIENTS = 8
SETTLE_LIMIT_S = 90
FAILPOINTS = ["commit.before", "commit.after", "group.before", "group.after"]


def chain(mock_port: int, path: str, mode: str, host: str = "127.0.0.1") -> dict:
    """webhook -> set -> POST first -> set -> POST second -> answer; every POST carries the caller's id."""

    def post(identity, name, step, x):
        return {
            "id": identity, "name": name, "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [x, 0],
            "parameters": {
                "method": "POST", "url": f"http://{host}:{mock_port}/{step}", "sendBody": True, "specifyBody": "json",
                "jsonBody": '={{ JSON.stringify({id: $("Hook").first().json.body.id}) }}', "options": {},
            },
        }

    def keep(identity, name, x):
        return {
            "id": identity, "name": name, "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [x, 0],
            "parameters": {"assignments": {"assignments": [
                {"id": "a", "name": "id", "type": "string", "value": '={{ $("Hook").first().json.body.id }}'}]}, "options": {}},
        }

    nodes = [
        {"id": "n1", "name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
         "parameters": {"path": path, "httpMethod": "POST", "responseMode": mode, "options": {}}},
        keep("n2", "Keep", 200), post("n3", "First", "first", 400), keep("n4", "Again", 600), post("n5", "Second", "second", 800),
        keep("n6", "Done", 1000),
    ]
    names = [node["name"] for node in nodes]
    links = {a: {"main": [[{"node": b, "type": "main", "index": 0}]]} for a, b in zip(names, names[1:])}
    return {"name": f"Chain {mode}", "nodes": nodes, "connections": links, "settings": {"executionOrder": "v1"}}


@dataclasses.dataclass
class Outcome:
    kills: int
    sent: int
    answered: int
    runs: int
    repeated: int
    undone: int
    faults: list

    def __str__(self):
        return (f"{self.kills} kills, {self.sent} sent, {self.answered} answered, {self.runs} runs, "
                f"{self.repeated} requests repeated with the same key, {self.undone} unsynced writes undone, {len(self.faults)} faults")


class Load(threading.Thread):
    """One client: sends fresh ids one after another, remembers those answered."""

    def __init__(self, base, ids, sent, answered, stop, pause_s=0):
        super().__init__(daemon=True)
        self.pause_s = pause_s
        self.base, self.ids, self.sent, self.answered, self.stop_flag = base, ids, sent, answered, stop

    def run(self):
        while not self.stop_flag.wait(self.pause_s):
            identity = next(self.ids)
            path = "last" if identity % 2 else "received"
            body = json.dumps({"id": f"r{identity}"}).encode()
            request = urllib.request.Request(
                f"{self.base}/hooks/acme/{path}", data=body, headers={"Content-Type": "application/json"}, method="POST")
            self.sent.append(f"r{identity}")
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    text = answer.read()
                    if answer.status == 200:
                        self.answered.append((f"r{identity}", path, text))
            except (OSError, urllib.error.URLError, ConnectionError, EOFError, ValueError):
                time.sleep(0.01)
            except Exception:  # http.client raises several kinds when the peer dies
                time.sleep(0.01)


class Counter:
    def __init__(self):
        self.value, self.lock = 0, threading.Lock()

    def __next__(self):
        with self.lock:
            self.value += 1
            return self.value


def run(kills: int, seed: int, database_url=None, unsynced=False, report=print) -> Outcome:
    dice = random.Random(seed)
    mock = Mock()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aias-crash-"))
    server = Server(folder, database_url, {"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{mock.port}"})
    shim = Unsynced(folder) if unsynced else None
    extra = shim.environment() if shim else {}
    if database_url:
        server.command("migrate", "--data", str(folder))
    key = server.create_tenant()["api_key"]
    server.start(extra)
    for path, mode in (("last", "lastNode"), ("received", "onReceived")):
        server.import_workflow(key, chain(mock.port, path, mode))

    ids, sent, answered = Counter(), [], []
    done = 0
    while done < kills:
        stop = threading.Event()
        clients = [Load(server.base, ids, sent, answered, stop) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        ended_by_itself = wait_for_end(server, dice.uniform(0.05, 0.5))
        server.kill()
        stop.set()
        for client in clients:
            client.join()
        done += 1
        if shim:
            shim.put_back()
        failpoint = {}
        if done < kills and dice.random() < 0.5:
            failpoint = {"AIAS_FAILPOINT": f"{dice.choice(FAILPOINTS)}:{dice.randint(1, 200)}"}
        try:
            server.start({**extra, **failpoint})
        except RuntimeError:
            if not failpoint:
                raise
            # The failpoint struck before it was ready; that was a kill as well.
            server.kill()
            if shim:
                shim.put_back()
            server.start(extra)
        if done % 20 == 0:
            report(f"  {done} kills, {len(answered)} answered{' (last one at a failpoint)' if ended_by_itself else ''}")
    if shim:
        server.kill()
        shim.put_back()
        server.start(extra)
    runs = settle(server, key)
    faults, repeated = compare(runs, answered, mock.hits)
    faults += miscounted(server, key)
    server.stop()
    mock.stop()
    outcome = Outcome(kills, len(sent), len(answered), len(runs), repeated, shim.undone if shim else 0, faults)
    if not faults:
        shutil.rmtree(folder, ignore_errors=True)
        if shim:
            shutil.rmtree(shim.undo, ignore_errors=True)
    return outcome


def wait_for_end(server, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            return True
        time.sleep(0.005)
    return False


def settle(server, key, workflows=None, limit_s=SETTLE_LIMIT_S):
    """Waits until no run (of these workflows) is under way; returns {caller's id: [run, ...]}."""
    deadline = time.monotonic() + limit_s
    while True:
        runs = [run for workflow in workflows or [None] for run in executions(server, key, workflow)]
        open_runs = [r for r in runs if r["status"] in ("queued", "running", "waiting")]
        if not open_runs:
            break
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(open_runs)} runs did not end, the first: {open_runs[0]}")
        time.sleep(0.2)
    by_id = collections.defaultdict(list)
    for execution in runs:
        status, detail, _ = server.request("GET", f"/v1/executions/{execution['id']}", key=key)
        assert status == 200, detail
        first = next(step for step in detail["steps"] if step["node"] == "Hook")
        by_id[first["output"][0][0]["json"]["body"]["id"]].append(detail)
    return by_id


def executions(server, key, workflow=None):
    cursor = f"&workflow_id={workflow}" if workflow else ""
    while True:
        status, page, _ = server.request("GET", f"/v1/executions?limit=200{cursor}", key=key)
        assert status == 200, page
        yield from page["data"]
        if not page["next_cursor"]:
            return
        cursor = (f"&workflow_id={workflow}" if workflow else "") + f"&cursor={page['next_cursor']}"


def miscounted(server, key):
    """Each run that began is counted as one execution, however the process ended that was about to count it."""
    begun = sum(1 for _ in executions(server, key))
    span = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + shift)) for shift in (-86_400, 120)]
    status, found, _ = server.request("GET", f"/v1/usage-metrics/executions/quantity?from={span[0]}&to={span[1]}", key=key)
    assert status == 200, found
    return [] if found["quantity"] == begun else [f"{begun} runs began and {found['quantity']} executions are counted"]


def compare(runs, answered, hits):
    faults = []
    for identity, path, _ in answered:
        found = runs.get(identity, [])
        if len(found) != 1:
            faults.append(f"{identity} was answered ({path}) and has {len(found)} runs")
    for identity, found in runs.items():
        for one in found:
            if one["status"] != "succeeded":
                faults.append(f"{identity} ended as {one['status']}: {one.get('error')}")
            names = collections.Counter(step["node"] for step in one["steps"] if step["status"] == "succeeded")
            for name in ("Hook", "Keep", "First", "Again", "Second", "Done"):
                if names[name] != 1:
                    faults.append(f"{identity} finished {name} {names[name]} times")
    by_step = collections.defaultdict(list)
    for hit in hits:
        by_step[hit["id"], hit["step"]].append(hit)
    repeated = 0
    for (identity, step), found in by_step.items():
        keys = {hit["key"] for hit in found}
        if None in keys or len(keys) != 1:
            faults.append(f"{identity} {step} went out with keys {keys}")
        repeated += len(found) - 1
        later = by_step.get((identity, "second"), [])
        if step == "first" and later and max(h["at"] for h in found) > min(h["at"] for h in later):
            faults.append(f"{identity} repeated a finished step")
        if identity not in runs:
            faults.append(f"{identity} sent {step} outward and has no run")
    for identity in runs:
        for step in ("first", "second"):
            if (identity, step) not in by_step:
                faults.append(f"{identity} finished without sending {step}")
    return faults, repeated
