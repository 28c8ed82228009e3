"""Versions have names: given at publishing and later, seen in the list and on the workflow's page."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from editor_desk import Desk, blank
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
    page.screenshot(path=f"/tmp/versions-{scheme}-{width}.png")
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert not violations, [(found["id"], node["target"]) for found in violations for node in found["nodes"]]
    page.goto(f"/workflows/{workflow}")
    expect(page.get_by_text("Summer prices")).to_be_visible()
    desk.close()
