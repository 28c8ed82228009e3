"""A workflow that listens to a server's events, through a kill of the program and a stop."""

import http.server
import threading
import time

from documents import keep, line, node
from server import Server

WAIT_S = 60


class Events(http.server.ThreadingHTTPServer):
    """Sends numbered events from the one after `Last-Event-ID` on, and keeps the connection open."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Reader)
        self.last = 0
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Reader(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers.get("Last-Event-ID"))
        sent = int(self.server.asked[-1] or 0)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while True:
                for number in range(sent + 1, self.server.last + 1):
                    self.wfile.write(b'id: %d\ndata: {"number": %d}\n\n' % (number, number))
                sent = max(sent, self.server.last)
                self.wfile.write(b": here\n\n")
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def test_each_event_starts_one_run_through_a_kill(tmp_path):
    events = Events()
    port = events.server_address[1]
    server = Server(tmp_path / "data", environment={"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{port}"}).start()
    try:
        key = server.create_tenant("acme")["api_key"]
        trigger = node("Events", "sseTrigger", 1, 0, url=f"http://127.0.0.1:{port}/events")
        made = server.import_workflow(key, line("Listening", trigger, keep("Number", 200, number="={{ $json.number }}")))

        def runs(count):
            deadline = time.monotonic() + WAIT_S
            while time.monotonic() < deadline:
                page = server.request("GET", f"/v1/executions?workflow_id={made['workflow']['id']}&status=succeeded", key=key)[1]["data"]
                if len(page) >= count:
                    return len(page)
                time.sleep(0.2)
            return len(page)

        events.last = 3
        assert runs(3) == 3
        server.kill()
        events.last = 5
        server.start()
        assert runs(5) == 5
        assert events.asked == [None, "3"]
        # A connection that lasts does not keep the program from ending.
        server.stop()
        events.last = 6
        server.start()
        assert runs(6) == 6
        time.sleep(1)
        assert runs(6) == 6
    finally:
        server.stop()
        events.shutdown()
