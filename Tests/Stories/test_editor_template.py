"""A template of n8n pasted as it is: its credential is made in place, its failing node says what to do, is mended, published and called."""

import json
import pathlib

import pytest
from playwright.sync_api import expect

from editor_desk import Desk
from lead_desk import Service
from server import Server

TEMPLATES = pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpus" / "n8n" / "templates.jsonl"
# "Create and join call sessions with Plivo and UltraVox AI Voice Assistant": a webhook, a request with a credential, fields, an answer.
TEMPLATE = "3392"


@pytest.fixture(scope="module")
def service():
    service = Service()
    service.key = "right"
    yield service
    service.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, service):
    running = Server(tmp_path_factory.mktemp("template"), environment={"AIAS_OUTBOUND_ALLOW": service.address}).start()
    running.create_tenant("studio", owner="stu@example.com")
    yield running
    running.stop()


@pytest.mark.skipif(not TEMPLATES.exists(), reason="the corpus of templates is not here")
def test_a_template_of_n8n_is_pasted_mended_published_and_called(server, service, chromium):
    entries = map(json.loads, TEMPLATES.read_text().splitlines())
    template = json.dumps(next(one["workflow"] for one in entries if one["id"] == TEMPLATE))
    # Its service is played here.
    template = template.replace("https://api.ultravox.ai", f"http://{service.address}")
    desk = Desk(server, chromium, "stu@example.com", permissions=["clipboard-read", "clipboard-write"])
    page = desk.new()
    page.evaluate("text => navigator.clipboard.writeText(text)", template)
    page.locator(".canvas").focus()
    page.keyboard.press("Control+v")
    expect(desk.node("UltraVox API")).to_be_visible()
    expect(page.locator(".message")).to_contain_text("Missing credentials: 1")
    assert desk.edges() == {("Webhook", 0, "UltraVox API", 0), ("UltraVox API", 0, "Join URL", 0), ("Join URL", 0, "Respond to Webhook", 0)}

    def made(key):
        """A credential made in place and used at once."""
        page.get_by_role("button", name="New…").click()
        form = page.locator("dialog.sheet:not(.node-panel)")
        form.locator("input[type=text]").nth(1).fill("X-Key")
        form.locator("input[type=password]").first.fill(key)
        form.get_by_role("button", name="Save the credential").click()
        expect(form).to_have_count(0)
        expect(page.locator(".credentials select")).not_to_have_value("")

    page.get_by_role("button", name="Try it").click()
    expect(desk.node("UltraVox API")).to_have_attribute("data-status", "failed")
    page.locator(".message").get_by_role("button", name="Open the node").click()
    expect(page.locator(".node-panel [role=alert]").first).to_contain_text("Choose a credential above")
    expect(page.locator(".credentials")).to_contain_text("Missing here: httpHeaderAuth Credential")
    made("wrong")
    page.get_by_role("button", name="Run to here").click()
    expect(page.locator(".node-panel [role=alert]").first).to_contain_text("does not accept the credential")
    made("right")
    page.get_by_role("button", name="Run to here").click()
    expect(page.locator(".data-body").last).to_contain_text("wss://calls.example/1")
    expect(page.locator(".node-panel [role=alert]").first).to_be_hidden()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Try it").click()
    expect(desk.node("Respond to Webhook")).to_have_attribute("data-status", "succeeded")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".message")).to_contain_text("Version 1 is published")
    hook = next(one for one in desk.document()["nodes"] if one["name"] == "Webhook")
    address = f"{server.base}/hooks/studio/{hook['config']['path']}"
    answer = desk.context.request.get(address)
    assert answer.status == 200 and ">wss://calls.example/1<" in answer.text(), answer.text()
    desk.close()
