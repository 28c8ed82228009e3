"""The tenant's disk: workflows write and read files by paths, start when one changes, and people and programs see the same files. The machine's own file
system is never touched, and no tenant sees another's."""

import contextlib
import hashlib
import json
import pathlib
import sqlite3
import urllib.parse

import pytest
from playwright.sync_api import expect

from documents import hook, keep, line, node
from server import Server
from test_browser import KEY, Desk
from test_telemetry import until


def writer(name, path, target, **options):
    """Writes the field `text` of a request's body to a file, and answers with where."""
    return line(
        name, hook(path), node("To text", "convertToFile", 1.1, 100, operation="toText", sourceProperty="body.text", options={}),
        node("Write", "readWriteFile", 1, 200, operation="write", fileName=target, options=options))


def reader(name, path, selector):
    """Reads files, and answers with their texts."""
    gather = "return [{json: {texts: $input.all().map((one) => one.json.data)}}]"
    return line(
        name, hook(path), node("Read", "readWriteFile", 1, 100, fileSelector=selector, options={}),
        node("Text", "extractFromFile", 1, 200, operation="text", options={}), node("Gather", "code", 2, 300, jsCode=gather))


def listed(server, key, folder=""):
    status, page, _ = server.request("GET", f"/v1/files?folder={urllib.parse.quote(folder)}", key=key)
    assert status == 200, page
    return {one["path"]: one for one in page["data"]}


def put(server, key, path, data, kind="application/octet-stream"):
    return server.request("PUT", f"/v1/files?path={urllib.parse.quote(path)}", data, key=key, headers={"Content-Type": kind})[:2]


def content(server, key, file):
    status, text, headers = server.request("GET", f"/v1/files/{file['id']}/content", key=key)
    assert status == 200 and headers["Content-Disposition"].startswith("attachment") and headers["Content-Type"] == "application/octet-stream"
    return text


def runs(server, key, workflow, status="succeeded"):
    return server.request("GET", f"/v1/executions?workflow_id={workflow}&status={status}", key=key)[1]["data"]


def events(server, key, workflow):
    """What the runs of a trigger began with."""
    found = []
    for run in runs(server, key, workflow):
        shown = server.request("GET", f"/v1/executions/{run['id']}", key=key)[1]
        found.append(tuple(shown["steps"][0]["output"][0][0]["json"][name] for name in ("event", "path")))
    return found


def test_a_workflow_writes_and_another_reads_by_a_pattern(server, acme):
    key = acme["api_key"]
    made = server.import_workflow(key, writer("Writes", "file-write", "=/data/{{ $('Hook').first().json.body.name }}"))
    assert made["report"]["runs_wholly"] is True, made["report"]
    server.import_workflow(key, writer("Logs", "file-log", "./data/log.txt", append=True))
    server.import_workflow(key, reader("Reads", "file-read", "/data/**/*.{csv,txt}"))
    for name, text in [("a.csv", "one"), ("in/b.csv", "zwei ü"), ("in/skip.json", "{}")]:
        status, answer, _ = server.request("POST", "/hooks/acme/file-write", {"name": name, "text": text})
        assert (status, answer["fileName"]) == (200, f"/data/{name}"), answer
    for text in ["x", "y"]:
        assert server.request("POST", "/hooks/acme/file-log", {"text": text})[0] == 200
    assert server.request("POST", "/hooks/acme/file-read", {})[:2] == (200, {"texts": ["one", "zwei ü", "xy"]})
    found = listed(server, key, "/data")
    assert list(found) == ["/data/a.csv", "/data/in/b.csv", "/data/in/skip.json", "/data/log.txt"]
    assert content(server, key, found["/data/in/b.csv"]) == "zwei ü" and found["/data/log.txt"]["media_type"] == "text/plain"
    assert not pathlib.Path("/data/a.csv").exists(), "the machine's own disk is another"


