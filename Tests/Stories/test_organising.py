"""Folders, tags and search of workflows, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from documents import greeting, keep, line, node
from test_browser import Desk, chromium  # noqa: F401

WAIT_MS = 30_000


@pytest.fixture(scope="module")
def desk(server, chromium):  # noqa: F811
    desk = Desk(server, chromium, "archive", "arno@example.com", viewport={"width": 1440, "height": 900})
    desk.page.set_default_timeout(WAIT_MS)
    key = desk.tenant["api_key"]
    server.import_workflow(key, greeting("arno"))
    for name in ("Lead routing", "Lead scoring", "Invoices"):
        server.import_workflow(key, line(name, node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="1")), publish=False)
    yield desk
    desk.context.close()
    assert not desk.faults


def names(page):
    return page.locator("tbody td.name > a")


def test_folders_and_tags_are_made_and_a_taken_name_is_told(desk):
    page = desk.page
    page.goto("/workflows")
    page.get_by_role("link", name="Folders and tags").click()
    expect(page.get_by_role("heading", name="No folder yet")).to_be_visible()
    page.get_by_label("New folder").fill("Sales")
    page.get_by_role("button", name="Create the folder").click()
    page.get_by_label("New folder").fill("Leads")
    page.get_by_label("Within").select_option("Sales")
    page.get_by_role("button", name="Create the folder").click()
    expect(page.get_by_label("Name of the folder Sales/Leads")).to_have_value("Leads")
    page.get_by_label("New folder").fill("sales")
    page.get_by_role("button", name="Create the folder").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a folder of this name already.")
    expect(page.get_by_label("New folder")).to_have_value("sales")
    desk.faults[:] = [fault for fault in desk.faults if "409" not in fault]
    page.get_by_label("New tag").fill("urgent")
    page.get_by_label("Colour", exact=True).select_option("Red")
    page.get_by_role("button", name="Create the tag").click()
    expect(page.locator(".tag.red")).to_have_text("urgent")


def test_workflows_are_moved_in_bulk_and_found_by_folder_and_words(desk):
    page = desk.page
    page.goto("/workflows")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Choose workflows first.")
    for name in ("Lead routing", "Lead scoring"):
        page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.get_by_label("Move the chosen to").select_option("Sales/Leads")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Moved.")).to_be_visible()
    expect(page.get_by_role("row", name="Lead routing")).to_contain_text("Sales/Leads")
    page.get_by_label("Folder").select_option("Sales")
    page.get_by_label("Order").select_option("By name")
    page.get_by_role("button", name="Search", exact=True).last.click()
    expect(names(page)).to_have_text(["Lead routing", "Lead scoring"])
    page.get_by_label("Name", exact=True).fill("scor")
    page.get_by_role("button", name="Search", exact=True).last.click()
    expect(names(page)).to_have_text(["Lead scoring"])
    page.goto("/workflows?state=published")
    expect(names(page)).to_have_text(["Greeting"])
    page.goto("/workflows?q=nothing")
    expect(page.get_by_role("heading", name="No workflow matches")).to_be_visible()


def test_a_workflow_is_tagged_on_its_page_and_found_by_the_tag(desk):
    page = desk.page
    page.goto("/workflows?q=invoices")
    page.get_by_role("link", name="Invoices").click()
    region = page.get_by_role("region", name="Folder and tags")
    region.get_by_label("urgent").check()
    region.get_by_label("Folder").select_option("Sales")
    region.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.goto("/workflows")
    page.get_by_label("Tag").select_option("urgent")
    page.get_by_role("button", name="Search", exact=True).last.click()
    expect(names(page)).to_have_text(["Invoices"])
    expect(page.get_by_role("row", name="Invoices").locator(".tag")).to_have_text("urgent")


def test_archiving_is_taken_back(desk):
    page = desk.page
    page.goto("/workflows?q=invoices")
    page.get_by_role("link", name="Invoices").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("status").filter(has_text="Archived")).to_be_visible()
    expect(page.get_by_role("row", name="Invoices")).to_have_count(0)
    page.goto("/workflows?state=archived")
    page.get_by_role("row", name="Invoices").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("status").filter(has_text="Restored.")).to_be_visible()
    expect(page.get_by_role("region", name="Folder and tags").get_by_label("Folder")).to_have_value(re.compile(".+"))


def test_a_folder_goes_and_its_workflows_stay(server, desk):
    page = desk.page
    page.goto("/workflows/organising")
    page.get_by_role("row", name=re.compile("3 workflows")).get_by_role("button", name="Delete").first.click()
    dialog = page.get_by_role("dialog").filter(visible=True)
    expect(dialog).to_contain_text("Its 3 workflows stay, in no folder.")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No folder yet")).to_be_visible()
    page.goto("/workflows")
    expect(names(page)).to_have_count(4)
    log = server.request("GET", "/v1/audit-log?limit=5", key=desk.tenant["api_key"])[1]["data"]
    assert "folder.delete" in [entry["action"] for entry in log]
