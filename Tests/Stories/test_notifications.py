"""Webhooks out as a receiver with Standard Webhooks' own library gets them, and what people are told: the bell, the list, mails."""

import asyncio
import base64
import json
import re

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import expect
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from documents import greeting, hook, line, node
from server import Server, free_port
from test_browser import Desk, chromium  # noqa: F401
from test_telemetry import Listener, until


class Mailbox:
    def __init__(self):
        self.mails = []
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self.controller.start()

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(0)
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"

    def stop(self):
        self.controller.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    receiver, mailbox = Listener(), Mailbox()
    server = Server(tmp_path_factory.mktemp("notified"), environment={
        "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{receiver.port}", "AIAS_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}).start()
    yield server, receiver, mailbox
    server.stop()
    receiver.stop()
    mailbox.stop()


def failing(path):
    return line("Orders", hook(path, "onReceived"), node("Stop", "stopAndError", 1, 200, errorMessage="No stock"))


def messages(receiver, path):
    return [(headers, content) for where, headers, content in list(receiver.requests) if where == path]


def test_a_receiver_verifies_messages_with_its_own_library_through_a_rotation(place):
    server, receiver, _ = place
    key = server.create_tenant("sender", owner="sue@example.com")["api_key"]
    body = {"url": f"http://127.0.0.1:{receiver.port}/in", "event_types": ["execution.failed", "execution.succeeded"]}
    status, made, headers = server.request("POST", "/v1/webhook-endpoints", body, key=key)
    assert status == 201 and made["secret"].startswith("whsec_") and headers["Location"] == f"/v1/webhook-endpoints/{made['endpoint']['id']}"
    endpoint = made["endpoint"]["id"]
    assert made["secret"] not in json.dumps(server.request("GET", f"/v1/webhook-endpoints/{endpoint}", key=key)[1])

    server.import_workflow(key, failing("orders"))
    server.import_workflow(key, greeting("greet"))
    assert server.request("POST", "/hooks/sender/orders", {})[0] == 200
    assert server.request("POST", "/hooks/sender/greet", {"name": "Ana"})[0] == 200
    sent = until(lambda: len(messages(receiver, "/in")) >= 2 and messages(receiver, "/in"), "both messages")
    seen = {}
    for headers, content in sent:
        verified = Webhook(made["secret"]).verify(content, headers)
        seen[verified["type"]] = verified["data"]
    assert seen["execution.failed"]["error"]["message"] == "No stock" and seen["execution.failed"]["workflow_name"] == "Orders"
    assert seen["execution.succeeded"]["status"] == "succeeded"
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(sent[0][1] + b" ", sent[0][0])

    status, fresh, _ = server.request("POST", f"/v1/webhook-endpoints/{endpoint}/secret", key=key)
    assert status == 201
    assert server.request("POST", f"/v1/webhook-endpoints/{endpoint}/tests", key=key)[0] == 202
    last = until(lambda: [m for m in messages(receiver, "/in") if b"webhook_endpoint.test" in m[1]], "the test message")[0]
    for secret in (made["secret"], fresh["secret"]):
        assert Webhook(secret).verify(last[1], last[0])["type"] == "webhook_endpoint.test"


def test_what_failed_is_seen_and_sent_again_under_the_same_id(place):
    server, receiver, _ = place
    key = server.create_tenant("replayer", owner="rob@example.com")["api_key"]
    closed = free_port()
    body = {"url": f"http://127.0.0.1:{closed}/gone", "event_types": ["workflow.created"]}
    endpoint = server.request("POST", "/v1/webhook-endpoints", body, key=key)[1]["endpoint"]["id"]
    server.request("POST", "/v1/workflows", {"document": {"name": "New", "nodes": [], "settings": {}}}, key=key)

    def tried():
        page = server.request("GET", f"/v1/webhook-endpoints/{endpoint}/deliveries", key=key)[1]["data"]
        return page and page[0]["attempts"] >= 1 and page[0]

    delivery = until(tried, "an attempt")
    assert delivery["state"] == "pending" and delivery["next_at"]
    detail = server.request("GET", f"/v1/webhook-deliveries/{delivery['id']}", key=key)[1]
    # The address is not among those that this server may reach: it says so, and nothing was sent.
    assert detail["attempts"][0]["error"] == "forbidden_address" and json.loads(detail["payload"])["data"]["name"] == "New"
    change = {"url": f"http://127.0.0.1:{receiver.port}/replayed"}
    assert server.request("PATCH", f"/v1/webhook-endpoints/{endpoint}", change, key=key)[0] == 200
    assert server.request("POST", f"/v1/webhook-deliveries/{delivery['id']}/replay", key=key)[0] == 202
    headers, _ = until(lambda: messages(receiver, "/replayed"), "the replay")[0]
    assert headers["webhook-id"] == delivery["message"]
    other = server.create_tenant("stranger", owner="stan@example.com")["api_key"]
    for method, path in [
            ("GET", f"/v1/webhook-endpoints/{endpoint}"), ("DELETE", f"/v1/webhook-endpoints/{endpoint}"),
            ("POST", f"/v1/webhook-endpoints/{endpoint}/secret"), ("GET", f"/v1/webhook-endpoints/{endpoint}/deliveries"),
            ("GET", f"/v1/webhook-deliveries/{delivery['id']}"), ("POST", f"/v1/webhook-deliveries/{delivery['id']}/replay")]:
        assert server.request(method, path, key=other)[0] == 404, (method, path)


def test_what_was_to_be_sent_survives_a_kill(tmp_path):
    port = free_port()
    server = Server(tmp_path / "killed", environment={"AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{port}"}).start()
    key = server.create_tenant("acme")["api_key"]
    body = {"url": f"http://127.0.0.1:{port}/later", "event_types": ["execution.failed"]}
    made = server.request("POST", "/v1/webhook-endpoints", body, key=key)[1]
    server.import_workflow(key, failing("orders"))
    assert server.request("POST", "/hooks/acme/orders", {})[0] == 200

    def tried():
        page = server.request("GET", f"/v1/webhook-endpoints/{made['endpoint']['id']}/deliveries", key=key)[1]["data"]
        return page and page[0]["attempts"] >= 1 and page[0]

    first = until(tried, "a first attempt, at a port where nobody listens")
    server.kill()
    receiver = Listener(port=port)
    server.start()
    try:
        headers, content = until(lambda: messages(receiver, "/later"), "the message after the restart")[0]
        assert headers["webhook-id"] == first["message"]
        assert Webhook(made["secret"]).verify(content, headers)["data"]["error"]["message"] == "No stock"
    finally:
        server.stop()
        receiver.stop()


def test_a_failure_rings_the_bell_and_is_mailed(place, chromium):  # noqa: F811
    server, _, mailbox = place
    desk = Desk(server, chromium, "rung", "ria@example.com")
    server.import_workflow(desk.tenant["api_key"], failing("ring"))
    for _ in range(3):
        server.request("POST", "/hooks/rung/ring", {})
    mails = until(lambda: [m for m in mailbox.mails if "ria@example.com" in m[0]], "the mail")
    header, body = mails[0][1].replace("\r\n", "\n").split("\n\n", 1)
    words = base64.b64decode(body).decode()
    assert "To: ria@example.com" in header and "No stock" in words and f"http://localhost:{server.port}/executions/" in words
    page = desk.page
    until(lambda: [page.goto("/notifications"), page.get_by_text("Orders failed 3 times").count()][1], "the notice of all three")
    page.goto("/workflows")
    bell = page.get_by_role("link", name=re.compile("Notifications"))
    expect(bell.locator(".count")).to_have_text("1")
    bell.click()
    expect(page.get_by_text("Orders failed 3 times")).to_be_visible()
    page.get_by_role("button", name="Open").click()
    page.wait_for_url("**/executions/*")
    expect(page.get_by_text("No stock").first).to_be_visible()
    expect(page.locator(".bell .count")).to_be_hidden()
    assert len([m for m in mailbox.mails if "ria@example.com" in m[0]]) == len(mails) == 1
    page.goto("/settings/notifications")
    expect(page.get_by_role("heading", name="Notifications", level=1)).to_be_visible()
    page.get_by_label("By mail: Failures").select_option("digest")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    expect(page.get_by_label("By mail: Failures")).to_have_value("digest")
    desk.context.close()
    assert not desk.faults


def test_an_endpoint_is_made_tried_and_looked_at_in_the_console(place, chromium):  # noqa: F811
    server, receiver, _ = place
    desk = Desk(server, chromium, "handy", "cleo@example.com", permissions=["clipboard-read", "clipboard-write"])
    page = desk.settings("Webhooks")
    page.get_by_label("Address").fill("ftp://nowhere")
    page.get_by_label("Description").fill("Tickets")
    page.eval_on_selector("#url", "field => field.removeAttribute('type')")
    page.get_by_role("button", name="Create the endpoint").click()
    expect(page.get_by_text("The address is an http or https URL.")).to_be_visible()
    page.get_by_label("Address").fill(f"http://127.0.0.1:{receiver.port}/console")
    page.get_by_label("execution.failed").check()
    page.get_by_role("button", name="Create the endpoint").click()
    secret = page.locator("#secret").inner_text()
    assert secret.startswith("whsec_")
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_url("**?done=queued")
    until(lambda: messages(receiver, "/console"), "the test message")
    headers, content = messages(receiver, "/console")[0]
    Webhook(secret).verify(content, headers)
    until(lambda: [page.reload(), page.get_by_text("Delivered").is_visible()][1], "the delivery")
    assert secret not in page.content()
    page.get_by_role("link", name="webhook_endpoint.test").click()
    expect(page.get_by_text("Attempt 1")).to_be_visible()
    expect(page.get_by_role("heading", name="Message")).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    until(lambda: len(messages(receiver, "/console")) == 2, "the replay")
    desk.settings("Webhooks")
    page.get_by_role("link", name=f"http://127.0.0.1:{receiver.port}/console").click()
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The endpoint is deleted")).to_be_visible()
    desk.context.close()
    assert not [fault for fault in desk.faults if "422" not in fault]
