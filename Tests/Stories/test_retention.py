"""Executions go after the days that their tenant keeps them, and no other tenant's."""

import time

import pytest

from crash.faults import FAKETIME, shifted
from documents import hook, line, node
from server import Postgres, Server

WAIT_S = 60
FIVE_DAYS_AGO = shifted("-5d")


def listed(server, key):
    return [run["id"] for run in server.request("GET", "/v1/executions", key=key)[1]["data"]]


def stop(name, x):
    return node(name, "stopAndError", 1, x, errorMessage="not today")


def live_since(database, surroundings):
    """Starts the database anew with the clock of these surroundings; beside PostgreSQL its clock is the one that counts."""
    if database:
        database.kill()
        database.environment = surroundings
        database.start()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    one = Postgres() if request.param == "postgres" else None
    yield one
    if one:
        one.stop()


def test_executions_go_after_the_days_of_their_own_tenant(database, tmp_path):
    live_since(database, FIVE_DAYS_AGO)
    server = Server(tmp_path, database.create("retention") if database else None)
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
    live_since(database, {})
    server.start()
    try:
        deadline = time.monotonic() + WAIT_S
        while listed(server, tenants["acme"]) != bad:
            assert time.monotonic() < deadline, "what succeeded five days ago goes, what failed stays"
            time.sleep(0.2)
        assert listed(server, tenants["globex"]) == others
    finally:
        server.stop()
