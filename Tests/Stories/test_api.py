"""The API as a program meets it: plans, a workflow from import to answer, walls between tenants, limits, repeats."""

import base64
import concurrent.futures
import json
import socket
import time
import urllib.request

from documents import code, greeting, hook, keep, line, node


def test_the_price_list_is_public(server):
    status, page, _ = server.request("GET", "/v1/plans")
    assert status == 200
    plans = {plan["name"]: plan for plan in page["data"]}
    assert set(plans) == {"starter", "professional", "enterprise"}
    starter = plans["starter"]
    assert (starter["price_monthly"], starter["price_yearly"], starter["currency"]) == (2900, 29000, "USD")
    assert starter["limits"] == {
        "workflows": 5, "executions_per_month": 1000, "storage_bytes": 1 << 30, "users": 3, "requests_per_second": 10,
        "run_days": None}
    assert plans["enterprise"]["limits"]["workflows"] is None
    assert plans["enterprise"]["price_yearly"] == 299000


def test_an_imported_workflow_answers_its_webhook_and_shows_its_steps(server, acme):
    key = acme["api_key"]
    answer = server.import_workflow(key, greeting())
    assert answer["report"]["runs_wholly"] is True
    status, body, _ = server.request("POST", "/hooks/acme/hello", {"name": "Ana"})
    assert (status, body) == (200, {"greeting": "Hello Ana"})
    status, page, _ = server.request("GET", f"/v1/executions?workflow_id={answer['workflow']['id']}", key=key)
    assert status == 200 and len(page["data"]) == 1
    status, run, _ = server.request("GET", f"/v1/executions/{page['data'][0]['id']}", key=key)
    assert run["status"] == "succeeded"
    assert [step["node"] for step in run["steps"]] == ["Hook", "Greet"]
    assert run["steps"][1]["output"][0][0]["json"] == {"greeting": "Hello Ana"}
    assert run["steps"][1]["input"][0][0]["json"]["body"] == {"name": "Ana"}


def test_code_runs_in_the_sandbox_and_an_endless_loop_is_stopped(server, acme):
    key = acme["api_key"]
    server.import_workflow(key, code("sum", "return [{json: {sum: $input.first().json.body.n.reduce((a, b) => a + b, 0)}}]"))
    assert server.request("POST", "/hooks/acme/sum", {"n": [1, 2, 3]})[:2] == (200, {"sum": 6})
    server.import_workflow(key, code("loop", "while (true) {}"))
    status, problem, _ = server.request("POST", "/hooks/acme/loop", {}, timeout=60)
    assert status == 500, problem
    assert server.request("POST", "/hooks/acme/sum", {"n": [4]})[:2] == (200, {"sum": 4})


def test_another_tenant_sees_nothing(server, acme, globex):
    mine = server.import_workflow(acme["api_key"], greeting("private"))["workflow"]["id"]
    theirs = globex["api_key"]
    for method, path, body in [
        ("GET", f"/v1/workflows/{mine}", None), ("POST", f"/v1/workflows/{mine}/executions", {}),
        ("POST", f"/v1/workflows/{mine}/publication", {}), ("DELETE", f"/v1/workflows/{mine}", None),
    ]:
        status, problem, _ = server.request(method, path, body, key=theirs)
        assert status == 404, (method, path, problem)
    assert server.request("POST", "/hooks/globex/private", {})[0] == 404
    assert server.request("GET", "/t/acme/v1/workflows", key=theirs)[0] == 404
    assert mine not in json.dumps(server.request("GET", "/v1/workflows", key=theirs)[1])


def test_the_plan_limits_workflows_even_for_many_at_once(server):
    key = server.create_tenant("small", "starter", "sam@example.com")["api_key"]

    def create(number):
        document = {"name": f"Workflow {number}", "nodes": [], "settings": {}}
        status = None
        while status is None or status == 429:
            status, answer, _ = server.request("POST", "/v1/workflows", {"document": document}, key=key)
        return status, answer

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(create, range(10)))
    assert sorted(status for status, _ in answers) == [201] * 5 + [403] * 5, answers
    assert {answer["code"] for status, answer in answers if status == 403} == {"limit_reached"}


def test_a_repeated_request_with_the_same_key_is_answered_alike(server, acme):
    key, headers = acme["api_key"], {"Idempotency-Key": "make-one"}
    body = {"document": {"name": "Once", "nodes": [], "settings": {}}}
    first = server.request("POST", "/v1/workflows", body, key=key, headers=headers)
    second = server.request("POST", "/v1/workflows", body, key=key, headers=headers)
    assert first[0] == second[0] == 201
    assert first[1] == second[1]
    body["document"]["name"] = "Other"
    assert server.request("POST", "/v1/workflows", body, key=key, headers=headers)[0] == 409


