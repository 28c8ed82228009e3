"""`aias move`: a tenant with its waiting runs goes from a folder to a PostgreSQL server, whatever happens on the way."""

import base64
import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import time

from crash.mock import Mock
from documents import hook, keep, line, node
from server import AIAS, Server

# Until what waits comes due: all that is to happen before it does, on a busy machine.
WAIT_S = 30


def post(name, x, mock):
    return node(
        name, "httpRequest", 4.2, x, method="POST", url=f"http://127.0.0.1:{mock.port}/done", sendBody=True, specifyBody="json",
        jsonBody="={{ JSON.stringify({id: $('Hook').item.json.body.id}) }}", options={})


def tell(name, x, mock):
    """Says where the run can be called on."""
    return node(
        name, "httpRequest", 4.2, x, method="POST", url=f"http://127.0.0.1:{mock.port}/link", sendBody=True, specifyBody="json",
        jsonBody="={{ JSON.stringify({id: $execution.resumeUrl}) }}", options={})


def wait_time(x):
    return node("Wait", "wait", 1.1, x, amount=WAIT_S, unit="seconds")


def wait_webhook(x):
    return node("Wait", "wait", 1.1, x, resume="webhook", httpMethod="POST", options={})


def is_held(database):
    """Whether the tenant is on its way."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM tenant_moves WHERE state = 'copying'").fetchone()[0] > 0
        except sqlite3.OperationalError:
            return False


def eventually(check, seconds=40):
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result or time.monotonic() > deadline:
            return result
        time.sleep(0.2)


def runs(server, key):
    rows, cursor = [], None
    while True:
        page = server.request("GET", "/v1/executions?limit=100" + (f"&cursor={cursor}" if cursor else ""), key=key)[1]
        rows += page["data"]
        cursor = page.get("next_cursor")
        if not cursor:
            return {row["id"]: row["status"] for row in rows}


def test_waiting_runs_go_on_at_the_target_also_after_a_cut_in_the_middle(postgres, tmp_path):
    mock = Mock()
    allow = {"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{mock.port}"}
    source = Server(tmp_path / "source", environment=allow)
    tenants = {name: source.create_tenant(name, owner=f"{name}@example.com") for name in ("acme", "globex")}
    key = tenants["acme"]["api_key"]
    source.start()
    source.import_workflow(key, line("Quick", hook("quick"), keep("Keep", 200, text="={{ $json.body.text }}")))
    source.import_workflow(key, line("Later", hook("later", "onReceived"), wait_time(200), post("Post", 400, mock)))
    source.import_workflow(key, line("Asked", hook("asked", "onReceived"), tell("Tell", 200, mock), wait_webhook(400), post("Post", 600, mock)))
    every = node("Every", "scheduleTrigger", 1.2, 0, rule={"interval": [{"field": "hours"}]})
    source.import_workflow(key, line("Hourly", every, keep("Tick", 200, at="now")))
    large = "x" * 200_000
    assert source.request("POST", "/hooks/acme/quick", {"text": large})[1] == {"text": large}
    for number in range(150):
        assert source.request("POST", "/hooks/acme/quick", {"text": str(number)})[0] == 200
    for path in ("later", "asked"):
        for number in range(3):
            assert source.request("POST", f"/hooks/acme/{path}", {"id": f"{path}-{number}"})[0] == 200
    assert eventually(lambda: sum(1 for status in runs(source, key).values() if status == "waiting") == 6), runs(source, key)
    links = [hit["id"] for hit in mock.hits if hit["step"] == "link"]
    assert len(links) == 3
    mock.hits.clear()
    before = runs(source, key)
    refused = subprocess.run(
        [AIAS, "move", "--to", postgres.create("refused"), "--data", str(source.folder)], env=source.environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "stop it first" in refused.stderr, refused.stderr
    source.stop()

    url, blobs = postgres.create("moved"), tmp_path / "blobs"
    move = [AIAS, "move", "--to", url, "--to-blobs", str(blobs), "--data", str(source.folder), "--json", "--tenant", "acme"]
    for delay in (0, 0.2):
        process = subprocess.Popen(move, env=source.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        while not is_held(source.folder / "aias.db") and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay)
        assert process.poll() is None, "it is cut before it is done"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert is_held(source.folder / "aias.db")
    # The source does nothing for a tenant that is on its way.
    source.start()
    assert source.request("POST", "/hooks/acme/quick", {"text": "late"})[0] == 403
    assert source.request("GET", "/v1/executions", key=key)[0] == 403
    assert source.request("GET", "/v1/executions", key=tenants["globex"]["api_key"])[0] == 200
    time.sleep(WAIT_S)
    assert mock.hits == [], "nothing that waited comes due at the source"
    source.stop()
    done = subprocess.run(move, env=source.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    again = subprocess.run(move, env=source.environment, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr

    target = Server(tmp_path / "target", url, {
        **allow, "AIAS_BLOBS": str(blobs), "AIAS_MASTER_KEY": base64.b64encode((source.folder / "master.key").read_bytes()).decode()})
    target.start()
    source.start()
    try:
        after = runs(target, key)
        assert set(after) == set(before), "every run and no other"
        if report["tables"]:
            assert report["tables"]["runs"]["rows"] == len(before) and report["files"] >= 1 and report["waiting"] >= 7
        assert target.request("POST", "/hooks/acme/quick", {"text": large})[1] == {"text": large}
        for link in links:
            path = link[link.index("/", len("http://")):]
            assert target.request("POST", path, {})[0] == 200, path
        wanted = {f"{path}-{number}" for path in ("later", "asked") for number in range(3)}
        assert eventually(lambda: wanted <= {hit["id"] for hit in mock.hits}), mock.hits
        time.sleep(2)
        hits = [hit["id"] for hit in mock.hits]
        assert len(hits) == len(set(hits)), "nothing is sent twice"
        assert source.request("POST", "/hooks/acme/quick", {"text": "late"})[0] == 403
        # A second tenant joins the same target.
        source.stop()
        joined = subprocess.run(
            [*move[:-1], "globex"], env=source.environment, capture_output=True, text=True, timeout=120)
        assert joined.returncode == 0, joined.stderr
        assert target.request("GET", "/v1/executions", key=tenants["globex"]["api_key"])[0] == 200
    finally:
        source.stop()
        target.stop()
        mock.stop()


def move(place, environment, folder, *more):
    return subprocess.run(
        [AIAS, "move", "--to", str(place), "--data", str(folder), *more], env=environment, capture_output=True, text=True, timeout=120)


def test_a_tenant_moves_from_a_server_to_another_and_back_to_a_folder(postgres, tmp_path):
    mock = Mock()
    allow = {"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{mock.port}"}
    first_url, second_url = postgres.create("first"), postgres.create("second")
    first = Server(tmp_path / "first", first_url, {**allow, "AIAS_BLOBS": str(tmp_path / "blobs-1")})
    first.command("migrate", "--data", str(first.folder))
    key = first.create_tenant()["api_key"]
    first.start()
    servers = [first]
    try:
        first.import_workflow(key, line("Quick", hook("quick"), keep("Keep", 200, text="={{ $json.body.text }}")))
        first.import_workflow(key, line("Asked", hook("asked", "onReceived"), tell("Tell", 200, mock), wait_webhook(400), post("Post", 600, mock)))
        large = "x" * 200_000
        assert first.request("POST", "/hooks/acme/quick", {"text": large})[1] == {"text": large}
        for number in range(30):
            assert first.request("POST", "/hooks/acme/quick", {"text": str(number)})[0] == 200
        for number in range(3):
            assert first.request("POST", "/hooks/acme/asked", {"id": f"asked-{number}"})[0] == 200
        assert eventually(lambda: sum(1 for status in runs(first, key).values() if status == "waiting") == 3), runs(first, key)
        links = [hit["id"] for hit in mock.hits if hit["step"] == "link"]
        mock.hits.clear()
        before = runs(first, key)
        first.command("operator", "add", "ana@example.com", "--data", str(first.folder))
        master = base64.b64encode((first.folder / "master.key").read_bytes()).decode()
        used = move(second_url, {**first.environment, "AIAS_MASTER_KEY": master}, tmp_path / "beside")
        assert used.returncode == 1 and "stop them first" in used.stderr, used.stderr
        first.stop()
        same = move(first_url, first.environment, first.folder)
        assert same.returncode == 1 and "The target is the source" in same.stderr, same.stderr

        # Cut as soon as the tenant is held, or done by then; either way the next one ends it.
        cut = subprocess.Popen(
            [AIAS, "move", "--to", second_url, "--to-blobs", str(tmp_path / "blobs-2"), "--data", str(first.folder)], env=first.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        while cut.poll() is None and not postgres.number("first", "SELECT count(*) FROM tenant_moves"):
            time.sleep(0.01)
        if cut.poll() is None:
            os.killpg(cut.pid, signal.SIGKILL)
        cut.wait()
        done = move(second_url, first.environment, first.folder, "--to-blobs", str(tmp_path / "blobs-2"), "--json")
        assert done.returncode == 0, done.stderr
        second = Server(tmp_path / "second", second_url, {**allow, "AIAS_BLOBS": str(tmp_path / "blobs-2"), "AIAS_MASTER_KEY": master})
        servers.append(second)
        second.start()
        assert runs(second, key) == before, "every run, as it was"
        assert postgres.number("first", "SELECT count(*) FROM users WHERE is_operator") == 1
        assert postgres.number("second", "SELECT count(*) FROM users WHERE is_operator") == 0, "who ran the first does not run the second for that"
        assert second.request("POST", links[0][links[0].index("/", len("http://")):], {})[0] == 200
        assert eventually(lambda: len(mock.hits) == 1), mock.hits
        second.stop()

        # It came here by a move, and goes on by one.
        place = tmp_path / "third"
        folder = move(place, second.environment, second.folder, "--to-blobs", str(place / "blobs"), "--json")
        assert folder.returncode == 0, folder.stderr
        report = json.loads(folder.stdout.splitlines()[-1])
        assert report["tables"]["runs"]["rows"] == len(before) and report["files"] >= 1
        third = Server(place, None, allow)
        servers.append(third)
        third.start()
        assert set(runs(third, key)) == set(before)
        assert third.request("POST", "/hooks/acme/quick", {"text": large})[1] == {"text": large}
        for link in links[1:]:
            assert third.request("POST", link[link.index("/", len("http://")):], {})[0] == 200
        assert eventually(lambda: sorted(hit["id"] for hit in mock.hits) == ["asked-0", "asked-1", "asked-2"]), mock.hits
        # Where its rows still are it does not come back to.
        third.stop()
        back = move(second_url, third.environment, third.folder)
        assert back.returncode == 1 and "has the tenant acme already" in back.stderr, back.stderr
    finally:
        for server in servers:
            server.stop()
        mock.stop()


def text(x):
    """Reads the file of an item."""
    return node("Text", "extractFromFile", 1, x, operation="text", options={})


def upload(server, path, data):
    return server.request("POST", f"/hooks/acme/{path}", data, headers={"Content-Type": "application/octet-stream"})


def number(database, query):
    """The one number that a query gives in a folder's database."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        return connection.execute(query).fetchone()[0]


