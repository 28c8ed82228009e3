"""Schemathesis reads /openapi.json and sends what the document allows and what it rules out: no answer is our own fault, none is undocumented,
and every body is as its schema says. The seed is fixed, so that a failure comes again."""

import json
import subprocess
import sys

import pytest

from documents import greeting
from server import Server

LIMIT_S = 600
SEED = 20260101

# All that judge a single answer but positive_data_acceptance: bodies hold documents and addresses whose rules a schema cannot say, so that
# what its shape allows may well be answered 422, which is documented.
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance",
    "negative_data_rejection", "missing_required_header", "unsupported_method", "allow_header_conformance", "ignored_auth",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One of its own: schemathesis makes tenants by the names that the document gives as examples."""
    running = Server(tmp_path_factory.mktemp("contract")).start()
    yield running
    running.stop()


def run(server, key, phases, examples, checks, *options, settings=""):
    (server.folder / "schemathesis.toml").write_text(settings)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(server.folder / "schemathesis.toml"), "run", server.base + "/openapi.json",
        "--phases", phases, "--seed", str(SEED), "--max-examples", str(examples), "--checks", ",".join(checks),
        "--header", f"Authorization: Bearer {key}", "--request-timeout", "20", "--continue-on-failure", "--no-shrink", "--warnings", "off",
        "--suppress-health-check", "all", *options,
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=server.folder)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    assert server.process.poll() is None
    return result.stdout


def test_every_answer_is_as_documented(server):
    key = server.create_tenant("contract", owner="cora@example.com")["api_key"]
    out = run(server, key, "examples,coverage,fuzzing", 8, CHECKS)
    assert "No issues found" in out


def test_answers_about_things_that_are_there_are_as_documented(server):
    """The ids that schemathesis makes up are of nothing; here each operation gets one of something."""
    key = server.create_tenant("things", owner="theo@example.com")["api_key"]
    workflow = server.import_workflow(key, greeting("contract"))["workflow"]["id"]
    assert server.request("POST", "/hooks/things/contract", {"name": "Ana"})[0] == 200
    execution = server.request("GET", "/v1/executions", key=key)[1]["data"][0]["id"]
    fields = {"type": "httpHeaderAuth", "name": "Shop", "fields": {"name": "X-Key", "value": "hidden"}}
    credential = server.request("POST", "/v1/credentials", fields, key=key)[1]["id"]
    assert server.request("PUT", "/v1/variables/CITY", {"value": "Ulm"}, key=key)[0] == 200
    hooked = {"url": "http://127.0.0.1:9/closed", "event_types": ["execution.failed"]}
    endpoint = server.request("POST", "/v1/webhook-endpoints", hooked, key=key)[1]["endpoint"]["id"]
    delivery = server.request("POST", f"/v1/webhook-endpoints/{endpoint}/tests", key=key)[1]["id"]
    columns = [{"name": "city", "type": "string"}, {"name": "size", "type": "number"}]
    table = server.request("POST", "/v1/data-tables", {"name": "Cities", "columns": columns}, key=key)[1]["id"]
    assert server.request("POST", f"/v1/data-tables/{table}/rows", {"values": {"city": "Ulm"}}, key=key)[0] == 201
    file = server.request("PUT", "/v1/files?path=/a.txt", b"a", key=key)[1]["id"]
    things = {
        "/v1/webhook-endpoints/{id}": {"id": endpoint}, "/v1/webhook-deliveries/{id}": {"id": delivery},
        "/v1/workflows/{id}": {"id": workflow}, "/v1/executions/{id}": {"id": execution}, "/v1/credentials/{id}": {"id": credential},
        "/v1/variables/{name}": {"name": "CITY"}, "/v1/data-tables/{id}": {"id": table, "row": 1},
        "/v1/files/{id}": {"id": file},
    }
    settings = ""
    for prefix, values in things.items():
        pattern = "^" + prefix.replace("{", r"\{").replace("}", r"\}") + "(/|$)"
        words = ", ".join(f'"path.{name}" = "{value}"' for name, value in values.items())
        settings += f"[[operations]]\ninclude-path-regex = '{pattern}'\nparameters = {{ {words} }}\n"
    # Deleting is for the end; a stream of events has none; trying a credential waits for hosts that are made up.
    checks = [check for check in CHECKS if check != "negative_data_rejection"]
    only = ["--include-path-regex", r"/\{(id|name)\}", "--exclude-method", "DELETE", "--exclude-path-regex", "/(events|test)$"]
    run(server, key, "coverage,fuzzing", 8, checks, *only, settings=settings)
    assert server.request("GET", f"/v1/workflows/{workflow}", key=key)[0] == 200, "the thing is still there, so the answers were about it"
    deleting = [word for method in ("GET", "POST", "PUT", "PATCH") for word in ("--exclude-method", method)]
    run(server, key, "fuzzing", 3, checks, "--include-path-regex", r"/\{(id|name)\}", *deleting, settings=settings)
    assert server.request("GET", f"/v1/workflows/{workflow}", key=key)[0] == 404


def test_what_the_pipeline_refuses_is_documented(server):
    document = server.request("GET", "/openapi.json")[1]
    key = server.create_tenant("refused", owner="rosa@example.com")["api_key"]
    slow = server.create_tenant("slow", "starter", owner="sven@example.com")["api_key"]
    scoped = server.request("POST", "/v1/api-keys", {"name": "Reader", "scopes": ["workflows.read"]}, key=key)[1]["secret"]
    body = {"document": {"name": "Once", "nodes": [], "settings": {}}}
    once = {"Idempotency-Key": "once"}
    assert server.request("POST", "/v1/workflows", body, key=key, headers=once)[0] == 201
    other = {"document": {"name": "Other", "nodes": [], "settings": {}}}
    cases = [
        (400, "post", "/v1/workflows", b"{", key, {}), (400, "get", "/v1/workflows?cursor=AAAA", None, key, {}),
        (401, "get", "/v1/workflows", None, None, {}), (403, "post", "/v1/workflows", body, scoped, {}),
        (404, "get", "/v1/workflows/0190b8a0-0000-7000-8000-000000000000", None, key, {}),
        (406, "get", "/v1/workflows", None, key, {"Accept": "image/png"}), (409, "post", "/v1/workflows", other, key, once),
        (413, "post", "/v1/api-keys", b"[" * 1_100_000, key, {}), (414, "get", "/v1/workflows?x=" + "y" * 9_000, None, key, {}),
        (415, "post", "/v1/workflows", b"a=b", key, {"Content-Type": "application/x-www-form-urlencoded"}),
        (422, "post", "/v1/workflows", {}, key, {}), (429, "get", "/v1/workflows", None, slow, {}),
    ]
    for status, method, path, content, who, headers in cases:
        for _ in range(60 if status == 429 else 1):
            answer = server.request(method.upper(), path, content, key=who, headers=headers)
            if answer[0] == status:
                break
        assert answer[0] == status, (status, path, answer)
        template = path.split("?")[0]
        if "0190b8a0" in template:
            template = "/v1/workflows/{id}"
        declared = document["paths"][template][method]["responses"]
        assert "application/problem+json" in declared[str(status)]["content"], (status, template)
        assert answer[2]["Content-Type"] == "application/problem+json" and answer[1]["status"] == status
        if status == 429:
            assert int(answer[2]["Retry-After"]) >= 1
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            declared = set(operation["responses"])
            assert {"414", "500"} <= declared and "default" not in declared, (method, path)
            if operation["security"]:
                assert {"401", "403", "429"} <= declared, (method, path)
            if "requestBody" in operation:
                assert {"400", "413", "415", "422"} <= declared, (method, path)
            if "{" in path:
                assert "404" in declared, (method, path)
            if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", [])):
                assert "409" in declared, (method, path)
    assert json.dumps(document).count('"$ref": "#/components/schemas/Problem"') > 100
