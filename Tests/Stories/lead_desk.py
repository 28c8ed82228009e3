"""The service that the lead-routing workflow calls, and what the workflow is to do, however it was built."""

import http.server
import json
import threading

ROUTES = {
    ("Webhook", 0, "If", 0), ("If", 0, "Sales", 0), ("If", 1, "Nurture", 0), ("Sales", 0, "Answer", 0), ("Nurture", 0, "Answer", 0)}
AMOUNT = "{{ $json.body.amount }}"


class Service:
    """Answers leads with their owner and calls with their address; asks for a key where one is set."""

    def __init__(self):
        self.key = None
        self.seen = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.seen.append((self.path, body))
                may = service.key is None or self.headers.get("X-Key") == service.key
                answer = json.dumps({"lane": "sales", "joinUrl": "wss://calls.example/1"} if may else {"error": "wrong key"}).encode()
                self.send_response(200 if may else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.http.server_port}"

    def stop(self):
        self.http.shutdown()


def is_routed(server, service, path):
    """Whether the published workflow sends large leads to the service and answers the others itself."""
    service.seen.clear()
    large = server.request("POST", f"/hooks/studio/{path}", {"amount": 5000})
    small = server.request("POST", f"/hooks/studio/{path}", {"amount": 10})
    assert large[:2] == (200, {"lane": "sales", "joinUrl": "wss://calls.example/1"}), large
    assert small[:2] == (200, {"lane": "nurture"}), small
    assert [path for path, _ in service.seen] == ["/leads"]