def test_faults_of_a_document_come_all_at_once(server, acme):
    document = {"name": "", "nodes": [
        {"id": "a", "type": "trigger", "kind": "webhook", "name": "A", "config": {}, "connections": ["nowhere"]},
        {"id": "a", "type": "action", "kind": "no_such_kind", "name": "A", "config": {}}], "settings": {}}
    status, problem, _ = server.request("POST", "/v1/workflows", {"document": document}, key=acme["api_key"])
    assert status == 422
    assert len(problem["faults"]) >= 4, problem
    assert all(fault["field"] and fault["message"] for fault in problem["faults"])


def test_wrong_input_is_a_problem_document(server, acme):
    key = acme["api_key"]
    for status, method, path, body in [
        (400, "POST", "/v1/workflows", b"{not json"), (401, "GET", "/v1/workflows", None), (404, "GET", "/v1/nothing", None),
        (404, "GET", "/v1/workflows/not-an-id", None), (405, "DELETE", "/v1/plans", None), (413, "POST", "/v1/api-keys", b"[" * (1_100_000)),
    ]:
        answer = server.request(method, path, body, key=None if status == 401 else key)
        assert answer[0] == status, (path, answer)
        assert answer[2]["Content-Type"].startswith("application/problem+json")
        assert answer[1]["code"] and answer[1]["title"]


def test_webhook_modes_answer_as_they_say(server, acme):
    key = acme["api_key"]
    server.import_workflow(key, line("At once", hook("once", "onReceived"), keep("Set", 200, a="1")))
    status, body, _ = server.request("POST", "/hooks/acme/once", {})
    assert status == 200 and body == {"message": "Workflow was started"}
    respond = {
        "id": "r", "name": "Respond", "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1.1, "position": [400, 0],
        "parameters": {"respondWith": "json", "responseBody": '={"said": "{{ $json.a }}"}', "options": {"responseCode": 201}}}
    server.import_workflow(key, line("Responds", hook("respond", "responseNode"), keep("Set", 200, a="x"), respond))
    assert server.request("POST", "/hooks/acme/respond", {})[:2] == (201, {"said": "x"})


def test_what_a_webhook_answers_speaks_for_itself_alone(server, acme):
    """Its host is everybody's: no cookie of the host's, no framing, and no page of the host's origin."""
    said = {"Set-Cookie": "session=theirs; Path=/", "Content-Length": "3", "Content-Security-Policy": "default-src *", "X-Own": "1"}
    respond = node(
        "Respond", "respondToWebhook", 1.1, 200, respondWith="text", responseBody="<p>hello</p>",
        options={"responseHeaders": {"entries": [{"name": name, "value": value} for name, value in said.items()]}})
    server.import_workflow(acme["api_key"], line("Page", hook("page", "responseNode"), respond))
    with urllib.request.urlopen(urllib.request.Request(server.base + "/hooks/acme/page", data=b"{}", method="POST"), timeout=30) as answer:
        got = answer.headers
        assert (answer.read(), got["X-Own"], got["Set-Cookie"], got["Content-Length"]) == (b"<p>hello</p>", "1", None, "12")
    policies = got.get_all("Content-Security-Policy")
    assert "default-src *" in policies and any(policy.startswith("sandbox ") for policy in policies), policies


def test_a_guarded_webhook_is_published_with_its_credential_and_opens_to_it_alone(server, acme):
    key = acme["api_key"]
    guarded = hook("guarded")
    guarded["parameters"]["authentication"] = "basicAuth"
    guarded["credentials"] = {"httpBasicAuth": {"id": "theirs-1", "name": "Front door"}}
    document = line("Guarded", guarded, keep("Set", 200, a="x"))
    stuck = server.import_workflow(key, document)
    assert stuck["workflow"].get("published_version") is None
    assert [(fault["field"], fault["code"]) for fault in stuck["faults"]] == [("nodes[0].credentials.httpBasicAuth", "credential_unmapped")]
    assert "Front door" in stuck["faults"][0]["message"]
    assert server.request("POST", "/hooks/acme/guarded", {})[0] == 404

    status, credential, _ = server.request(
        "POST", "/v1/credentials", {"type": "httpBasicAuth", "name": "Front door", "fields": {"user": "ana", "password": "open:sesame"}}, key=key)
    assert status in (200, 201), credential
    assert server.import_workflow(key, document)["workflow"]["published_version"] == 1

    def call(pair=None):
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()} if pair else {}
        return server.request("POST", "/hooks/acme/guarded", {}, headers=headers)

    status, problem, headers = call()
    assert (status, problem["code"]) == (401, "webhook_unauthenticated")
    assert headers["WWW-Authenticate"].startswith("Basic ")
    assert call("ana:wrong")[0] == 403
    assert call("ana:open:sesame")[:2] == (200, {"a": "x"})


