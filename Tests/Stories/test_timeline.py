"""What a run shows of itself: when each attempt was queued, waited and worked, and what a retry would do again outside."""

import http.server
import json
import threading
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from documents import hook, line, node
from server import Server
from test_browser import Desk

WAIT_MS = 30_000
WAIT_S = 60


class Shop(http.server.BaseHTTPRequestHandler):
    """Takes orders, and has no parcels."""

    # What each request named, by path.
    keys = []

    def do_POST(self):
        Shop.keys.append((self.path, self.headers.get("Idempotency-Key")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = 200 if self.path == "/orders" else 503
        body = b'{"ok":true}' if status == 200 else b'{"message":"no parcels today"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def shop():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture(scope="module")
def place(shop, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("timeline"), environment={"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{shop}"}).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def desk(place, chromium):
    desk = Desk(place, chromium, "times", "tina@example.com", viewport={"width": 1440, "height": 900})
    desk.page.set_default_timeout(WAIT_MS)
    yield desk
    desk.context.close()
    assert not desk.faults


def post(name, shop, path, x):
    return node(
        name, "httpRequest", 4.2, x, url=f"http://127.0.0.1:{shop}/{path}", method="POST", sendBody=True, specifyBody="json",
        jsonBody='{"n": 1}')


def execution(server, key, workflow, status):
    """The newest run of a workflow, once it has a status."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = server.request("GET", f"/v1/executions?workflow_id={workflow}&status={status}", key=key)[1]["data"]
        if found:
            return server.request("GET", f"/v1/executions/{found[0]['id']}", key=key)[1]
        time.sleep(0.1)
    raise AssertionError(f"no run became {status}")


@pytest.fixture(scope="module")
def failed(place, desk, shop):
    ship = {**post("Ship", shop, "parcels", 400), "retryOnFail": True, "maxTries": 2, "waitBetweenTries": 1500}
    key = desk.tenant["api_key"]
    workflow = place.import_workflow(key, line("Fulfil", hook("fulfil", "onReceived"), post("Order", shop, "orders", 200), ship))["workflow"]["id"]
    assert place.request("POST", "/hooks/times/fulfil", {})[0] == 200
    return execution(place, key, workflow, "failed")


def test_the_api_tells_what_each_attempt_waited_for_and_what_a_retry_repeats(failed):
    lanes = [(one["node"], one["attempt"], one["outcome"]) for one in failed["timeline"]]
    assert lanes == [("Hook", 1, "succeeded"), ("Order", 1, "succeeded"), ("Ship", 1, "failed"), ("Ship", 2, "failed")]
    wait = failed["timeline"][3]["spans"][0]
    assert (wait["phase"], wait["cause"]) == ("waiting", "retry") and wait["to"] > wait["from"]
    assert [one["phase"] for one in failed["timeline"][1]["spans"]][-1] == "working"
    assert failed["retry_repeats"] == [{"node": "Ship", "kind": "http_request", "run_index": 0, "carries_key": True, "keeps_key": True}]


def test_a_retry_names_the_same_key_and_a_person_may_choose(failed, place, desk):
    key, page = desk.tenant["api_key"], desk.page

    def keys(path):
        return [name for where, name in Shop.keys if where == path]

    def await_requests(path, count):
        deadline = time.monotonic() + WAIT_S
        while len(keys(path)) < count:
            assert time.monotonic() < deadline, keys(path)
            time.sleep(0.1)

    first = keys("/parcels")[0]
    assert first and set(keys("/parcels")) == {first}, "attempts share a key"
    count = len(keys("/parcels"))
    assert place.request("POST", f"/v1/executions/{failed['id']}/replays", {}, key=key)[0] == 202
    await_requests("/parcels", count + 1)
    assert keys("/parcels")[count] == first, "a retry asks under the same key"
    await_requests("/parcels", count + 2)
    assert place.request("POST", f"/v1/executions/{failed['id']}/replays", {"keys": "new"}, key=key)[0] == 202
    await_requests("/parcels", count + 3)
    assert keys("/parcels")[count + 2] != first
    assert place.request("POST", f"/v1/executions/{failed['id']}/replays", {"keys": "other"}, key=key)[0] == 422
    # On the page: the order went well, and is placed once more under the key that it had.
    page.goto(f"/executions/{failed['id']}")
    step = page.locator("ol.steps > li", has_text="Order")
    step.locator("summary").click()
    step.get_by_label("Idempotency keys").select_option("kept")
    assert not Axe().run(page).response["violations"]
    placed = len(keys("/orders"))
    step.get_by_role("button", name="Run again from here").click()
    await_requests("/orders", placed + 1)
    assert keys("/orders")[placed] == keys("/orders")[0]


def test_a_run_that_waits_for_a_person_says_so(place, desk):
    key = desk.tenant["api_key"]
    workflow = place.import_workflow(key, line(
        "Ask", hook("ask", "onReceived"),
        node("Form", "wait", 1.1, 200, resume="form", formTitle="Go on?", formFields={"values": [{"fieldLabel": "Answer"}]})))["workflow"]["id"]
    assert place.request("POST", "/hooks/times/ask", {})[0] == 200
    last = execution(place, key, workflow, "waiting")["timeline"][-1]
    assert (last["node"], last["outcome"], last["spans"][-1]["cause"]) == ("Form", "waiting", "person")
    assert "to" not in last["spans"][-1] or last["spans"][-1]["to"] is None
    page = desk.page
    page.goto("/executions")
    page.get_by_role("row", name="Ask").get_by_role("link").first.click()
    expect(page.locator("figure.timeline svg[aria-label*='for a person']")).to_be_visible()


def test_the_page_draws_it_and_has_the_same_as_a_table(desk, failed):
    page = desk.page
    page.goto(f"/executions/{failed['id']}")
    figure = page.get_by_role("figure", name="Timeline")
    expect(figure.locator("ol > li")).to_have_count(4)
    expect(figure.locator("svg[aria-label*='for the next attempt']")).to_have_count(1)
    repeats = page.locator(".repeats")
    expect(repeats).to_contain_text("Ship")
    expect(repeats).not_to_contain_text("Order")
    figure.locator("summary").click()
    table = figure.get_by_role("table")
    expect(table.get_by_role("row", name="Ship attempt 2").first).to_contain_text("for the next attempt")


def test_it_is_clean_for_axe_in_both_lights_and_widths(desk, failed, tmp_path):
    page = desk.page
    for width in (390, 1440):
        for light in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=light)
            page.goto(f"/executions/{failed['id']}")
            expect(page.get_by_role("figure", name="Timeline")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"nothing is cut off at {width}"
            page.screenshot(path=str(tmp_path / f"timeline-{width}-{light}.png"), full_page=True)
            found = Axe().run(page).response["violations"]
            assert not found, json.dumps([(one["id"], [each["html"] for each in one["nodes"]][:3]) for one in found], indent=1)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
