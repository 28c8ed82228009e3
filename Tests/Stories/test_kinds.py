"""Nodes that rest on system libraries, run by the program as it is shipped."""

import hashlib
import http.server
import json
import threading

import pytest

from documents import keep, line, node
from server import Server


@pytest.fixture
def tool(tmp_path):
    return Server(tmp_path / "data")


def run(tool, tmp_path, *nodes):
    document = line("Local", node("Start", "manualTrigger", 1, 0), *nodes)
    (tmp_path / "w.json").write_text(json.dumps(document))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--json").stdout)
    assert out["status"] == "succeeded"
    return {name: [item["json"] for item in outputs[0]] for name, outputs in out["nodes"].items() if outputs}


def test_a_page_becomes_fields_and_markdown(tool, tmp_path):
    page = "<html><body><h1>Prices</h1><ul><li>Tea <b>2</b></li><li>Milk <b>1</b></li></ul></body></html>"
    values = {"values": [{"key": "prices", "cssSelector": "li b", "returnArray": True}, {"key": "title", "cssSelector": "h1"}]}
    made = run(
        tool,
        tmp_path,
        keep("Page", 200, html=page),
        node("Markdown", "markdown", 1, 400, html="={{ $json.html }}", destinationKey="md"),
        node("Extract", "html", 1.2, 600, operation="extractHtmlContent", dataPropertyName="html", extractionValues=values),
    )
    assert made["Markdown"][0]["md"] == "# Prices\n\n* Tea **2**\n* Milk **1**"
    assert made["Extract"] == [{"prices": ["2", "1"], "title": "Prices"}]


def test_xml_goes_there_and_back(tool, tmp_path):
    made = run(
        tool,
        tmp_path,
        keep("Order", 200, data='<order id="7"><line>a</line><line>b</line></order>'),
        node("Read", "xml", 1, 400),
        node("Write", "xml", 1, 600, mode="jsonToxml", options={"headless": True}),
    )
    assert made["Read"] == [{"order": {"id": "7", "line": ["a", "b"]}}]
    assert made["Write"][0]["data"] == "<order>\n  <id>7</id>\n  <line>a</line>\n  <line>b</line>\n</order>"


def test_digests_are_those_of_other_programs(tool, tmp_path):
    made = run(tool, tmp_path, node("Hash", "crypto", 1, 200, value="abc", type="SHA3-256"))
    assert made["Hash"][0]["data"] == hashlib.sha3_256(b"abc").hexdigest()


def test_an_image_is_made_written_on_and_told_of(tool, tmp_path):
    sheet = {"operation": "create", "width": 300, "height": 100, "backgroundColor": "white"}
    words = {"operation": "text", "text": "={{ 'Hello ' + 'Ana' }}", "font": "DejaVu Sans Bold", "fontSize": 30}
    half = {"operation": "resize", "width": 50, "height": 50, "resizeOption": "percent"}
    code = node("Code", "qrCode", 1, 600, text="={{ $json.size.width }} pixels")
    made = run(
        tool,
        tmp_path,
        node("Draw", "editImage", 1, 200, operation="multiStep", operations={"operations": [sheet, words, half]}, options={"format": "jpeg"}),
        node("Facts", "editImage", 1, 400, operation="information"),
        {**code, "type": "aias.qr_code"},
        {**node("Read", "qrCode", 1, 800, operation="read"), "type": "aias.qr_code"},
    )
    facts = made["Facts"][0]
    assert facts["format"] == "JPEG" and facts["size"] == {"width": 150, "height": 50} and facts["Type"] in ("grayscale", "bilevel")
    assert 0 < float(facts["Channel Statistics"]["Gray"]["Standard Deviation"].split(" ")[0])
    assert made["Read"][0]["codes"] == [{"type": "QR-Code", "text": "150 pixels"}]


def test_a_query_over_two_inputs_is_answered(tool, tmp_path):
    document = line(
        "Query",
        node("Start", "manualTrigger", 1, 0),
        keep("People", 200, id=7, title="Ada"),
        node("Merge", "merge", 3.2, 400, mode="combineBySql", query="SELECT a.title, b.id / 2 AS half FROM input1 a JOIN input2 b ON a.id = b.id"),
    )
    document["connections"]["People"]["main"][0].append({"node": "Merge", "type": "main", "index": 1})
    (tmp_path / "w.json").write_text(json.dumps(document))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--json").stdout)
    assert [item["json"] for item in out["nodes"]["Merge"][0]] == [{"title": "Ada", "half": 3.5}]


