"""Figures as Prometheus reads them, and traces and figures as a collector gets them, from one request to what it sends outside."""

import base64
import concurrent.futures
import http.server
import json
import threading
import time

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from documents import greeting, hook, line, node
from server import Server, free_port

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
WAIT_S = 60


class Listener:
    """An HTTP server on loopback that keeps what it is sent."""

    def __init__(self, status=200, body=b"{}", port=None):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, content))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.port = port or free_port()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def of(self, path):
        return [json.loads(content) for where, _, content in list(self.requests) if where == path]

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


def until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {WAIT_S} s: {what}")


@pytest.fixture
def listener():
    running = Listener()
    yield running
    running.stop()


@pytest.fixture
def target():
    running = Listener()
    yield running
    running.stop()


def call_out(path, port, wait=None):
    nodes = [hook(path)]
    if wait:
        nodes.append(node("Wait", "wait", 1.1, 100, resume="timeInterval", amount=wait, unit="seconds"))
    nodes.append(node("Call", "httpRequest", 4.2, 300, method="POST", url=f"http://127.0.0.1:{port}/out", options={}))
    if wait:
        nodes[0]["parameters"]["responseMode"] = "onReceived"
    return line("Calls out", *nodes)


def spans_of(listener):
    """Every span, checked against the protocol's own message types; ids stay in hex, as OTLP's JSON has them."""
    found = []
    for body in listener.of("/v1/traces"):
        for resource in body["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                found += scope["spans"]
    return found


def as_message(body, kind):
    """Into the protocol's message, where ids are bytes: JSON for protocol buffers has those in base 64."""
    def mend(value):
        if isinstance(value, dict):
            return {
                key: base64.b64encode(bytes.fromhex(inner)).decode() if key in ("traceId", "spanId", "parentSpanId") else mend(inner)
                for key, inner in value.items()}
        return [mend(inner) for inner in value] if isinstance(value, list) else value

    return json_format.ParseDict(mend(body), kind())


def environment(listener, target):
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{listener.port}", "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "OTEL_SERVICE_NAME": "flows", "OTEL_EXPORTER_OTLP_HEADERS": "x-team=blue", "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{target.port}"}


