"""Versions have names: given at publishing and later, seen in the list and on the workflow's page."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from editor_desk import Desk, blank, picture
from gestures import field, start, step


@pytest.mark.parametrize("scheme,width", [("light", 1440), ("dark", 390)])
def test_a_version_is_named_at_publishing_and_another_one_later(server, studio, chromium, scheme, width):
    desk = Desk(server, chromium, "stu@example.com", color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
    workflow = blank(server, studio["api_key"], f"Named {scheme}", [start(connections=["end"]), step("End", (280, 0), "set", config=field("a", "1"))])
    page = desk.open(workflow)
    page.get_by_role("button", name="Publish").click()
    page.get_by_label("Name of this version").fill("Spring prices")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".message")).to_contain_text("Version 1")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".message")).to_contain_text("Version 2")
    page.get_by_role("button", name="Versions").click()
    rows = page.locator(".versions li")
    expect(rows.nth(1)).to_contain_text("Version 1 · Spring prices")
    page.get_by_role("button", name="Name version 2 and say what it is").click()
    page.get_by_label("Name of this version").fill("Summer prices")
    page.locator(".label-form textarea").fill("Ten in the hundred less")
    page.get_by_role("button", name="Save").click()
    expect(rows.nth(0)).to_contain_text("Version 2 · Summer prices")
    expect(rows.nth(0)).to_contain_text("Ten in the hundred less")
    picture(page, f"versions-{scheme}-{width}")
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert not violations, [(found["id"], node["target"]) for found in violations for node in found["nodes"]]
    page.goto(f"/workflows/{workflow}")
    expect(page.get_by_text("Summer prices")).to_be_visible()
    desk.close()


def test_a_version_that_did_not_come_is_told_of_and_asked_for_again(server, studio, chromium):
    desk = Desk(server, chromium, "stu@example.com")
    workflow = blank(server, studio["api_key"], "Away", [start(connections=["end"]), step("End", (280, 0))])
    assert server.request("POST", f"/v1/workflows/{workflow}/publication", {}, key=studio["api_key"])[0] < 300
    page = desk.open(workflow)
    page.route("**/versions/1", lambda route: route.abort())
    page.get_by_role("button", name="Versions").click()
    shown = page.locator(".comparison")
    expect(shown.locator(".fault")).to_be_visible()
    page.get_by_role("button", name="Go back to version 1").click()
    expect(shown.locator(".fault")).to_be_visible()
    page.unroute("**/versions/1")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(shown.locator(".fault")).to_have_count(0)
    expect(shown).not_to_be_empty()
    desk.faults = [fault for fault in desk.faults if "ERR_FAILED" not in fault]
    desk.close()