def test_python_runs_in_both_dialects(tool, tmp_path):
    legacy = """
import re
from datetime import timedelta
names = [re.sub(r"\\W", "", item.json.word) for item in _input.all()]
print("seen", len(names))
return [{"json": {"names": names, "start": _('Start').first().json, "tomorrow": (_today + timedelta(days=1) > _now)}}]
"""
    native = """
_item["json"]["count"] = len(_item["json"]["names"])
return _item
"""
    made = run(
        tool,
        tmp_path,
        keep("Names", 200, word="A-n-a"),
        node("Legacy", "code", 2, 400, language="python", pythonCode=legacy),
        node("Native", "code", 2, 600, language="pythonNative", mode="runOnceForEachItem", pythonCode=native),
    )
    assert made["Legacy"] == [{"names": ["Ana"], "start": {}, "tomorrow": True}]
    assert made["Native"] == [{**made["Legacy"][0], "count": 1}]


def test_python_reaches_neither_the_machine_nor_the_network(tool, tmp_path):
    tries = """
import os, socket
tries = {
    "passwd": lambda: open("/etc/passwd"), "data": lambda: os.listdir(_json.folder), "write": lambda: open("/tmp/x", "w"),
    "network": lambda: socket.create_connection(("127.0.0.1", 80)), "program": lambda: os.fork(), "library": lambda: __import__("ctypes"),
}
met = {}
for name, attempt in tries.items():
    try:
        attempt()
        met[name] = "worked"
    except Exception as error:
        met[name] = type(error).__name__
return [{"json": met}]
"""
    made = run(tool, tmp_path, keep("Folder", 200, folder=str(tool.folder)), node("Tries", "code", 2, 400, language="python", pythonCode=tries))
    refused = "PermissionError"
    assert made["Tries"] == [
        {"passwd": refused, "data": refused, "write": refused, "network": refused, "program": refused, "library": "ModuleNotFoundError"}
    ]


def test_without_python_its_nodes_say_what_to_install_and_the_rest_runs(tool, tmp_path):
    tool.environment["AIAS_PYTHON"] = "/nowhere/libpython3.so"
    made = run(tool, tmp_path, node("Script", "code", 2, 200, jsCode="return [{json: {x: 1}}]"))
    assert made["Script"] == [{"x": 1}]
    document = line("Local", node("Start", "manualTrigger", 1, 0), node("Python", "code", 2, 200, language="python", pythonCode="return []"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    result = tool.command("run", str(tmp_path / "w.json"), "--json", check=False)
    assert "libpython3.11" in result.stdout
    checks = json.loads(tool.command("doctor", "--data", str(tool.folder), "--json", check=False).stdout)["checks"]
    assert "libpython3.11" in next(check["message"] for check in checks if check["name"] == "python")


class Desk(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"body": json.loads(body), "path": self.path, "key": self.headers.get("Idempotency-Key")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def test_a_script_sends_requests_where_they_may_go(tool, tmp_path):
    desk = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    threading.Thread(target=desk.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{desk.server_port}/things"
    source = f"""
        const sent = [];
        for (const n of [1, 2]) sent.push(await this.helpers.httpRequest({{method: 'POST', url: '{url}', qs: {{n}}, body: {{n}}, json: true}}));
        return [{{json: {{sent}}}}];
    """
    caught = f"try {{ await helpers.httpRequest({{url: '{url}'}}); }} catch (error) {{ return [{{json: {{code: error.code}}}}]; }}"
    try:
        assert run(tool, tmp_path, node("Script", "code", 2, 200, jsCode=caught))["Script"] == [{"code": "forbidden_address"}]
        tool.environment["AIAS_OUTBOUND_ALLOW"] = f"127.0.0.1:{desk.server_port}"
        first, second = run(tool, tmp_path, node("Script", "code", 2, 200, jsCode=source))["Script"][0]["sent"]
    finally:
        desk.shutdown()
    assert (first["body"], first["path"], second["body"]) == ({"n": 1}, "/things?n=1", {"n": 2})
    assert first["key"].endswith("-0") and second["key"] == first["key"][:-1] + "1"
