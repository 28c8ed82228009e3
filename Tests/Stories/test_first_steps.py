"""The guided first workflow: from an empty tenant to a workflow that answers a call, each step known from what was done."""

import json
import shlex

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from editor_desk import Desk, holds, picture
from gestures import choose


def begin(server, chromium, name, **options):
    server.create_tenant(name, owner=f"{name}@example.com")
    desk = Desk(server, chromium, f"{name}@example.com", reduced_motion="reduce", **options)
    desk.page.goto("/workflows")
    return desk


def violations(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], node["target"], node["failureSummary"][:200]) for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme,width", [("light", 1440), ("dark", 390)])
def test_somebody_new_builds_tries_publishes_and_calls_a_workflow(server, chromium, scheme, width):
    desk = begin(server, chromium, f"first-{scheme}", color_scheme=scheme, viewport={"width": width, "height": 900})
    page = desk.page
    expect(page.get_by_role("heading", name="Your first workflow, in five minutes")).to_be_visible()
    picture(page, f"guide-gallery-{scheme}-{width}", full_page=True)
    page.get_by_role("button", name="Begin").click()
    desk.ready()
    guide = page.get_by_role("complementary", name="Your first workflow")
    expect(guide).to_contain_text("0 of 5")
    expect(guide.get_by_role("listitem").filter(has=page.locator("[aria-current=step]"))).to_have_count(0)
    picture(page, f"guide-start-{scheme}-{width}")
    assert not violations(page)
    guide.get_by_role("button", name="Choose what starts it").click()
    choose(page, "Webhook")
    # What one sets in the node's own panel, as the step says.
    guide.get_by_role("button", name="Open Webhook").click()
    page.get_by_label("Method", exact=True).select_option(label="POST")
    page.get_by_role("textbox", name="Path", exact=True).fill("my-first")
    page.get_by_label("Respond", exact=True).select_option(label="When the last node ends")
    page.keyboard.press("Escape")
    expect(guide).to_contain_text("1 of 5")
    guide.get_by_role("button", name="Add a node after Webhook").click()
    choose(page, "Edit fields")
    guide.get_by_role("button", name="Open Edit fields").click()
    page.get_by_role("button", name="Add a field").click()
    page.get_by_label("Field", exact=True).fill("greeting")
    page.get_by_role("button", name="Expression for Value").click()
    page.locator(".assignment textarea").fill("Hello {{ $json.body.name }}")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(guide).to_contain_text("2 of 5")
    guide.get_by_role("button", name="Make a test call").click()
    expect(guide).to_contain_text("3 of 5")
    picture(page, f"guide-middle-{scheme}-{width}")
    # Left by going away, it is taken up where one was.
    page.goto("/workflows")
    page.get_by_role("link", name="My first workflow").click()
    page.locator("a[href$='/editor']").first.click()
    desk.ready()
    expect(guide).to_contain_text("3 of 5")
    guide.get_by_role("button", name="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(guide).to_contain_text("4 of 5")
    # The line does what it says, and the call is seen.
    line = guide.locator("code").inner_text()
    words = shlex.split(line)
    assert words[:3] == ["curl", "-X", "POST"]
    body = json.loads(words[words.index("-d") + 1])
    address = words[-1]
    status, answer, _ = server.request("POST", address[address.index("/hooks/"):], body)
    assert status == 200 and answer["greeting"] == "Hello Ana", answer
    expect(guide).to_contain_text("5 of 5")
    expect(guide.get_by_role("heading", name="That is a whole workflow")).to_be_visible()
    assert not violations(page)
    picture(page, f"guide-end-{scheme}-{width}")
    guide.get_by_role("button", name="Done").click()
    expect(guide).to_have_count(0)
    page.reload()
    desk.ready()
    holds(page, "() => document.querySelector('workflow-editor').editor.comments")
    expect(guide).to_have_count(0)
    desk.close()


def test_the_guide_is_used_by_keyboard_folded_left_and_found_again(server, chromium):
    desk = begin(server, chromium, "keys")
    page = desk.page
    page.get_by_role("button", name="Begin").focus()
    page.keyboard.press("Enter")
    desk.ready()
    guide = page.get_by_role("complementary", name="Your first workflow")
    guide.get_by_role("button", name="Choose what starts it").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Webhook")
    page.keyboard.press("Enter")
    expect(desk.node("Webhook")).to_be_focused()
    guide.get_by_role("button", name="Open Webhook").focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Path", exact=True).fill("keys")
    page.keyboard.press("Escape")
    expect(guide).to_contain_text("1 of 5")
    guide.get_by_role("button", name="Fold", exact=True).focus()
    page.keyboard.press("Enter")
    expect(guide.get_by_role("listitem").first).to_be_hidden()
    guide.get_by_role("button", name="Leave").focus()
    page.keyboard.press("Enter")
    expect(guide).to_have_count(0)
    page.keyboard.press("Control+k")
    choose(page, "Your first workflow")
    expect(guide).to_contain_text("1 of 5")
    expect(page.locator("#guide-title")).to_be_focused()
    desk.close()