def test_an_expression_that_cannot_be_evaluated_is_not_published(server, acme):
    key = acme["api_key"]
    stuck = server.import_workflow(key, line("Broken", hook("broken"), keep("Set", 200, a="={{ $json.a + }}")))
    assert stuck["workflow"].get("published_version") is None
    assert [fault["code"] for fault in stuck["faults"]] == ["invalid_expression"]
    assert "Set" in stuck["faults"][0]["message"]


def test_a_body_far_above_the_limit_is_answered_at_once_and_the_connection_closed(server, acme):
    for length in (2_000_000, 10_000_000_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            head = f"POST /v1/api-keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {acme['api_key']}\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + b"[" * 1_000)
            began, answer = time.monotonic(), b""
            while chunk := connection.recv(65_536):
                answer += chunk
            assert answer.startswith(b"HTTP/1.1 413 ") and b"body_too_large" in answer
            assert time.monotonic() - began < 20, "the connection was closed without waiting for the rest"
    assert server.request("GET", "/v1/plans")[0] == 200


def test_a_large_body_of_somebody_unknown_is_not_read(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"POST /v1/workflows HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n" + b"[" * 1_000)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        assert answer.startswith(b"HTTP/1.1 401 ") and b"connection: close" in answer.lower()


def test_a_body_without_a_length_is_cut_at_the_limit(server, acme):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = f"POST /v1/api-keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {acme['api_key']}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        answer = b""
        try:
            for _ in range(100):
                connection.sendall(b"10000\r\n" + b"[" * 65_536 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while chunk := connection.recv(65_536):
                answer += chunk
        except ConnectionResetError:
            pass
        assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    assert server.request("GET", "/v1/plans")[0] == 200


def test_over_the_stored_bytes_no_run_begins_until_something_is_deleted(server):
    made = server.command(
        "tenant", "create", "tiny", "--plan", "custom", "--limit", "storage_bytes=40000", "--owner", "tim@example.com", "--data",
        str(server.folder), "--json").stdout
    key = json.loads(made)["api_key"]
    server.import_workflow(key, line("Keeps", hook("keeps"), keep("Set", 200, a="={{ $json.body.text }}")))

    def call(text):
        return server.request("POST", "/hooks/tiny/keeps", {"text": text})[0]

    def used():
        return {row["name"]: row["used"] for row in server.request("GET", "/v1/usage", key=key)[1]["data"]}["storage_bytes"]

    assert call("a" * 30_000) == 200 and 30_000 < used()
    if used() <= 40_000:
        assert call("b" * 30_000) == 200
    assert used() > 40_000, "a run that has begun is journaled whole"
    assert call("c") == 403
    runs = server.request("GET", "/v1/executions", key=key)[1]["data"]
    assert server.request("GET", f"/v1/executions/{runs[0]['id']}", key=key)[0] == 200
    for run in runs:
        assert server.request("DELETE", f"/v1/executions/{run['id']}", key=key)[0] == 204
        assert server.request("DELETE", f"/v1/executions/{run['id']}", key=key)[0] == 404
    assert used() == 0
    assert call("c") == 200
    assert "execution.delete" in json.dumps(server.request("GET", "/v1/audit-log", key=key)[1])


def test_a_run_started_by_hand_gets_its_items_and_a_version_its_note(server, acme):
    key = acme["api_key"]
    document = line("By hand", node("Start", "manualTrigger", 1, 0), keep("Set", 200, twice="={{ $json.n * 2 }}"))
    workflow = server.import_workflow(key, document, publish=False)["workflow"]["id"]
    assert server.request("POST", f"/v1/workflows/{workflow}/publication", {"note": "The first"}, key=key)[1]["note"] == "The first"
    run = server.request("POST", f"/v1/workflows/{workflow}/executions", {"items": [{"n": 3}, {"json": {"n": 4}}]}, key=key)[1]["id"]
    for _ in range(1_200):
        shown = server.request("GET", f"/v1/executions/{run}", key=key)[1]
        if shown["status"] == "succeeded":
            break
        time.sleep(0.05)
    assert [item["json"]["twice"] for item in shown["steps"][-1]["output"][0]] == ["6", "8"]
