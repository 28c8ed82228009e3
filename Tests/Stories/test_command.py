"""The command without a server, and beside one."""

import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from documents import greeting, keep, line, node
from server import AIAS, ROOT, Server

CORPUS = pathlib.Path(os.environ.get("AIAS_CORPUS") or pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpus" / "n8n")


@pytest.fixture
def tool(tmp_path):
    return Server(tmp_path / "data")


def test_a_file_runs_without_a_server(tool, tmp_path):
    document = line("Local", node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="={{ 1 + 1 }}"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--json").stdout)
    assert out["status"] == "succeeded"
    assert out["nodes"]["Set"][0][0]["json"] == {"a": "2"}


def test_items_are_read_from_a_file(tool, tmp_path):
    document = line("Local", node("Start", "manualTrigger", 1, 0), node("Code", "code", 2, 200, jsCode="return $input.all()"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    (tmp_path / "items.json").write_text(json.dumps([{"json": {"n": 1}}, {"json": {"n": 2}}]))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--input", str(tmp_path / "items.json"), "--json").stdout)
    assert [item["json"]["n"] for item in out["nodes"]["Code"][0]] == [1, 2]


def test_a_failing_run_says_where_and_exits_with_1(tool, tmp_path):
    document = line("Local", node("Start", "manualTrigger", 1, 0), node("Stop", "stopAndError", 1, 200, errorMessage="no more"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    result = tool.command("run", str(tmp_path / "w.json"), "--json", check=False)
    assert result.returncode == 1
    out = json.loads(result.stdout)
    assert out["status"] == "failed" and "no more" in json.dumps(out)


def test_wrong_files_give_one_clear_sentence(tool, tmp_path):
    (tmp_path / "bad.json").write_text("{")
    for arguments in (["run", str(tmp_path / "none.json")], ["run", str(tmp_path / "bad.json")], ["import", "n8n", "--report", str(tmp_path / "bad.json")]):
        result = tool.command(*arguments, check=False)
        assert result.returncode != 0
        assert result.stderr.strip() and "Fatal" not in result.stderr


def test_a_report_says_all_that_is_left_to_do(tool, tmp_path):
    ask = node("Ask", "httpRequest", 4.2, 200, url="https://x.example", surprise=1)
    ask["credentials"] = {"httpHeaderAuth": {"id": "7", "name": "Shop"}}
    call = node("Call", "executeWorkflow", 1.2, 400, workflowId={"__rl": True, "mode": "list", "value": "hR3kQ0aZ", "cachedResultName": "Check"})
    (tmp_path / "w.json").write_text(json.dumps(line("Local", node("Start", "manualTrigger", 1, 0), ask, call)))
    shown = tool.command("import", "n8n", "--report", str(tmp_path / "w.json")).stdout.splitlines()
    assert shown[0].endswith("w.json: runs wholly")
    assert shown[1:4] == [
        '  credential httpHeaderAuth "Shop": Ask', "  not read: surprise of Ask",
        "  Call: It calls the workflow Check (hR3kQ0aZ) of the n8n it came from; choose one here."]
    found = json.loads(tool.command("import", "n8n", "--report", "--json", str(tmp_path / "w.json")).stdout)["workflows"][0]
    assert found["file"].endswith("w.json") and found["runs_wholly"] and found["missing"] == []
    assert found["credentials"] == [{"type": "httpHeaderAuth", "name": "Shop", "nodes": ["Ask"]}]
    assert found["unread_parameters"] == [{"node": "Ask", "parameter": "surprise"}] and found["notes"][0]["code"] == "foreign_workflow"


def test_a_report_reads_the_whole_corpus(tool, tmp_path):
    if not CORPUS.is_dir():
        pytest.skip("no corpus")
    lines = (CORPUS / "hermetic.jsonl").read_text().splitlines()
    files = []
    for number, text in enumerate(lines):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(json.loads(text)["workflow"]))
    out = json.loads(tool.command("import", "n8n", "--report", "--json", *map(str, files)).stdout)
    assert len(out["workflows"]) == len(lines)
    assert sum(one["runs_wholly"] for one in out["workflows"]) >= 24


def test_a_tenant_is_made_before_and_beside_the_server(tool):
    first = tool.create_tenant("before", "starter")
    assert first["tenant"]["subdomain"] == "before" and first["api_key"].startswith("aias_")
    tool.start()
    try:
        second = tool.create_tenant("beside", "professional")
        listed = json.loads(tool.command("tenant", "list", "--data", str(tool.folder), "--json").stdout)["tenants"]
        assert [(one["subdomain"], one["plan"], one["status"], one["members"]) for one in listed] == [
            ("before", "starter", "active", 1), ("beside", "professional", "active", 1)]
        shown = tool.command("tenant", "list", "--data", str(tool.folder)).stdout.splitlines()
        assert [line.split()[:4] for line in shown] == [["before", "starter", "active", "1"], ["beside", "professional", "active", "1"]]
        link = json.loads(tool.command("sign-in-link", "ana@example.com", "--data", str(tool.folder), "--json").stdout)["link"]
        assert "/sign-in" in link
        for made in (first, second):
            assert tool.request("GET", "/v1/tenant", key=made["api_key"])[1]["subdomain"] == made["tenant"]["subdomain"]
        again = tool.command("tenant", "create", "beside", "--owner", "x@example.com", "--data", str(tool.folder), check=False)
        assert again.returncode != 0 and "taken" in again.stderr
    finally:
        tool.stop()


def test_the_command_is_answered_after_clients_had_taken_all_descriptors(tool):
    tool.within = ["sh", "-c", 'ulimit -n 300; exec "$@"', "sh"]
    tool.start()
    clients = []
    try:
        clients += [socket.create_connection(("127.0.0.1", tool.port)) for _ in range(400)]
        time.sleep(1)
        arguments = ["tenant", "create", "acme", "--plan", "starter", "--owner", "ana@example.com", "--data", str(tool.folder), "--json"]
        command = subprocess.Popen([AIAS, *arguments], env=tool.environment, stdout=subprocess.PIPE, text=True)
        # Long enough that it waits at the door.
        time.sleep(1)
        while clients:
            clients.pop().close()
        out, _ = command.communicate(timeout=120)
        assert json.loads(out)["tenant"]["subdomain"] == "acme"
    finally:
        for client in clients:
            client.close()
        tool.stop()


def test_a_second_server_on_the_folder_is_refused(tool):
    tool.start()
    other = Server(tool.folder)
    try:
        with pytest.raises(RuntimeError, match="(?i)in use|another process|locked"):
            other.start()
    finally:
        tool.stop()


def test_import_and_export_beside_the_server_round_trip(tool, tmp_path):
    tool.create_tenant("acme")
    (tmp_path / "w.json").write_text(json.dumps(greeting()))
    tool.start()
    try:
        tool.command("import", "n8n", str(tmp_path / "w.json"), "--tenant", "acme", "--data", str(tool.folder))
        out = json.loads(tool.command("export", "--tenant", "acme", "--format", "n8n", "--data", str(tool.folder), "--json").stdout)
        assert out["workflows"][0] == greeting()
    finally:
        tool.stop()


def findings(tool, *arguments):
    result = tool.command("doctor", "--data", str(tool.folder), "--json", *arguments, check=False)
    answer = json.loads(result.stdout)
    assert answer["ok"] == (result.returncode == 0) == all(check["ok"] for check in answer["checks"])
    assert all(check["ok"] != bool(check.get("advice")) for check in answer["checks"]), "what is wrong comes with advice, what is right without"
    return {check["name"]: check for check in answer["checks"]}


def test_an_import_that_could_not_be_published_says_so(tool, tmp_path):
    tool.create_tenant("unpublished")
    (tmp_path / "w.json").write_text(json.dumps({"name": "Broken", "nodes": [
        {"id": "a", "name": "Set", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [0, 0], "parameters": {}}], "connections": {}}))
    words = ["import", "n8n", str(tmp_path / "w.json"), "--tenant", "unpublished", "--publish", "--data", str(tool.folder)]
    told = tool.command(*words, check=False)
    assert told.returncode == 1 and "not published" in told.stdout and "could not be published" in told.stderr, told
    answer = json.loads(tool.command(*words, "--json", check=False).stdout)
    assert answer["published"] is False and answer["faults"], answer


def test_the_doctor_changes_nothing_and_finds_a_new_folder_well(tool):
    shutil.rmtree(tool.folder)
    found = findings(tool)
    assert all(found[name]["ok"] for name in ("sandbox", "converter", "data_folder", "disk", "master_key", "database"))
    assert not tool.folder.exists()
    assert "sandbox" in tool.command("doctor", "--data", str(tool.folder), check=False).stdout.lower()


def test_the_doctor_says_what_to_do_about_each_fault(tool):
    tool.create_tenant("acme")
    key = tool.folder / "master.key"
    key.chmod(0o644)
    assert "chmod 600" in findings(tool)["master_key"]["message"]
    key.rename(tool.folder / "elsewhere")
    assert "backup" in findings(tool)["master_key"]["advice"]
    (tool.folder / "elsewhere").rename(key)
    key.chmod(0o600)
    tool.folder.chmod(0o755)
    assert findings(tool)["data_folder"]["advice"] == f"chmod 700 {tool.folder}"
    tool.folder.chmod(0o700)
    tool.environment["AIAS_HOME"] = str(tool.folder)
    assert "AIAS_HOME" in findings(tool)["files"]["advice"]
    del tool.environment["AIAS_HOME"]
    if os.geteuid() == 0:
        os.chown(tool.folder / "aias.db", 65534, -1)
        assert findings(tool)["data_folder"]["advice"] == f"chown -R --reference={tool.folder} {tool.folder}"
        os.chown(tool.folder / "aias.db", 0, -1)
    assert findings(tool)["data_folder"]["ok"]
    assert "aias migrate" in findings(tool, "--database-url", "postgres://nobody@127.0.0.1:1/none?connect_timeout=2")["database"]["advice"]


def test_settings_that_are_empty_count_as_not_set(tool):
    names = set(re.findall(r"^\| (`AIAS_.*?) \|", (ROOT / "Docs" / "Operations" / "install.md").read_text(), re.MULTILINE))
    settings = [name for row in names for name in re.findall(r"AIAS_[A-Z_]*[A-Z]", row)] + ["AIAS_HEALTH_ADDRESS", "OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert {"AIAS_MASTER_KEY", "AIAS_SANDBOX", "AIAS_PYTHON", "AIAS_BROKER"} <= set(settings)
    tool.environment.update({name: "" for name in settings if name not in ("AIAS_HOME", "AIAS_DATA")})
    key = tool.create_tenant("acme")["api_key"]
    assert (tool.folder / "master.key").exists()
    tool.start()
    try:
        assert tool.request("GET", "/v1/tenant", key=key)[0] == 200
        found = findings(tool)
        assert found["sandbox"]["ok"] and "by this user alone" in found["master_key"]["message"]
    finally:
        tool.stop()


@pytest.mark.parametrize("name, value", [
    ("AIAS_PUBLIC_URL", "flows.example.com"), ("AIAS_PORT", "http"), ("AIAS_MASTER_KEY", "c2hvcnQ="), ("AIAS_BACKUP_KEYS", "true"),
    ("AIAS_BACKUP_EVERY", "daily"), ("AIAS_ROLES", "server"), ("AIAS_SMTP_URL", "mail.example.com"), ("AIAS_LIVE_RUNS", "many"), ("AIAS_KEEP_RUNS_DAYS", "0"), ("AIAS_TRUSTED_PROXIES", "proxy"),
    ("AIAS_HEALTH_ADDRESS", "here:there"), ("AIAS_OUTBOUND_ALLOW", "nothing")])
def test_a_setting_that_makes_no_sense_is_named_at_the_start(tool, name, value):
    tool.environment[name] = value
    refused = tool.command("serve", "--data", str(tool.folder), check=False)
    assert refused.returncode == (1 if name == "AIAS_MASTER_KEY" else 78) and name in refused.stderr, refused.stderr


def test_a_start_that_cannot_be_says_why_in_a_sentence(tool, tmp_path):
    def refused(*words, folder=tool.folder, status=1):
        result = tool.command("serve", "--data", str(folder), *words, check=False)
        assert result.returncode == status, result.stderr
        return [text for text in result.stderr.splitlines() if text.startswith("aias: ")][-1]

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}: another process does already" in refused("--port", port)
    assert "no address of this machine" in refused("--port", "0", "--host", "203.0.113.1")
    assert "too long for a socket" in refused("--port", "0", folder=tmp_path / ("long" * 30))
    (tmp_path / "file").touch()
    assert "cannot be created" in refused(folder=tmp_path / "file" / "data")
    tool.environment.update({"AIAS_TLS_CERTIFICATE": str(tmp_path / "none.pem"), "AIAS_TLS_KEY": str(tmp_path / "none.pem")})
    assert "none.pem cannot be used" in refused("--port", "0")


def test_a_level_of_the_log_that_is_none_is_told(tool):
    tool.environment["AIAS_LOG_LEVEL"] = "loud"
    tool.start()
    tool.stop()
    told = [text for text in tool.log.read_text().splitlines() if "AIAS_LOG_LEVEL" in text]
    assert len(told) == 1 and "loud" in told[0] and "trace, debug, info, notice, warning, error, critical" in told[0]


def test_the_document_needs_no_settings(tool):
    tool.environment.update({"AIAS_ROLES": "gateway", "AIAS_BROKER": "redis://127.0.0.1:1", "AIAS_DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"})
    assert json.loads(tool.command("openapi").stdout)["openapi"]


def test_the_doctor_tells_whether_the_server_answers(tool):
    tool.start()
    try:
        assert "answers" in findings(tool)["server"]["message"]
    finally:
        tool.stop()
    assert "No server" in findings(tool)["server"]["message"]


def test_the_document_is_the_one_that_is_served(tool):
    printed = json.loads(tool.command("openapi").stdout)
    tool.start()
    try:
        assert printed == tool.request("GET", "/openapi.json")[1]
    finally:
        tool.stop()


def test_an_operator_is_made_and_unmade_beside_the_server_and_it_is_on_record(tool):
    tool.create_tenant("acme")
    tool.start()
    try:
        def operator(*words):
            return json.loads(tool.command("operator", *words, "--data", str(tool.folder), "--json").stdout)

        assert operator("add", "olga@example.com") == {"changed": True}
        assert operator("add", "olga@example.com") == {"changed": False}
        assert [person["email"] for person in operator("list")["operators"]] == ["olga@example.com"]
        cookie = sign_in(tool, "olga@example.com")
        status, page, _ = tool.request("GET", "/v1/tenants", headers=cookie)
        assert status == 200 and [tenant["subdomain"] for tenant in page["data"]] == ["acme"]
        log = tool.request("GET", "/v1/platform/audit-log", headers=cookie)[1]["data"]
        assert [(entry["action"], entry["actor"]) for entry in log] == [("operator.add", "system")]
        assert operator("remove", "olga@example.com") == {"changed": True}
        assert tool.request("GET", "/v1/tenants", headers=cookie)[0] == 403
        wrong = tool.command("operator", "remove", "nobody@example.com", "--data", str(tool.folder), check=False)
        assert wrong.returncode != 0 and wrong.stderr.strip()
    finally:
        tool.stop()


def sign_in(tool, email):
    link = tool.command("sign-in-link", email, "--data", str(tool.folder)).stdout.strip()
    path = link[link.index("/sign-in"):]

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments):
            return None

    opener = urllib.request.build_opener(Stay)
    try:
        answer = opener.open(urllib.request.Request(tool.base + path))
        if not answer.headers.get("Set-Cookie"):
            form = urllib.parse.urlencode({"token": path.split("token=")[1]}).encode()
            answer = opener.open(urllib.request.Request(tool.base + "/sign-in-link", data=form, method="POST"))
    except urllib.error.HTTPError as redirect:
        answer = redirect
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}


class Echo(http.server.BaseHTTPRequestHandler):
    seen: list = []

    def do_GET(self):
        self.seen.append(self.headers.get("X-Key"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def shop(tool):
    """Somebody who is shown the credential; its address is among those that may be reached."""
    echo = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    tool.environment["AIAS_OUTBOUND_ALLOW"] = f"127.0.0.1:{echo.server_port}"
    yield f"http://127.0.0.1:{echo.server_port}/"
    echo.shutdown()


def shows(tool, key, credential, shop):
    """Whether the credential is opened and sent as it was given."""
    Echo.seen.clear()
    status, answer, _ = tool.request("POST", f"/v1/credentials/{credential}/test", {"url": shop}, key=key)
    return (status, answer.get("accepted"), answer.get("message"), Echo.seen) == (200, True, "The service accepts the credential.", ["hidden"]) or print(status, answer, Echo.seen)


@pytest.mark.parametrize("beside_the_server", [False, True])
def test_keys_are_rotated_and_credentials_work_on(tool, shop, beside_the_server):
    key = tool.create_tenant("acme")["api_key"]
    before = (tool.folder / "master.key").read_bytes()
    tool.start()
    name = {"type": "httpHeaderAuth", "name": "Shop", "fields": {"name": "X-Key", "value": "hidden"}}
    made = tool.request("POST", "/v1/credentials", name, key=key)
    assert made[0] == 201, made
    try:
        if not beside_the_server:
            tool.stop()
        data = ["--data", str(tool.folder), "--json"]
        assert json.loads(tool.command("keys", "rotate", *data).stdout) == {"data_keys": 2, "master_key": False}
        assert (tool.folder / "master.key").read_bytes() == before
        assert json.loads(tool.command("keys", "rotate", "--master", *data).stdout) == {"data_keys": 2, "master_key": True}
        after = (tool.folder / "master.key").read_bytes()
        assert after != before and len(after) == 32 and (tool.folder / "master.key").stat().st_mode & 0o077 == 0
        assert not (tool.folder / "master.key.next").exists()
        for _ in range(2):
            if tool.process.poll() is not None:
                tool.start()
            assert shows(tool, key, made[1]["id"], shop)
            assert tool.request("POST", "/v1/credentials", {**name, "name": f"Shop {os.urandom(4).hex()}"}, key=key)[0] == 201
            tool.stop()
        tool.environment["AIAS_MASTER_KEY"] = base64.b64encode(after).decode()
        refused = tool.command("keys", "rotate", "--master", *data, check=False)
        assert refused.returncode != 0 and "AIAS_MASTER_KEY" in refused.stderr
    finally:
        tool.stop()


def test_a_change_of_the_master_key_that_was_cut_off_is_ended_at_the_next_start(tool, shop):
    key = tool.create_tenant("acme")["api_key"]
    tool.start()
    name = {"type": "httpHeaderAuth", "name": "Shop", "fields": {"name": "X-Key", "value": "hidden"}}
    made = tool.request("POST", "/v1/credentials", name, key=key)[1]["id"]
    tool.stop()
    master, draft = tool.folder / "master.key", tool.folder / "master.key.next"
    old = master.read_bytes()
    tool.command("keys", "rotate", "--master", "--data", str(tool.folder))
    new = master.read_bytes()
    # As after a crash between the commit and the move: the old key lies in the file, the new one beside it.
    draft.write_bytes(new)
    master.write_bytes(old)
    draft.chmod(0o600)
    tool.start()
    try:
        assert shows(tool, key, made, shop)
        assert master.read_bytes() == new and not draft.exists()
    finally:
        tool.stop()
    # As after a crash before the commit: the draft wraps nothing.
    draft.write_bytes(os.urandom(32))
    draft.chmod(0o600)
    tool.start()
    try:
        assert shows(tool, key, made, shop)
        assert master.read_bytes() == new and not draft.exists()
    finally:
        tool.stop()


def test_tls_from_files_is_served_and_half_of_it_is_refused(tool):
    certificate, key = tool.folder / "cert.pem", tool.folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    tool.environment["AIAS_TLS_CERTIFICATE"] = str(certificate)
    result = tool.command("doctor", "--data", str(tool.folder), check=False)
    assert result.returncode != 0 and "AIAS_TLS_KEY" in result.stderr
    tool.environment["AIAS_TLS_KEY"] = str(key)
    for mode, is_good in [(0o600, True), (0o640, True), (0o644, False), (0o640, True)]:
        key.chmod(mode)
        found = findings(tool)["tls"]
        assert found["ok"] == is_good and (is_good or found["advice"] == f"chmod o-rwx {key}"), found
    tool.start(wait=False)
    try:
        trust = ssl.create_default_context(cafile=certificate)
        for _ in range(2_400):
            try:
                with urllib.request.urlopen(f"https://localhost:{tool.port}/healthz", context=trust, timeout=60) as answer:
                    assert (answer.status, answer.read()) == (200, b"ok\n")
                    break
            except (ConnectionError, urllib.error.URLError) as error:
                assert "refused" in str(error).lower(), error
                time.sleep(0.05)
        else:
            raise AssertionError(tool.tail())
        with pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(socket.create_connection(("127.0.0.1", tool.port)), server_hostname="localhost")
    finally:
        tool.stop()
