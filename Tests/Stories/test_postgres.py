"""The thin slice on a PostgreSQL server."""

import pytest

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


def test_a_login_of_its_own_serves_and_the_owner_migrates(postgres, tmp_path):
    owner = postgres.create("apart")
    web = owner.replace("postgres@", "aias_web@")
    server = Server(tmp_path, web, {"AIAS_DATABASE_OWNER_URL": owner})
    server.command("migrate", "--data", str(tmp_path))
    postgres.run_sql("apart", "CREATE ROLE aias_web LOGIN; GRANT aias_app TO aias_web")
    key = server.create_tenant()["api_key"]
    server.start()
    try:
        assert server.request("GET", "/v1/tenant", key=key)[0] == 200
        assert "AIAS_DATABASE_OWNER_URL is not used" in server.tail()
        # The owner here could read everything: what serves no longer has its login.
        backup = server.command("backup", "--data", str(tmp_path), check=False)
        assert backup.returncode == 1 and "pg_dump failed" in backup.stderr
    finally:
        server.stop()
    del server.environment["AIAS_DATABASE_OWNER_URL"]
    refused = server.command("migrate", "--data", str(tmp_path), check=False)
    assert refused.returncode != 0 and refused.stderr.strip()


def test_a_start_without_its_walls_is_refused_with_the_table_and_the_doctor_says_so(postgres, tmp_path):
    server = Server(tmp_path, postgres.create("walls"))
    behind = server.command("migrate", "--check", "--data", str(tmp_path), check=False)
    assert behind.returncode == 1 and "run `aias migrate` first" in behind.stderr
    early = server.command("doctor", "--data", str(tmp_path), check=False)
    assert early.returncode == 1 and "aias migrate" in early.stdout
    server.command("migrate", "--data", str(tmp_path))
    assert server.command("migrate", "--check", "--data", str(tmp_path)).stdout == "The schema is up to date.\n"
    assert server.command("doctor", "--data", str(tmp_path)).returncode == 0
    postgres.run_sql("walls", "ALTER TABLE runs DISABLE ROW LEVEL SECURITY")
    result = server.command("doctor", "--data", str(tmp_path), check=False)
    assert result.returncode == 1 and "the table runs" in result.stdout
    with pytest.raises(RuntimeError, match="the table runs"):
        server.start()


def test_a_worker_answers_health_checks_where_it_is_given_a_port(postgres, tmp_path):
    worker = Server(tmp_path, postgres.create("health"), {"AIAS_ROLES": "worker"})
    worker.command("migrate", "--data", str(tmp_path))
    worker.environment["AIAS_HEALTH_ADDRESS"] = "here"
    refused = worker.command("doctor", "--data", str(tmp_path), check=False)
    assert refused.returncode != 0 and "AIAS_HEALTH_ADDRESS" in refused.stderr
    worker.environment["AIAS_HEALTH_ADDRESS"] = str(worker.port)
    worker.start()
    try:
        assert worker.request("GET", "/healthz", headers={"Host": "worker.internal"})[:2] == (200, "ok\n")
        assert worker.request("GET", "/readyz")[:2] == (200, "ready\n")
        status, figures, _ = worker.request("GET", "/metrics")
        assert status == 200 and "aias_timers_lag_seconds" in figures
        assert worker.request("GET", "/v1/tenant")[0] == worker.request("GET", "/sign-in")[0] == 404
        assert worker.request("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})[0] == 403
    finally:
        worker.stop()
