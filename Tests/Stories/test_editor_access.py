"""The editor as axe-core sees it: names, roles, labels, unique ids, contrast and targets, in all its parts, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from editor_desk import Desk, blank
from gestures import choose, field, start, step

OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}


@pytest.fixture(scope="module")
def workflow(server, studio):
    nodes = [
        start(connections=["fields"]), step("Fields", (280, 0), "set", config=field("who", "={{ $json.name }}"), connections=["off"]),
        step("Off", (560, 0), disabled=True), step("Odd", (560, 160), "no_such_kind"),
        {"id": "note", "type": "action", "kind": "sticky_note", "name": "Note", "position": [0, 160], "config": {"content": "What it is for", "color": 3}}]
    return blank(server, studio["api_key"], "Looked at", nodes)


def violations(page, part):
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [(part, one["id"], node["target"], node["failureSummary"][:200]) for one in found for node in one["nodes"][:3]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_part_of_the_editor_can_be_used_by_everybody(server, studio, chromium, workflow, scheme, width):
    # Animations would show colours on their way.
    desk = Desk(server, chromium, "stu@example.com", color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
    page = desk.open(workflow)
    told = []

    def look(part):
        told.extend(violations(page, part))

    look("canvas")
    desk.node("Fields").click()
    look("a chosen node")
    page.locator(".canvas").focus()
    page.keyboard.press("n")
    look("palette")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    look("search")
    choose(page, "Fields")
    page.keyboard.press("Enter")
    expect(page.locator(".node-panel .form-fields > *").first).to_be_visible()
    look("panel")
    page.locator(".settings summary").click()
    look("settings of a node")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Try it").click()
    expect(desk.node("Fields")).to_have_attribute("data-status", "succeeded")
    look("a run")
    page.keyboard.press("Control+k")
    choose(page, "Fields")
    page.keyboard.press("Enter")
    expect(page.locator(".data-body").last).to_contain_text("who")
    for shown in ["JSON", "Schema"]:
        page.get_by_role("button", name=shown).last.click()
        look(f"data as {shown}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Versions").click()
    expect(page.get_by_role("dialog")).to_contain_text("It has not been published yet")
    look("versions")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Publish").click()
    look("publishing")
    page.keyboard.press("Escape")
    if width < 700:
        page.get_by_role("button", name="Outline").click()
        look("outline")
    page.get_by_role("button", name="Actions of Fields").click()
    look("menu")
    page.keyboard.press("Escape")
    desk.close()
    assert not told, "\n".join(map(repr, told))