def test_files_go_along_with_the_runs_that_hold_them_and_are_given_back_with_the_last(postgres, tmp_path):
    small, large = b"a small file", b"x" * 100_000
    names = [hashlib.sha256(data).hexdigest() for data in (small, large)]
    source = Server(tmp_path / "source")
    key = source.create_tenant()["api_key"]
    source.start()
    servers = [source]

    def held(ask, digits):
        """How many holds of files there are, and which of the two files are stored."""
        stored = (ask(f"SELECT count(*) FROM payloads WHERE {digits} = '{name}'") for name in names)
        return (ask("SELECT count(*) FROM run_files"), *stored)

    def held_in(server):
        return held(lambda query: number(server.folder / "aias.db", query), "lower(hex(hash))")

    def held_there():
        return held(lambda query: postgres.number("held", query), "encode(hash, 'hex')")

    try:
        source.import_workflow(key, line("Quick", hook("quick"), text(200)))
        source.import_workflow(key, line("Later", hook("later", "onReceived"), wait_time(200), text(400)))
        for data in (small, small, large):
            assert upload(source, "quick", data)[1]["data"] == data.decode()
        assert upload(source, "later", small)[0] == 200
        assert eventually(lambda: sorted(runs(source, key).values()) == ["succeeded"] * 3 + ["waiting"]), runs(source, key)
        first_run, other_run, large_run, late_run = sorted(runs(source, key))
        assert held_in(source) == (4, 1, 1)
        source.stop()

        blobs = tmp_path / "blobs"
        url = postgres.create("held")
        done = move(url, source.environment, source.folder, "--to-blobs", str(blobs), "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout.splitlines()[-1])
        assert report["tables"]["run_files"]["rows"] == 4 and report["files"] >= 1
        master = base64.b64encode((source.folder / "master.key").read_bytes()).decode()
        second = Server(tmp_path / "second", url, {"AIAS_BLOBS": str(blobs), "AIAS_MASTER_KEY": master})
        servers.append(second)
        assert held_there() == (4, 1, 1)
        second.start()
        assert eventually(lambda: runs(second, key)[late_run] == "succeeded"), "it reads its file there"
        for run, left in [(first_run, (3, 1, 1)), (large_run, (2, 1, 0))]:
            assert second.request("DELETE", f"/v1/executions/{run}", key=key)[0] == 204
            assert held_there() == left
        second.stop()

        place = tmp_path / "third"
        done = move(place, second.environment, second.folder, "--to-blobs", str(place / "blobs"), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["tables"]["run_files"]["rows"] == 2
        third = Server(place)
        servers.append(third)
        third.start()
        for run, left in [(late_run, (1, 1, 0)), (other_run, (0, 0, 0))]:
            assert third.request("DELETE", f"/v1/executions/{run}", key=key)[0] == 204
            assert held_in(third) == left
    finally:
        for server in servers:
            server.stop()
