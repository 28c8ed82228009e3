"""Billing as a program meets it: previews to the cent, invoices, runs that are metered, and usage events through a kill."""

import http.client
import threading
import time
import xml.etree.ElementTree

from documents import greeting, hook, line, node
from server import Server

PROFILE = {"name": "Acme GmbH", "street": "Hauptstr. 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}


def test_what_is_previewed_is_what_is_charged(server, acme):
    key = server.create_tenant("buyer", plan="starter", owner="bo@example.com")["api_key"]
    start = {"plan": "starter", "period": "month"}
    status, problem, _ = server.request("POST", "/v1/subscription", start, key=key)
    assert (status, problem["code"]) == (409, "profile_required")
    assert server.request("PUT", "/v1/billing-profile", PROFILE, key=key)[0] == 200
    status, made, _ = server.request("POST", "/v1/subscription", start, key=key)
    assert status == 201 and made["invoices"][0]["total"] == 2900
    status, preview, _ = server.request(
        "POST", "/v1/subscription/previews", {"action": "change", "plan": "professional"}, key=key)
    assert status == 200, preview
    assert server.request("GET", "/v1/subscription", key=key)[1]["plan"] == "starter"
    assert len(server.request("GET", "/v1/invoices", key=key)[1]["data"]) == 1
    status, change, _ = server.request("POST", "/v1/subscription/changes", {"plan": "professional"}, key=key)
    assert status == 200
    credit, charge = change["invoices"][0]["lines"]
    assert (credit["kind"], charge["kind"]) == ("unused", "remaining")
    # The two moments are within the same few seconds of a month.
    assert abs(preview["invoices"][0]["total"] - change["invoices"][0]["total"]) <= 1
    assert change["invoices"][0]["total"] == credit["total"] + charge["total"]
    limits = {limit["name"]: limit["limit"] for limit in server.request("GET", "/v1/usage", key=key)[1]["data"]}
    assert limits["executions_per_month"] == 10_000
    invoice = change["invoices"][0]
    status, ubl, _ = server.request("GET", f"/v1/invoices/{invoice['id']}/ubl", key=key)
    root = xml.etree.ElementTree.fromstring(ubl)
    payable = root.find(".//{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}PayableAmount")
    assert payable.text == f"{invoice['total'] // 100}.{invoice['total'] % 100:02}"
    assert server.request("GET", f"/v1/invoices/{invoice['id']}", key=acme["api_key"])[0] == 404
    booked = server.request("GET", "/v1/ledger-postings", key=key)[1]["data"]
    assert sum(t["amount"] for p in booked for t in p["transfers"] if t["debit"].startswith("receivable:")) == 2900 + invoice["total"]


def test_each_execution_is_metered_once(server):
    key = server.create_tenant("metered", owner="mo@example.com")["api_key"]
    server.import_workflow(key, greeting("metered"))
    for index in range(7):
        assert server.request("POST", "/hooks/metered/metered", {"name": str(index)})[0] == 200
    span = "from=2020-01-01T00:00:00Z&to=2020-12-31T00:00:00Z"
    assert server.request("GET", f"/v1/usage-metrics/executions/quantity?{span}", key=key)[1]["quantity"] == 0
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + shift)) for shift in (-3600, 3600)]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.request("GET", f"/v1/usage-metrics/executions/quantity?from={stamp[0]}&to={stamp[1]}", key=key)[1]["quantity"]
        if found == 7:
            break
        time.sleep(0.1)
    assert found == 7


def test_an_execution_that_waits_is_metered_when_it_begins(server):
    key = server.create_tenant("waiting", owner="wanda@example.com")["api_key"]
    server.import_workflow(
        key, line("Waits", hook("waits", mode="onReceived"), node("Wait", "wait", 1.1, 200, resume="timeInterval", amount=1, unit="hours")))
    assert server.request("POST", "/hooks/waiting/waits", {})[0] == 200
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + shift)) for shift in (-3600, 3600)]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs = server.request("GET", "/v1/executions", key=key)[1]["data"]
        if [run["status"] for run in runs] == ["waiting"]:
            break
        time.sleep(0.1)
    assert [run["status"] for run in runs] == ["waiting"]
    found = server.request("GET", f"/v1/usage-metrics/executions/quantity?from={stamp[0]}&to={stamp[1]}", key=key)[1]["quantity"]
    assert found == 1


def test_usage_events_count_once_through_kills(tmp_path):
    server = Server(tmp_path / "killed").start()
    try:
        key = server.create_tenant("sender", plan="custom", owner="sue@example.com")["api_key"]
        metric = {"code": "orders", "name": "Orders", "aggregation": "sum"}
        assert server.request("POST", "/v1/usage-metrics", metric, key=key)[0] == 201
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        batches = [
            {"events": [{"key": f"{batch}:{index}", "metric": "orders", "quantity": 1 + index % 3, "at": at} for index in range(500)]}
            for batch in range(20)]
        waiting, accepted = list(batches), 0
        for _ in range(3):
            killer = threading.Timer(0.15, server.kill)
            killer.start()
            while waiting:
                try:
                    status, answer, _ = server.request("POST", "/v1/usage-events", waiting[0], key=key, timeout=60)
                except (OSError, http.client.HTTPException):
                    break
                assert status == 200, answer
                accepted += answer["accepted"]
                waiting.pop(0)
            killer.join()
            server.start()
        for batch in waiting + batches:
            status, answer, _ = server.request("POST", "/v1/usage-events", batch, key=key)
            assert status == 200, answer
            accepted += answer["accepted"]
        # What was written but never answered was not counted by us, and is there all the same.
        assert 10_000 - 3 * 500 <= accepted <= 10_000
        hour = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        path = f"/v1/usage-metrics/orders/quantity?from={start}&to={hour}"
        assert server.request("GET", path, key=key)[1]["quantity"] == sum(e["quantity"] for b in batches for e in b["events"])
        clash = {"events": [{"key": "0:0", "metric": "orders", "quantity": 99, "at": at}]}
        assert server.request("POST", "/v1/usage-events", clash, key=key)[1]["code"] == "key_reused"
    finally:
        server.stop()
