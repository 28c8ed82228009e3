"""Backups under load, and a deployment that goes on from one: everything acknowledged before it is there, and runs that wait go on."""

import json
import sqlite3
import subprocess
import threading
import time

import pytest

from documents import greeting, hook, keep, line, node
from server import AIAS, Server
from test_telemetry import until


def waiting(path, seconds):
    return line(
        "Waits", hook(path, "onReceived"), node("Wait", "wait", 1.1, 100, resume="timeInterval", amount=seconds, unit="seconds"), keep("Set", 300, a="1"))


def runs(server, key):
    found, cursor = [], ""
    while True:
        page = server.request("GET", f"/v1/executions?limit=200{cursor}", key=key)[1]
        found += page["data"]
        if not page.get("next_cursor"):
            return found
        cursor = f"&cursor={page['next_cursor']}"


def load(server, path, stop, acknowledged):
    number = 0
    while not stop.is_set():
        number += 1
        name = f"{threading.get_ident()}-{number}"
        try:
            if server.request("POST", path, {"name": name})[:2] == (200, {"greeting": f"Hello {name}"}):
                acknowledged.append(name)
        except OSError:
            return


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_backup_under_load_holds_every_run_acknowledged_before_it_and_waiting_runs_go_on(database, postgres, tmp_path):
    url = postgres.create("before") if database == "postgres" else None
    server = Server(tmp_path / "first", url)
    if url:
        server.command("migrate", "--data", str(server.folder))
    server.start()
    key = server.create_tenant("acme")["api_key"]
    server.import_workflow(key, greeting("hello"))
    server.import_workflow(key, waiting("later", 8))
    secret = {"type": "httpBasicAuth", "name": "Shop", "fields": {"user": "ana", "password": "hidden"}}
    credential = server.request("POST", "/v1/credentials", secret, key=key)[1]["id"]
    # Large enough to lie in a file of its own, and incompressible.
    large = "".join(f"{(i * 2654435761) % 4294967296:08x}" for i in range(30_000))
    assert server.request("POST", "/hooks/acme/hello", {"name": large})[0] == 200
    stop, acknowledged = threading.Event(), []
    threads = [threading.Thread(target=load, args=(server, "/hooks/acme/hello", stop, acknowledged)) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) > 40, "some load")
    assert server.request("POST", "/hooks/acme/later", {})[0] == 200
    before = len(acknowledged)
    archive = tmp_path / "backup.tar.zst"
    made = json.loads(server.command("backup", "--to", str(archive), "--with-keys", "--data", str(server.folder), "--json").stdout)
    assert made["path"] == str(archive) and archive.stat().st_size == made["bytes"] and archive.stat().st_mode & 0o077 == 0
    after = len(acknowledged)
    until(lambda: len(acknowledged) > after + 20, "the load goes on")
    stop.set()
    for thread in threads:
        thread.join()
    total = len(runs(server, key))
    server.kill()

    listing = subprocess.run(["tar", "--zstd", "-tf", str(archive)], capture_output=True, text=True, check=True).stdout.split()
    assert "manifest.json" in listing and "keys/master.key" in listing and any(name.startswith("blobs/") for name in listing)
    verified = json.loads(server.command("backup", "verify", str(archive), "--data", str(server.folder), "--json").stdout)
    assert verified["engine"] == database and verified["files"] == len(listing) - 1

    second = postgres.create("after") if url else None
    restored = Server(tmp_path / "second", second)
    out = restored.command("restore", str(archive), "--data", str(restored.folder), "--json").stdout
    assert json.loads(out)["seconds"] >= 0
    restored.start()
    try:
        kept = runs(restored, key)
        # Everything that was acknowledged before the backup began, the large one and the waiting one; nothing from long after.
        assert before + 2 <= len(kept) <= total
        assert len(kept) < total
        status, one, _ = restored.request("GET", f"/v1/executions/{kept[-1]['id']}", key=key)
        assert status == 200 and one["steps"][0]["output"][0][0]["json"]["body"]["name"] == large
        assert restored.request("POST", f"/v1/credentials/{credential}/test", {}, key=key)[0] != 500

        until(lambda: all(run["status"] == "succeeded" for run in runs(restored, key)), "the waiting run goes on")
        assert restored.request("POST", "/hooks/acme/hello", {"name": "Ana"})[:2] == (200, {"greeting": "Hello Ana"})
        doctor = json.loads(server.command("doctor", "--data", str(server.folder), "--json", check=False).stdout)
        checks = {check["name"]: check["message"] for check in doctor["checks"]}
        assert str(archive) in checks["backup"] and str(archive) in checks["restore"]
    finally:
        restored.stop()
    if database == "postgres":
        again = restored.command("restore", str(archive), "--data", str(tmp_path / "third"), check=False)
        assert again.returncode == 1 and "database is not empty" in again.stderr
        # What a later version left must not stand in the way of its coming back.
        postgres.run_sql("after", "CREATE TABLE later (id int); INSERT INTO schema_migrations VALUES ('zukunft.0001-later', 'x')")
        assert "newer version" in restored.command("doctor", "--data", str(restored.folder), check=False).stdout
        restored.command("restore", str(archive), "--data", str(restored.folder), "--force")
        with pytest.raises(RuntimeError, match="does not exist"):
            postgres.run_sql("after", "SELECT * FROM later")
        restored.start()
        try:
            assert restored.request("POST", "/hooks/acme/hello", {"name": "Ana"})[:2] == (200, {"greeting": "Hello Ana"})
        finally:
            restored.stop()
    else:
        confused = Server(tmp_path / "confused", "postgres://nobody@127.0.0.1:1/none")
        refused = confused.command("restore", str(archive), "--data", str(tmp_path / "confused"), check=False)
        assert refused.returncode == 1 and "AIAS_DATABASE_URL" in refused.stderr