def test_what_a_run_has_read_stays_for_it_and_goes_with_it(server, acme):
    key = acme["api_key"]
    workflow = server.import_workflow(key, reader("Holds", "file-hold", "/hold/a.txt"))["workflow"]["id"]
    file = put(server, key, "/hold/a.txt", b"read once")[1]
    assert server.request("POST", "/hooks/acme/file-hold", {})[:2] == (200, {"texts": ["read once"]})

    def is_stored():
        with contextlib.closing(sqlite3.connect(f"file:{server.folder / 'aias.db'}?mode=ro", uri=True, timeout=5)) as database:
            name = hashlib.sha256(b"read once").hexdigest()
            return database.execute("SELECT count(*) FROM payloads WHERE lower(hex(hash)) = ?", [name]).fetchone()[0] == 1

    assert server.request("DELETE", f"/v1/files/{file['id']}", key=key)[0] == 204
    assert is_stored()
    run, = runs(server, key, workflow)
    assert server.request("DELETE", f"/v1/executions/{run['id']}", key=key)[0] == 204
    assert not is_stored()


def test_a_path_out_of_the_disk_fails_with_a_clear_text(server, acme):
    key = acme["api_key"]
    for path in ["/../../etc/passwd", "../x"]:
        status, problem = put(server, key, path, b"x")
        assert status == 422 and problem["code"] == "bad_path" and "/data/in/report.csv" in json.dumps(problem), problem
    workflow = server.import_workflow(key, reader("Escapes", "file-escape", "/../../../etc/passwd"))["workflow"]["id"]
    assert server.request("POST", "/hooks/acme/file-escape", {})[0] == 500
    run = runs(server, key, workflow, "failed")[0]
    assert "leads out of the disk" in json.dumps(server.request("GET", f"/v1/executions/{run['id']}", key=key)[1])
    server.import_workflow(key, reader("Root", "file-root", "/etc/passwd"))
    assert server.request("POST", "/hooks/acme/file-root", {})[0] in (200, 500)
    assert not any(path.startswith("/etc") for path in listed(server, key))


def test_a_program_uploads_replaces_moves_and_deletes(server, acme):
    key = acme["api_key"]
    status, file = put(server, key, "/up/a.bin", bytes(range(256)) * 400, "image/png")
    assert status == 200 and (file["path"], file["byte_count"], file["media_type"]) == ("/up/a.bin", 102_400, "application/octet-stream"), file
    status, again = put(server, key, "/up/a.bin", b"short")
    assert status == 200 and again["id"] == file["id"] and content(server, key, again) == "short"
    status, moved, _ = server.request("PATCH", f"/v1/files/{file['id']}", {"path": "/up/sub/b.txt"}, key=key)
    assert status == 200 and moved["path"] == "/up/sub/b.txt" and moved["media_type"] == "text/plain"
    assert put(server, key, "/up/sub", b"x")[0] == 409 and put(server, key, "/up/sub/b.txt/c", b"x")[0] == 409
    assert put(server, key, "/other.txt", b"x")[0] == 200
    assert server.request("PATCH", f"/v1/files/{file['id']}", {"path": "/other.txt"}, key=key)[0] == 409
    reader_key = server.request("POST", "/v1/api-keys", {"name": "Reader", "scopes": ["files.read"]}, key=key)[1]["secret"]
    assert "/other.txt" in listed(server, reader_key) and put(server, reader_key, "/other.txt", b"y")[0] == 403
    status, page, _ = server.request("GET", "/v1/files?limit=1", key=key)
    seen = [one["path"] for one in page["data"]]
    while page["next_cursor"]:
        page = server.request("GET", f"/v1/files?limit=1&cursor={page['next_cursor']}", key=key)[1]
        seen += [one["path"] for one in page["data"]]
    assert seen == sorted(seen) and len(seen) == len(set(seen)) >= 2
    assert server.request("DELETE", f"/v1/files/{file['id']}", key=key)[0] == 204
    assert server.request("GET", f"/v1/files/{file['id']}", key=key)[0] == 404
    actions = json.dumps(server.request("GET", "/v1/audit-log", key=key)[1])
    assert all(f"file.{verb}" in actions for verb in ("write", "move", "delete"))


