"""The thin slice on a PostgreSQL server."""

from documents import greeting
from server import Server


def test_a_workflow_runs_on_postgres(postgres, tmp_path):
    server = Server(tmp_path, postgres.create("slice"))
    server.command("migrate", "--data", str(tmp_path))
    key = server.create_tenant()["api_key"]
    server.start()
    try:
        server.import_workflow(key, greeting())
        assert server.request("POST", "/hooks/acme/hello", {"name": "Ana"})[:2] == (200, {"greeting": "Hello Ana"})
        runs = server.request("GET", "/v1/executions", key=key)[1]["data"]
        assert [run["status"] for run in runs] == ["succeeded"]
    finally:
        server.stop()