def test_a_backup_holds_the_files_that_lie_in_a_folder_elsewhere(tmp_path):
    shared, target = tmp_path / "shared", tmp_path / "target"
    server = Server(tmp_path / "first", None, {"AIAS_BLOBS": str(shared)})
    foreign = shared / "0197f2a0-0000-7000-8000-000000000001" / ("ab" * 32)
    foreign.parent.mkdir(parents=True)
    foreign.write_text("another deployment's")
    server.start()
    try:
        key = server.create_tenant("acme")["api_key"]
        server.import_workflow(key, greeting("hello"))
        large = "".join(f"{(i * 2654435761) % 4294967296:08x}" for i in range(30_000))
        assert server.request("POST", "/hooks/acme/hello", {"name": large})[0] == 200
        archive = tmp_path / "backup.tar.zst"
        server.command("backup", "--to", str(archive), "--with-keys", "--data", str(server.folder))
    finally:
        server.stop()
    listing = subprocess.run(["tar", "--zstd", "-tf", str(archive)], capture_output=True, text=True, check=True).stdout.split()
    assert any(name.startswith("blobs/") for name in listing) and not any(foreign.name in name for name in listing)
    there = target / foreign.parent.name / foreign.name
    there.parent.mkdir(parents=True)
    there.write_text("another deployment's")
    restored = Server(tmp_path / "second", None, {"AIAS_BLOBS": str(target)})
    restored.command("restore", str(archive), "--data", str(restored.folder))
    restored.start()
    try:
        one = restored.request("GET", f"/v1/executions/{runs(restored, key)[0]['id']}", key=key)[1]
        assert one["steps"][0]["output"][0][0]["json"]["body"]["name"] == large
        assert there.read_text() == foreign.read_text()
    finally:
        restored.stop()