def test_a_change_starts_a_published_workflow_once(server, acme):
    key = acme["api_key"]
    trigger = node(
        "Changed", "localFileTrigger", 1, 0, triggerOn="folder", path="/watched", events=["add", "change", "unlink"], options={"ignored": "**/*.tmp"})
    made = server.import_workflow(key, line("Watches", trigger, keep("Set", 100, path="={{ $json.path }}")))
    assert made["report"]["runs_wholly"] is True, made["report"]
    workflow = made["workflow"]["id"]
    file = put(server, key, "/watched/in/a.txt", b"1")[1]
    put(server, key, "/watched/in/b.tmp", b"1")
    put(server, key, "/unwatched.txt", b"1")
    until(lambda: len(runs(server, key, workflow)) == 1, "a run for the new file")
    put(server, key, "/watched/in/a.txt", b"2")
    until(lambda: len(runs(server, key, workflow)) == 2, "a run for the changed file")
    assert server.request("DELETE", f"/v1/files/{file['id']}", key=key)[0] == 204
    until(lambda: len(runs(server, key, workflow)) == 3, "a run for the deleted file")
    server.import_workflow(key, writer("Feeds", "file-feed", "/watched/by-workflow.txt"))
    assert server.request("POST", "/hooks/acme/file-feed", {"text": "hello"})[0] == 200
    until(lambda: len(runs(server, key, workflow)) == 4, "a run for what a workflow wrote")
    assert sorted(events(server, key, workflow)) == sorted([
        ("add", "/watched/in/a.txt"), ("change", "/watched/in/a.txt"), ("unlink", "/watched/in/a.txt"), ("add", "/watched/by-workflow.txt")])


def test_another_tenant_sees_no_file(server, acme, globex):
    mine = put(server, acme["api_key"], "/private/a.txt", b"mine")[1]["id"]
    theirs = globex["api_key"]
    for method, path, body in [
        ("GET", f"/v1/files/{mine}", None), ("GET", f"/v1/files/{mine}/content", None), ("PATCH", f"/v1/files/{mine}", {"path": "/x"}),
        ("DELETE", f"/v1/files/{mine}", None),
    ]:
        assert server.request(method, path, body, key=theirs)[0] == 404, (method, path)
    assert "/private/a.txt" not in listed(server, theirs)
    server.import_workflow(theirs, reader("Peeks", "file-peek", "/private/**"))
    status, answer, _ = server.request("POST", "/hooks/globex/file-peek", {})
    assert "mine" not in json.dumps(answer)
    assert put(server, theirs, "/private/a.txt", b"theirs")[0] == 200
    assert content(server, acme["api_key"], {"id": mine}) == "mine"


def test_over_the_plans_bytes_a_file_is_refused_with_a_clear_text(server):
    made = server.command(
        "tenant", "create", "cramped", "--plan", "custom", "--limit", "storage_bytes=40000", "--owner", "cleo@example.com", "--data",
        str(server.folder), "--json").stdout
    key = json.loads(made)["api_key"]
    status, file = put(server, key, "/a", bytes(range(250)) * 120)
    assert status == 200, file
    status, problem = put(server, key, "/b", bytes(range(1, 251)) * 120)
    assert status == 403 and problem["code"] == "limit_reached" and "40000" in json.dumps(problem), problem
    assert list(listed(server, key)) == ["/a"]
    assert server.request("DELETE", f"/v1/files/{file['id']}", key=key)[0] == 204
    assert put(server, key, "/b", bytes(range(1, 251)) * 120)[0] == 200


def test_files_and_their_events_outlive_a_kill_and_move_with_a_backup(tmp_path):
    server = Server(tmp_path / "first").start()
    try:
        key = server.create_tenant("acme")["api_key"]
        trigger = node("Changed", "localFileTrigger", 1, 0, triggerOn="folder", path="/", events=["add"], options={})
        workflow = server.import_workflow(key, line("Watches", trigger, keep("Set", 100, path="={{ $json.path }}")))["workflow"]["id"]
        large = "".join(f"{(i * 2654435761) % 4294967296:08x}" for i in range(20_000))
        assert put(server, key, "/large.txt", large.encode())[0] == 200
        server.kill()
        server.start()
        until(lambda: len(runs(server, key, workflow)) == 1, "the run of the change")
        archive = tmp_path / "backup.tar.zst"
        server.command("backup", "--to", str(archive), "--with-keys", "--data", str(server.folder))
        server.stop()
        second = Server(tmp_path / "second")
        second.command("restore", str(archive), "--data", str(second.folder))
        second.start()
        try:
            assert content(second, key, listed(second, key)["/large.txt"]) == large
            assert len(runs(second, key, workflow)) == 1
        finally:
            second.stop()
    finally:
        server.kill()


