"""Whole requests as n8n's and Windmill's published comparisons have them, and what many tenants cost."""

import json
import pathlib
import time

from measuring import OWN_PEERS, Bare, aias, lua, peer, resident_megabytes, wait, wrk

from documents import hook, line, node
from server import Server

CONNECTIONS = 50
MEGABYTES = 2
PEOPLE = json.dumps({"items": [
    {"firstname": f"First {n}", "lastname": f"Last {n}", "email": f"person{n}@example.com", "password": "secret", "age": n, "isActive": n % 2 == 0,
     "birthDate": "1990-01-01T00:00:00Z"} for n in range(100)]})
ANSWER = node("Answer", "respondToWebhook", 1.1, 900, respondWith="allIncomingItems", options={})
ALL_AT_ONCE = """
return $input.all().map((item) => {
  const [user, domain] = item.json.email.split('@');
  const { lastname, ...rest } = item.json;
  return { json: { ...rest, age: 10 + Math.floor(Math.random() * 30), password: '*'.repeat(item.json.password.length), emailData: { user, domain } } };
});"""
EACH = """
const [user, domain] = $json.email.split('@');
const { lastname, ...rest } = $json;
return { json: { ...rest, age: 10 + Math.floor(Math.random() * 30), password: '*'.repeat($json.password.length), emailData: { user, domain } } };"""


def single_webhook(_):
    """A webhook that answers at once."""
    return [line("Single", hook("single", "onReceived"))], ["single"]


def ten_webhooks(_):
    """Ten workflows, asked in turn."""
    return [line(f"Ten {n}", hook(f"ten-{n}", "onReceived")) for n in range(10)], [f"ten-{n}" for n in range(10)]


def six_expressions(_):
    """Six fields from the request: copied, computed, an object, an array, a name that is an expression."""
    fields = [
        ("copied", "={{ $json.headers.host }}", "string"), ("={{ $json.headers['content-type'].slice(0, 4) }}", "A name by expression", "string"),
        ("joined", "={{ $json.executionMode + ' ' + $json.webhookUrl }}", "string"), ("fixed", 42, "number"),
        ("object", "={{ $json.headers }}", "object"), ("array", "={{ Object.values($json.headers) }}", "array")]
    assignments = [{"id": str(n), "name": name, "value": value, "type": kind} for n, (name, value, kind) in enumerate(fields)]
    return [line(
        "Expressions", hook("expressions", "responseNode"),
        node("Fields", "set", 3.4, 300, assignments={"assignments": assignments}, options={}), ANSWER)], ["expressions"]


def three_requests(outside):
    """Three HTTP requests side by side, merged."""
    asks = [
        node(f"Ask {n}", "httpRequest", 4.2, 300, method="POST", url=outside + "/", options={"response": {"response": {"fullResponse": True}}})
        for n in range(3)]
    status = [{"id": "s", "name": "statusCode", "value": "={{ $json.statusCode }}", "type": "number"}]
    rest = [node("Merge", "merge", 3, 500, numberInputs=3), node("Status", "set", 3.4, 700, assignments={"assignments": status}, options={}), ANSWER]
    document = line("Requests", hook("requests", "responseNode"))
    document["nodes"] += asks + rest
    document["connections"] = {
        "Hook": {"main": [[{"node": ask["name"], "type": "main", "index": 0} for ask in asks]]},
        **{ask["name"]: {"main": [[{"node": "Merge", "type": "main", "index": n}]]} for n, ask in enumerate(asks)},
        "Merge": {"main": [[{"node": "Status", "type": "main", "index": 0}]]},
        "Status": {"main": [[{"node": "Answer", "type": "main", "index": 0}]]}}
    return [document], ["requests"]


def split(path, *nodes):
    return line(
        path, hook(path, "responseNode"), node("Split", "splitOut", 1, 200, fieldToSplitOut="body.items", options={}), *nodes, ANSWER)


def code_at_once(_):
    """JavaScript over 100 items, all at once."""
    return [split("code", node("Code", "code", 2, 400, jsCode=ALL_AT_ONCE))], ["code"]


def code_for_each(_):
    """JavaScript for each of 100 items."""
    return [split("each", node("Code", "code", 2, 400, mode="runOnceForEachItem", jsCode=EACH))], ["each"]


def upload(_):
    """A file of 2 MB comes in and goes out again."""
    return [line("Upload", hook("upload", "responseNode"), node("Answer", "respondToWebhook", 1.1, 300, respondWith="binary", options={}))], ["upload"]


def hundred_rows(_):
    """100 rows into a data table."""
    fields = {name: f"={{{{ $json.{name} }}}}" for name in ("firstname", "age", "birthDate", "isActive")}
    insert = node(
        "Insert", "dataTable", 1, 400, operation="insert", dataTableId={"__rl": True, "mode": "name", "value": "people"},
        columns={"mappingMode": "defineBelow", "value": fields, "schema": []}, options={})
    return [split("rows", insert)], ["rows"]


def multipart():
    edge = "----benchmark"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="data"; filename="test.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    return head.encode() + b"0123456789abcdef" * (MEGABYTES * 65_536) + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


SCENARIOS = [single_webhook, ten_webhooks, six_expressions, three_requests, code_at_once, code_for_each, upload, hundred_rows]
BODIES = {code_at_once: (PEOPLE, "application/json"), code_for_each: (PEOPLE, "application/json"), hundred_rows: (PEOPLE, "application/json")}


