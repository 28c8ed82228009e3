"""Executions go after the days that their tenant keeps them, and no other tenant's."""

import time

from crash.faults import FAKETIME
from documents import hook, line, node
from server import Server

WAIT_S = 60
FIVE_DAYS_AGO = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-5d", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def listed(server, key):
    return [run["id"] for run in server.request("GET", "/v1/executions", key=key)[1]["data"]]


def stop(name, x):
    return node(name, "stopAndError", 1, x, errorMessage="not today")


def test_executions_go_after_the_days_of_their_own_tenant(tmp_path):
    # With a database of its own: beside PostgreSQL its clock would be used.
    server = Server(tmp_path)
    server.command("migrate", "--data", str(tmp_path))
    tenants = {name: server.create_tenant(name, owner=f"{name}@example.com")["api_key"] for name in ("acme", "globex")}
    assert FAKETIME.exists(), "run bin/setup --test"
    server.start(extra=FIVE_DAYS_AGO)
    try:
        for name, key in tenants.items():
            server.import_workflow(key, line("Good", hook("good")))
            server.import_workflow(key, line("Bad", hook("bad"), stop("Stop", 200)))
            for path in ("good", "bad"):
                server.request("POST", f"/hooks/{name}/{path}", {})
            assert len(listed(server, key)) == 2
        kept = {"keep_succeeded_days": 3, "keep_failed_days": 30}
        assert server.request("PATCH", "/v1/tenant", kept, key=tenants["acme"])[1]["keep_failed_days"] == 30
        assert server.request("PATCH", "/v1/tenant", {"keep_failed_days": 1}, key=tenants["acme"])[0] == 422
        assert "keep_failed_days" not in server.request("GET", "/v1/tenant", key=tenants["globex"])[1]
        good = [run["id"] for run in server.request("GET", "/v1/executions?status=succeeded", key=tenants["acme"])[1]["data"]]
        bad = [run["id"] for run in server.request("GET", "/v1/executions?status=failed", key=tenants["acme"])[1]["data"]]
        others = listed(server, tenants["globex"])
        assert len(good) == len(bad) == 1 and len(others) == 2
    finally:
        server.stop()
    server.start()
    try:
        deadline = time.monotonic() + WAIT_S
        while listed(server, tenants["acme"]) != bad:
            assert time.monotonic() < deadline, "what succeeded five days ago goes, what failed stays"
            time.sleep(0.2)
        assert listed(server, tenants["globex"]) == others
    finally:
        server.stop()