def test_files_move_with_their_tenant_to_a_server_and_its_changes_go_on(postgres, tmp_path):
    source = Server(tmp_path / "source").start()
    try:
        key = source.create_tenant("acme")["api_key"]
        trigger = node("Changed", "localFileTrigger", 1, 0, triggerOn="folder", path="/in", events=["add", "unlink"], options={})
        workflow = source.import_workflow(key, line("Watches", trigger, keep("Set", 100, path="={{ $json.path }}")))["workflow"]["id"]
        large = "".join(f"{(i * 2654435761) % 4294967296:08x}" for i in range(20_000))
        put(source, key, "/in/large.txt", large.encode())
        put(source, key, "/small.txt", b"small")
        until(lambda: len(runs(source, key, workflow)) == 1, "the run of the change")
        source.stop()
        url = postgres.create("files")
        source.command("move", "--to", url, "--data", str(source.folder))
        target = Server(source.folder, url).start()
        try:
            there = listed(target, key)
            assert content(target, key, there["/in/large.txt"]) == large and content(target, key, there["/small.txt"]) == "small"
            assert target.request("DELETE", f"/v1/files/{there['/in/large.txt']['id']}", key=key)[0] == 204
            until(lambda: len(runs(target, key, workflow)) == 2, "a run of what was deleted at the target")
        finally:
            target.stop()
    finally:
        source.kill()


@pytest.fixture(scope="module")
def desk(server, chromium):
    desk = Desk(server, chromium, "filer", "fila@example.com")
    yield desk
    desk.context.close()
    assert not desk.faults


def test_a_person_uploads_downloads_moves_and_deletes(server, desk):
    page = desk.settings("Files")
    expect(page.get_by_text("No file here yet")).to_be_visible()
    page.get_by_label("Files", exact=True).set_input_files([
        {"name": "größe.csv", "mimeType": "text/csv", "buffer": b"a,b"}, {"name": "b.txt", "mimeType": "text/plain", "buffer": b"hello"}])
    page.get_by_label("Folder", exact=True).fill("/data/in")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Uploaded.")).to_be_visible()
    expect(page.get_by_role("row", name="b.txt")).to_be_visible()
    page.get_by_role("link", name="All files").click()
    page.get_by_role("link", name="data/", exact=True).click()
    page.get_by_role("link", name="in/", exact=True).click()
    page.get_by_role("link", name="größe.csv").click()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download").click()
    assert begun.value.suggested_filename == "größe.csv" and pathlib.Path(begun.value.path()).read_bytes() == b"a,b"
    page.get_by_label("Path").fill("/../x")
    page.get_by_role("button", name="Move the file").click()
    expect(page.locator("#path-fault")).to_contain_text("leads out of the disk")
    # The browser notes the status of that answer.
    assert len(desk.faults) == 1 and "422" in desk.faults.pop()
    page.get_by_label("Path").fill("/done/c.csv")
    page.get_by_role("button", name="Move the file").click()
    expect(page.get_by_role("heading", name="c.csv", level=1)).to_be_visible()
    page.get_by_role("button", name="Delete the file").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the file").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    assert list(listed(server, desk.tenant["api_key"])) == ["/data/in/b.txt"]


def test_the_pages_work_by_keyboard_on_a_phone_in_the_dark_and_without_scripts(server, chromium, desk):
    key = desk.tenant["api_key"]
    name = "a-rather-long-name-of-a-file-" * 6 + ".txt"
    file = put(server, key, f"/long/{name}", b"x")[1]
    for scheme in ["dark", "light"]:
        phone = Desk(
            server, chromium, None, "fila@example.com", viewport={"width": 390, "height": 844}, color_scheme=scheme, java_script_enabled=scheme == "dark")
        for path in ["/settings/files", "/settings/files?folder=long", f"/settings/files/{file['id']}"]:
            assert phone.page.goto(path).status == 200, path
            if scheme == "dark":
                assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390, path
            assert not KEY.search(phone.page.locator("main").inner_text()), path
        phone.page.get_by_role("button", name="Delete the file").press("Enter")
        phone.page.get_by_role("dialog").get_by_role("button", name="Cancel").press("Enter")
        expect(phone.page.get_by_role("dialog")).to_be_hidden()
        phone.context.close()
        assert not phone.faults
    assert f"/long/{name}" in listed(server, key)