def test_a_login_that_row_level_security_holds_is_told_what_a_dump_needs(postgres, tmp_path):
    url = postgres.create("dumped")
    server = Server(tmp_path, url)
    server.command("migrate", "--data", str(tmp_path))
    postgres.run_sql("dumped", "CREATE ROLE aias_plain LOGIN; GRANT pg_read_all_data TO aias_plain")
    postgres.run_sql("dumped", "CREATE ROLE aias_backup LOGIN BYPASSRLS; GRANT pg_read_all_data TO aias_backup")
    server.environment["AIAS_BACKUP_DATABASE_URL"] = url.replace("postgres@", "aias_plain@")
    refused = server.command("backup", "--to", str(tmp_path / "one"), "--data", str(tmp_path), check=False)
    assert refused.returncode == 1 and "BYPASSRLS" in refused.stderr and not (tmp_path / "one").exists()
    server.environment["AIAS_BACKUP_DATABASE_URL"] = url.replace("postgres@", "aias_backup@")
    server.command("backup", "--to", str(tmp_path / "two"), "--data", str(tmp_path))
    assert "It can be restored" in server.command("backup", "verify", str(tmp_path / "two"), "--data", str(tmp_path)).stdout


def test_a_restore_refuses_what_it_would_destroy_and_what_is_damaged(tmp_path):
    server = Server(tmp_path / "first").start()
    key = server.create_tenant("acme")["api_key"]
    server.import_workflow(key, greeting("hello"))
    archive = tmp_path / "backup.tar.zst"
    server.command("backup", "--to", str(archive), "--data", str(server.folder))
    again = server.command("backup", "--to", str(archive), "--data", str(server.folder), check=False)
    assert again.returncode == 1 and "is there already" in again.stderr
    busy = server.command("restore", str(archive), "--data", str(server.folder), "--force", check=False)
    assert busy.returncode == 1 and "in use" in busy.stderr
    server.stop()
    refused = server.command("restore", str(archive), "--data", str(server.folder), check=False)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    data = bytearray(archive.read_bytes())
    listing = subprocess.run(["tar", "--zstd", "-tf", str(archive)], capture_output=True, text=True, check=True).stdout
    assert "master.key" not in listing

    place = tmp_path / "second"
    for name, content in {"flipped": data[:200] + bytes([data[200] ^ 1]) + data[201:], "cut": data[:len(data) // 2], "empty": b""}.items():
        broken = tmp_path / name
        broken.write_bytes(content)
        result = server.command("restore", str(broken), "--data", str(place), check=False)
        assert result.returncode == 1 and ("damaged" in result.stderr or "too early" in result.stderr), (name, result.stderr)
        assert not (place / "aias.db").exists()

    forged = tmp_path / "forged"
    forged.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", str(archive), "-C", str(forged)], check=True)
    manifest = json.loads((forged / "manifest.json").read_text())
    manifest["schema"].append("zukunft.0001-later")
    (forged / "manifest.json").write_text(json.dumps(manifest))
    subprocess.run(
        ["tar", "--zstd", "--format=ustar", "-cf", str(tmp_path / "newer"), "-C", str(forged), "database/aias.db", "manifest.json"], check=True)
    newer = server.command("backup", "verify", str(tmp_path / "newer"), "--data", str(place), check=False)
    assert newer.returncode == 1 and "other migrations" in newer.stderr
    (forged / "evil").write_text("x")
    subprocess.run(["tar", "--zstd", "--format=ustar", "-cf", str(tmp_path / "evil"), "-C", str(forged), "evil", "manifest.json"], check=True)
    assert "no backup holds" in server.command("backup", "verify", str(tmp_path / "evil"), check=False).stderr

    out = server.command("restore", str(archive), "--data", str(place)).stdout
    assert "master.key" in out
    (place / "master.key").write_bytes((server.folder / "master.key").read_bytes())
    (place / "master.key").chmod(0o600)
    restored = Server(place).start()
    assert restored.request("POST", "/hooks/acme/hello", {"name": "Ana"})[:2] == (200, {"greeting": "Hello Ana"})
    restored.stop()
    assert server.command("restore", str(archive), "--data", str(server.folder), "--force").returncode == 0


def test_a_database_of_before_is_migrated_with_what_is_in_it(tmp_path):
    server = Server(tmp_path / "before").start()
    key = server.create_tenant("acme")["api_key"]
    server.import_workflow(key, greeting("hello"))
    assert server.request("POST", "/hooks/acme/hello", {"name": "Ana"})[0] == 200
    server.stop()
    with sqlite3.connect(server.folder / "aias.db") as database:
        database.execute("DELETE FROM schema_migrations WHERE id IN ('notifications.0001-webhooks-notices', 'jobs.0003-run-traces')")
        for name in (
                "webhook_attempts", "webhook_deliveries", "webhook_messages", "webhook_endpoints", "webhook_queue", "notices", "notice_preferences",
                "notice_mails", "limit_notices", "run_traces"):
            database.execute(f"DROP TABLE {name}")
    server.start()
    try:
        assert [run["status"] for run in runs(server, key)] == ["succeeded"]
        assert server.request("POST", "/hooks/acme/hello", {"name": "Bea"})[:2] == (200, {"greeting": "Hello Bea"})
        made = server.request("POST", "/v1/webhook-endpoints", {"url": "https://hooks.example.com/in"}, key=key)
        assert made[0] == 201
    finally:
        server.stop()


def test_a_program_that_is_older_than_the_data_refuses_to_start(tmp_path):
    server = Server(tmp_path / "newer").start()
    server.stop()
    with sqlite3.connect(server.folder / "aias.db") as database:
        database.execute("INSERT INTO schema_migrations (id, checksum) VALUES ('zukunft.0001-later', 'x')")
    result = subprocess.run([AIAS, "serve", "--data", str(server.folder), "--port", "0"], env=server.environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "belongs to a newer version" in result.stderr


def test_backups_are_made_by_themselves_and_only_so_many_kept(tmp_path):
    server = Server(tmp_path / "scheduled", environment={"AIAS_BACKUP_EVERY": "10s", "AIAS_BACKUP_KEEP": "2"}).start()
    folder = server.folder / "backups"
    until(lambda: folder.exists() and list(folder.glob("aias-*.tar.zst")), "the first backup")

    def is_fresh():
        doctor = json.loads(server.command("doctor", "--data", str(server.folder), "--json", check=False).stdout)
        return next(check for check in doctor["checks"] if check["name"] == "backup")["ok"]

    # A slow machine may find the last one old by the time it looks.
    until(is_fresh, "a backup that is young enough")
    first = sorted(folder.glob("*"))[0].name
    # What a person keeps there is nobody else's to remove, and takes no place.
    own = {folder / name for name in ["aias-0-before-the-upgrade.tar.zst", "aias-z1.tar.zst", "aias-z2.tar.zst"]}
    for path in own:
        path.write_bytes(b"mine")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (folder / first).exists():
        time.sleep(0.5)
    assert not (folder / first).exists()
    until(lambda: len(set(folder.glob("*")) - own) == 2, "two backups, the older ones gone")
    assert all(path.exists() for path in own)
    assert not list(server.folder.glob(".backup-*"))
    server.stop()


def test_top_shows_runs_queues_and_tenants(server, acme):
    key = acme["api_key"]
    server.import_workflow(key, greeting("watched"))
    server.import_workflow(key, waiting("parked", 3_600))
    for _ in range(5):
        assert server.request("POST", "/hooks/acme/watched", {"name": "Ana"})[0] == 200
    assert server.request("POST", "/hooks/acme/parked", {})[0] == 200

    def look():
        status = json.loads(server.command("top", "--once", "--json", "--data", str(server.folder)).stdout)
        return status if status["runs"]["parked"] >= 1 else None

    status = until(look, "the parked run")
    tenants = {tenant["subdomain"]: tenant for tenant in status["tenants"]}
    assert tenants["acme"]["started"] >= 6 and tenants["acme"]["succeeded"] >= 5
    assert status["runs"]["started"] >= 6 and status["database"]["commits"] >= 6 and status["process"]["memory_bytes"] > 10_000_000
    assert status["queues"]["timers_lag_seconds"] < 10
    text = server.command("top", "--once", "--data", str(server.folder)).stdout
    assert "acme" in text and "timers" in text and "live" in text
    nobody = server.command("top", "--once", "--data", str(server.folder / "elsewhere"), check=False)
    assert nobody.returncode == 1 and nobody.stderr.startswith("aias: ")