def scenarios(options, folder):
    """n8n's published scenarios, for 1, 100 and 1,000 busy tenants; ratios are to the bare HTTP framework with the same connections."""
    seconds = 3 if options.quick else 10
    results = {}
    with Bare() as outside:
        bare = wrk(outside.base, seconds, CONNECTIONS, lua(folder, ["/"]))
        for count in (1, 10) if options.quick else (1, 100, 1_000):
            place = pathlib.Path(folder) / f"scenarios-{count}"
            allowed = outside.base.removeprefix("http://")
            server = Server(place, environment={"AIAS_LOG_LEVEL": "error", "AIAS_OUTBOUND_ALLOW": allowed})
            server.command("migrate", "--data", str(place))
            made = aias("bench", "tenants", "--data", place, "--count", count)["tenants"]
            server.start()
            try:
                for scenario in SCENARIOS:
                    documents, paths = scenario(outside.base)
                    for tenant in made:
                        if scenario is hundred_rows:
                            table(server, tenant["api_key"])
                        for document in documents:
                            server.import_workflow(tenant["api_key"], document)
                    body = multipart() if scenario is upload else BODIES.get(scenario, (json.dumps({"text": "x" * 200}), "application/json"))
                    places = [f"/hooks/{tenant['subdomain']}/{path}" for tenant in made for path in paths]
                    script = lua(folder, places, *body)
                    wrk(server.base, 1, 10, script)
                    row = wrk(server.base, seconds, CONNECTIONS if scenario is not upload else 10, script)
                    row["ratio_to_bare"] = round(row["requests_per_s"] / bare["requests_per_s"], 4)
                    results[f"{scenario.__name__}_{count}"] = row
            finally:
                server.stop()
    return results


def table(server, key):
    columns = [
        {"name": "firstname", "type": "string"}, {"name": "age", "type": "number"}, {"name": "birthDate", "type": "date"},
        {"name": "isActive", "type": "boolean"}]
    status, answer, _ = server.request("POST", "/v1/data-tables", {"name": "people", "columns": columns}, key=key)
    assert status == 201, answer


FIBONACCI = "const fibonacci = (n) => n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);\nreturn { json: { value: fibonacci(%d) } };"
NUMBERS = "return Array.from({ length: %d }, (_, n) => ({ json: { n } }));"


def tasks(options, folder):
    """40 light and 10 heavy tasks one after another, as in Windmill's comparison: one run of a loop over a Code node, beside a flow of Prefect."""
    results = {}
    server = Server(pathlib.Path(folder) / "tasks", environment={"AIAS_LOG_LEVEL": "error"}).start()
    try:
        key = server.create_tenant("acme")["api_key"]
        for name, count, number in (("light", 40, 10), ("heavy", 10, 25 if options.quick else 33)):
            document = line(
                name, hook(name, "lastNode"), node("Numbers", "code", 2, 200, jsCode=NUMBERS % count),
                node("Loop", "splitInBatches", 3, 400, batchSize=1, options={}),
                node("Task", "code", 2, 600, mode="runOnceForEachItem", jsCode=FIBONACCI % number))
            document["connections"]["Loop"] = {"main": [[], [{"node": "Task", "type": "main", "index": 0}]]}
            document["connections"]["Task"] = {"main": [[{"node": "Loop", "type": "main", "index": 0}]]}
            server.import_workflow(key, document)
            times = []
            for _ in range(3):
                begin = time.perf_counter()
                status, answer, _ = server.request("POST", f"/hooks/acme/{name}", {}, timeout=120)
                assert status == 200, answer
                times.append(time.perf_counter() - begin)
            row = {"aias_s": round(min(times), 3), "prefect": peer(OWN_PEERS / "tasks_prefect.py", "--count", count, "--number", number)}
            if isinstance(row["prefect"], dict):
                row["times_prefect"] = round(row["prefect"]["seconds"] / row["aias_s"], 1)
            results[name] = row
    finally:
        server.stop()
    return results


def tenants(options, folder):
    """What a tenant costs, from 1 to 10,000 of them: to create, on disk, in memory, at the start, and to one that is busy beside the others."""
    seconds = 3 if options.quick else 10
    results = {}
    place = pathlib.Path(folder) / "tenants"
    server = Server(place, environment={"AIAS_LOG_LEVEL": "error"})
    server.command("migrate", "--data", str(place))
    known, busy = 0, None
    for count in (1, 100, 1_000) if options.quick else (1, 100, 1_000, 10_000):
        begin = time.perf_counter()
        made = aias("bench", "tenants", "--data", place, "--count", count - known, "--first", known)["tenants"]
        created = (time.perf_counter() - begin) * 1000 / (count - known)
        known, busy = count, busy or made[0]
        begin = time.perf_counter()
        server.start(wait=False)
        try:
            wait(server.base + "/healthz", pause=0.002)
            started = (time.perf_counter() - begin) * 1000
            if count == 1:
                server.import_workflow(busy["api_key"], line("No-op", hook("noop", "lastNode"), node("Nothing", "noOp", 1, 200)))
            script = lua(folder, [f"/hooks/{busy['subdomain']}/noop"])
            idle = resident_megabytes(server.process.pid)
            wrk(server.base, 1, 50, script)
            row = wrk(server.base, seconds, 250, script)
            results[f"tenants_{count}"] = {
                "create_ms": round(created, 2), "start_ms": round(started, 1), "idle_mb": round(idle, 1), **row,
                "megabytes": sum(one.stat().st_size for one in place.rglob("aias.db*")) >> 20}
        finally:
            server.stop()
    first, last = results["tenants_1"], results[f"tenants_{known}"]
    last["ratio_to_one"] = round(last["requests_per_s"] / first["requests_per_s"], 3)
    return results