def test_figures_are_what_prometheus_reads(server, acme):
    key = acme["api_key"]
    server.import_workflow(key, greeting("figures"))
    for _ in range(3):
        assert server.request("POST", "/hooks/acme/figures", {"name": "Ana"})[0] == 200
    assert server.request("GET", "/v1/workflows/0190b8a0-0000-7000-8000-000000000000", key=key)[0] == 404

    def scrape():
        status, text, headers = server.request("GET", "/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return text, {family.name: family for family in text_string_to_metric_families(text)}

    def value(family, sample, **labels):
        return sum(s.value for s in families[family].samples if s.name == sample and labels.items() <= s.labels.items())

    def count(families, family, **labels):
        return sum(s.value for s in families[family].samples if s.name.endswith(("_total", "_count")) and labels.items() <= s.labels.items())

    def settled():
        text, families = scrape()
        isThere = (
            count(families, "aias_runs_finished", status="succeeded") >= 3
            and count(families, "aias_http_request_duration_seconds", route="/v1/workflows/{id}", status="404") >= 1)
        return (text, families) if isThere else None

    # What is counted when an answer is out may be a moment behind it.
    text, families = until(settled, "figures of what was asked")
    assert value("aias_runs_started", "aias_runs_started_total", mode="webhook") >= 3
    assert value("aias_runs_finished", "aias_runs_finished_total", status="succeeded") >= 3
    assert value("aias_step_duration_seconds", "aias_step_duration_seconds_count", kind="set", outcome="succeeded") >= 3
    assert value("aias_http_request_duration_seconds", "aias_http_request_duration_seconds_count", route="/v1/workflows/{id}", status="404") >= 1
    assert value("aias_database_commit_duration_seconds", "aias_database_commit_duration_seconds_count") >= 3
    assert value("aias_database_group_transactions", "aias_database_group_transactions_sum") >= 3
    assert value("aias_memory_resident_bytes", "aias_memory_resident_bytes") > 10_000_000
    assert value("aias_http_connections", "aias_http_connections") >= 1
    for name in (
            "aias_runs_live", "aias_timers_due", "aias_timers_lag_seconds", "aias_outbox_pending", "aias_outbox_lag_seconds", "aias_sandbox_workers",
            "aias_webhook_deliveries_pending"):
        assert name in families, name
    tenant = acme["tenant"]["id"]
    assert tenant not in text and "acme" not in text and "figures" not in text
    for family in families.values():
        for sample in family.samples:
            assert "tenant" not in sample.labels


def test_figures_are_for_this_machine_or_those_who_show_the_token(server, tmp_path):
    status, problem, _ = server.request("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert (status, problem["code"]) == (403, "metrics_elsewhere")
    guarded = Server(tmp_path / "guarded", environment={"AIAS_METRICS_TOKEN": "scrape-me"}).start()
    try:
        assert guarded.request("GET", "/metrics")[0] == 401
        assert guarded.request("GET", "/metrics", key="scrape-you")[0] == 401
        status, text, _ = guarded.request("GET", "/metrics", key="scrape-me", headers={"X-Forwarded-For": "203.0.113.9"})
        assert status == 200 and "aias_runs_live" in text
    finally:
        guarded.stop()


def test_a_trace_leads_from_the_caller_over_run_and_step_to_what_is_sent_outside(listener, target, tmp_path):
    server = Server(tmp_path / "traced", environment=environment(listener, target)).start()
    try:
        key = server.create_tenant("acme")["api_key"]
        server.import_workflow(key, call_out("traced", target.port))
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        assert server.request("POST", "/hooks/acme/traced", {}, headers=headers)[0] == 200

        def found():
            spans = {span["name"]: span for span in spans_of(listener) if span["traceId"] == TRACE}
            names = {"POST /hooks/{path*}", "run", "step http_request", "POST"}
            return spans if names <= set(spans) else None

        try:
            spans = until(found, "the whole trace")
        except AssertionError:
            raise AssertionError(sorted({span["name"] for span in spans_of(listener)}))
        request, run, step, out = (spans[name] for name in ("POST /hooks/{path*}", "run", "step http_request", "POST"))
        assert request["parentSpanId"] == CALLER and request["kind"] == 2
        assert run["parentSpanId"] == request["spanId"] and step["parentSpanId"] == run["spanId"]
        assert out["parentSpanId"] == step["spanId"] and out["kind"] == 3
        sent = [headers for path, headers, _ in target.requests if path == "/out"][0]
        assert sent["traceparent"] == f"00-{TRACE}-{out['spanId']}-01"
        attributes = {entry["key"]: entry["value"] for entry in out["attributes"]}
        assert attributes["http.response.status_code"]["intValue"] == "200" and attributes["server.address"]["stringValue"] == "127.0.0.1"
        assert "/out" not in json.dumps(out)

        path, headers, _ = next(entry for entry in listener.requests if entry[0] == "/v1/traces")
        assert headers["content-type"] == "application/json" and headers["x-team"] == "blue" and "traceparent" not in headers
        for body in listener.of("/v1/traces"):
            assert as_message(body, ExportTraceServiceRequest).resource_spans
        def counted():
            for body in listener.of("/v1/metrics"):
                message = as_message(body, ExportMetricsServiceRequest)
                names = {metric.name: metric for metric in message.resource_metrics[0].scope_metrics[0].metrics}
                # What was sent before the run tells nothing of it.
                if {"aias_runs_started_total", "aias_step_duration_seconds"} <= set(names):
                    return message, names
            return None

        message, names = until(counted, "figures of the run")
        assert names["aias_runs_started_total"].sum.is_monotonic
        assert names["aias_step_duration_seconds"].histogram.data_points[0].count >= 1
        resource = {entry.key: entry.value.string_value for entry in message.resource_metrics[0].resource.attributes}
        assert resource["service.name"] == "flows"
    finally:
        server.stop()


def test_a_run_keeps_its_trace_over_a_restart(listener, target, tmp_path):
    server = Server(tmp_path / "restarted", environment=environment(listener, target)).start()
    try:
        key = server.create_tenant("acme")["api_key"]
        server.import_workflow(key, call_out("later", target.port, wait=2))
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        assert server.request("POST", "/hooks/acme/later", {}, headers=headers)[0] == 200
        first = until(lambda: [span for span in spans_of(listener) if span["name"] == "run"], "the first part of the run")[0]
        server.kill()
        server.start()
        resumed = until(lambda: [span for span in spans_of(listener) if span["name"] == "run resumed"], "the second part of the run")[0]
        assert resumed["traceId"] == first["traceId"] == TRACE
        assert [link["spanId"] for link in resumed["links"]] == [first["spanId"]]
        sent = until(lambda: [headers for path, headers, _ in target.requests if path == "/out"], "the call")[0]
        assert sent["traceparent"].split("-")[1] == TRACE
    finally:
        server.stop()


def test_a_collector_that_is_away_holds_nothing_up(target, tmp_path):
    gone = Listener()
    gone.stop()
    server = Server(tmp_path / "away", environment=environment(gone, target)).start()
    try:
        key = server.create_tenant("acme")["api_key"]
        server.import_workflow(key, greeting("away"))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: server.request("POST", "/hooks/acme/away", {"name": "Ana"})[0], range(60)))
        assert answers == [200] * 60
        families = {family.name: family for family in text_string_to_metric_families(server.request("GET", "/metrics")[1])}
        until(lambda: any(
            sample.value > 0 for family in text_string_to_metric_families(server.request("GET", "/metrics")[1]) if family.name == "aias_spans"
            for sample in family.samples if sample.labels.get("outcome") == "dropped"), "lost spans are counted")
        assert "aias_spans" in families
    finally:
        server.stop()
