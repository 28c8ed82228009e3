"""What is large passes through without lying in memory as a whole.

`AIAS_LARGE_MB` sets the size of the file (1024 for the full size), `AIAS_LARGE_ITEMS` how many items a run has (1000000 for the full number).
"""

import hashlib
import http.client
import http.server
import os
import pathlib
import threading
import time

import pytest

from documents import hook, line, node
from server import Server

FILE_MB = int(os.environ.get("AIAS_LARGE_MB", "200"))
ITEMS = int(os.environ.get("AIAS_LARGE_ITEMS", "100000"))
# What a passing file may add to the memory of the program, whatever its size.
FILE_GROWTH_MB = 96
RUN_MAXIMUM_MB = 1024
PIECE = 1 << 20
WAIT_S = 600


class Source(http.server.BaseHTTPRequestHandler):
    """Gives a file of FILE_MB whose pieces differ, or a list of ITEMS rows; takes what is sent and says what it was."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/rows":
            return self.rows()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(FILE_MB * PIECE))
        self.end_headers()
        for number in range(FILE_MB):
            self.wfile.write(piece(number))

    def rows(self):
        body = b"[" + b",".join(b'{"id":%d,"amount":%d}' % (number, number % 97) for number in range(ITEMS)) + b"]"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left:
            got = self.rfile.read(min(left, PIECE))
            digest.update(got)
            left -= len(got)
        body = b'{"sha256":"%s"}' % digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def piece(number):
    return hashlib.sha256(b"%d" % number).digest() * (PIECE // 32)


def digest():
    whole = hashlib.sha256()
    for number in range(FILE_MB):
        whole.update(piece(number))
    return whole.hexdigest()


class Memory:
    """The resident memory of a process and its peak, as the kernel counts them, in MB."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")

    def _value(self, name):
        lines = (self.folder / "status").read_text().splitlines()
        return int(next(one for one in lines if one.startswith(name + ":")).split()[1]) / 1024

    def begin(self):
        (self.folder / "clear_refs").write_text("5")
        return self._value("VmRSS")

    def peak(self):
        return self._value("VmHWM")


@pytest.fixture(scope="module")
def source():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture(scope="module")
def large(source, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("large"), environment={"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{source}"}).start()
    running.key = running.create_tenant("large")["api_key"]
    yield running
    running.stop()


def call(server, path):
    """Calls a hook and reads its answer piece by piece; returns status, SHA-256 and the number of bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)
    connection.request("POST", f"/hooks/large/{path}", b"{}", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    whole, count = hashlib.sha256(), 0
    while got := answer.read(PIECE):
        whole.update(got)
        count += len(got)
    connection.close()
    return answer.status, whole.hexdigest(), count


def fetch(source, x=200):
    return node(
        "Fetch", "httpRequest", 4.2, x, url=f"http://127.0.0.1:{source}/file",
        options={"timeout": WAIT_S * 1000, "response": {"response": {"responseFormat": "file"}}})


def test_a_large_file_is_fetched_kept_and_given_out_in_constant_memory(large, source):
    large.import_workflow(large.key, line(
        "Pass on", hook("pass", "responseNode"), fetch(source),
        node("Give", "respondToWebhook", 1.1, 400, respondWith="binary")))
    assert large.request("POST", "/hooks/large/nothing", {})[0] == 404
    memory = Memory(large.process.pid)
    before = memory.begin()
    began = time.monotonic()
    assert call(large, "pass") == (200, digest(), FILE_MB * PIECE)
    took, peak = time.monotonic() - began, memory.peak()
    print(f"{FILE_MB} MB in {took:.1f} s, from {before:.0f} to at most {peak:.0f} MB of memory")
    assert peak - before < FILE_GROWTH_MB


def test_a_large_file_is_sent_on_in_constant_memory(large, source):
    large.import_workflow(large.key, line(
        "Send on", hook("send"), fetch(source),
        node(
            "Post", "httpRequest", 4.2, 400, url=f"http://127.0.0.1:{source}/", method="POST", sendBody=True, contentType="binaryData",
            inputDataFieldName="data", options={"timeout": WAIT_S * 1000})))
    memory = Memory(large.process.pid)
    before = memory.begin()
    status, answer, _ = large.request("POST", "/hooks/large/send", {}, timeout=WAIT_S)
    assert (status, answer) == (200, {"sha256": digest()})
    assert memory.peak() - before < FILE_GROWTH_MB


def test_a_run_over_many_items_stays_under_a_gigabyte(large, source):
    large.import_workflow(large.key, line(
        "Many", hook("many"),
        node("Rows", "httpRequest", 4.2, 200, url=f"http://127.0.0.1:{source}/rows", options={"timeout": WAIT_S * 1000}),
        node("Some", "filter", 2, 400, conditions={
            "options": {"caseSensitive": True, "typeValidation": "strict"}, "combinator": "and",
            "conditions": [{
                "id": "1", "leftValue": "={{ $json.amount }}", "rightValue": 96,
                "operator": {"type": "number", "operation": "lt"}}]}),
        node("Sum", "summarize", 1, 600, fieldsToSummarize={"values": [{"aggregation": "sum", "field": "amount"}]})))
    memory = Memory(large.process.pid)
    before = memory.begin()
    began = time.monotonic()
    status, answer, _ = large.request("POST", "/hooks/large/many", {}, timeout=WAIT_S)
    took, peak = time.monotonic() - began, memory.peak()
    print(f"{ITEMS} items in {took:.1f} s, from {before:.0f} to at most {peak:.0f} MB of memory")
    wanted = sum(number % 97 for number in range(ITEMS) if number % 97 < 96)
    assert (status, answer) == (200, {"sum_amount": wanted}), large.tail()
    assert peak < RUN_MAXIMUM_MB
