"""The console around the editor in a real browser: the dashboard, the palette, the list of executions."""

import re
import time
import urllib.parse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from documents import greeting, keep, line, node
from test_browser import Desk, chromium  # noqa: F401

WAIT_MS = 30_000


@pytest.fixture(scope="module")
def desk(server, chromium):  # noqa: F811
    desk = Desk(server, chromium, "front", "cora@example.com", viewport={"width": 1440, "height": 900})
    desk.page.set_default_timeout(WAIT_MS)
    yield desk
    desk.context.close()
    assert not desk.faults


def run_some(server, key, workflow, count, status):
    """Starts runs of a workflow and waits until all of its runs have a status."""
    for _ in range(count):
        assert server.request("POST", f"/v1/workflows/{workflow}/executions", {}, key=key)[0] in (200, 201, 202)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.request("GET", f"/v1/executions?workflow_id={workflow}&status={status}&limit=100", key=key)[1]["data"]
        if len(found) >= count:
            return [one["id"] for one in found]
        time.sleep(0.1)
    raise AssertionError(f"the runs did not all become {status}")


def test_an_empty_tenant_is_led_to_the_gallery(desk):
    page = desk.page
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    expect(page.get_by_text("Nothing runs here yet")).to_be_visible()
    expect(page.get_by_role("heading", name="Use of the plan")).to_be_visible()
    page.get_by_role("link", name="Choose a workflow").click()
    page.wait_for_url("**/workflows")
    expect(page.get_by_role("button", name="Use Lead routing")).to_be_visible()


def test_the_dashboard_shows_what_ran_and_what_failed(server, desk):
    key = desk.tenant["api_key"]
    good = server.import_workflow(key, line("Fine", node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="1")))["workflow"]["id"]
    bad = server.import_workflow(key, line(
        "Broken", node("Start", "manualTrigger", 1, 0), node("Stop", "stopAndError", 1, 200, errorMessage="It is broken")))["workflow"]["id"]
    run_some(server, key, good, 3, "succeeded")
    run_some(server, key, bad, 2, "failed")
    page = desk.page
    page.goto("/dashboard")
    runs = page.locator(".tile", has_text="Runs").first
    expect(runs).to_contain_text("5")
    expect(page.locator(".tile", has_text="Failed")).to_contain_text("40 % of all")
    rows = page.locator("section[aria-labelledby=worst] tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Broken")
    expect(page.get_by_role("img", name=re.compile("5 runs ended, 2 of them failed"))).to_be_visible()
    page.get_by_text("Show as a table").first.click()
    table = page.get_by_role("region", name="Runs").get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(25)
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    expect(page.locator(".tile", has_text="Failed")).to_contain_text("40 % of all")
    page.get_by_role("link", name="2 (100 %)").click()
    page.wait_for_url("**/executions?*")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_the_palette_opens_what_the_person_may_see(desk):
    page = desk.page
    page.goto("/dashboard")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search the console")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name=re.compile("Dashboard"))).to_be_visible()
    found = Axe().run(page, context=".palette")
    assert found.violations_count == 0, found.generate_report()
    field.fill("brok")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/workflows/*")
    expect(page.get_by_role("heading", name="Broken", level=1)).to_be_visible()
    page.get_by_role("button", name="Search").click()
    field.fill("cora@")
    expect(page.get_by_role("option", name=re.compile("cora@example.com"))).to_be_visible()
    field.fill("members")
    expect(page.get_by_role("option", name=re.compile("Members"))).to_be_visible()
    field.fill("nothing of this name")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()


def test_the_palette_finds_nothing_of_another_tenant(server, desk):
    other = server.create_tenant("back", owner="otto@example.com")
    server.import_workflow(other["api_key"], greeting("elsewhere"))
    found = server.request("GET", "/v1/console/search?q=greeting", key=desk.tenant["api_key"])[1]["data"]
    assert found == []
    found = server.request("GET", "/v1/console/search?q=greeting", key=other["api_key"])[1]["data"]
    assert [hit["title"] for hit in found] == ["Greeting"]


def test_runs_are_found_by_a_value_and_by_id(server, desk):
    key = desk.tenant["api_key"]
    marked = server.import_workflow(key, line(
        "Orders", node("Start", "manualTrigger", 1, 0),
        node("Mark", "executionData", 1, 200, operation="save", dataToSave={"values": [{"key": "order", "value": "={{ $json.order }}"}]})))["workflow"]["id"]
    for order in ("1234", "1235"):
        assert server.request("POST", f"/v1/workflows/{marked}/executions", {"items": [{"order": order}]}, key=key)[0] in (200, 201, 202)
    run_some(server, key, marked, 0, "succeeded")
    page = desk.page
    page.goto("/executions")
    find = page.get_by_label("Id or value")
    find.fill("order = 1234")
    expect(page.get_by_label("Workflow").locator("option", has_text="Orders")).to_have_count(1)
    page.get_by_role("button", name="Search", exact=True).last.click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("order: 1234")
    expect(find).to_have_value("order = 1234")
    run = rows.first.get_by_role("link").get_attribute("href").rsplit("/", 1)[1]
    find.fill(run)
    find.press("Enter")
    page.wait_for_url(f"**/executions/{run}")
    page.goto("/executions?find=order%20%3D%201234&from=2020-01-01&until=2020-01-02")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    desk.faults.clear()
    page.goto("/executions?find=nonsense")
    expect(page.get_by_text("Write an id, or name = value.")).to_be_visible()
    desk.faults[:] = [fault for fault in desk.faults if "422" not in fault]


def test_the_api_lists_what_the_page_finds(server, desk):
    key = desk.tenant["api_key"]

    def listed(**query):
        status, page, _ = server.request("GET", "/v1/executions?" + urllib.parse.urlencode(query), key=key)
        return status, page

    status, found = listed(value="order = 1234")
    assert status == 200 and len(found["data"]) == 1
    run = found["data"][0]
    assert listed(value="order = 1234", until=run["created_at"])[1]["data"] == []
    assert [one["id"] for one in listed(value="order = 1234", **{"from": "2020-01-01T00:00:00Z"})[1]["data"]] == [run["id"]]
    newest, oldest = ([one["id"] for one in listed(order=order)[1]["data"]] for order in ("newest", "oldest"))
    assert len(newest) > 2 and newest == oldest[::-1]
    first = listed(order="oldest", limit=2)[1]
    rest = listed(order="oldest", limit=100, cursor=first["next_cursor"])[1]
    assert [one["id"] for one in first["data"] + rest["data"]] == oldest
    for wrong in ({"value": "1234"}, {"order": "sideways"}, {"from": "yesterday"}):
        assert listed(**wrong)[0] == 422, wrong


def test_many_failures_are_retried_at_once_after_the_consequences_are_said(server, desk):
    page = desk.page
    page.goto("/executions?status=failed&order=oldest")
    page.get_by_role("button", name="Retry the chosen").click()
    expect(page.get_by_role("alert")).to_have_text("Choose executions first.")
    page.goto("/executions?status=failed&order=oldest")
    page.get_by_role("link", name="Choose all on this page").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    page.get_by_role("button", name="Retry the chosen").click()
    expect(page.get_by_role("heading", name="Retry 2 executions?")).to_be_visible()
    expect(page.get_by_text("2 executions that failed go on from the step that failed")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Stop"))).to_contain_text("Broken")
    page.get_by_role("button", name="Retry 2 executions").click()
    expect(page.get_by_role("status").filter(has_text="2 executions were started again, 0 left alone.")).to_be_visible()
    for _ in range(600):
        page.goto("/executions?status=failed")
        if page.locator("tbody tr").count() == 4:
            break
        page.wait_for_timeout(100)
    expect(page.locator("tbody tr")).to_have_count(4)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Cancel the chosen").click()
    expect(page.get_by_text("1 execution is over already and left as they are.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_have_count(0)


def test_the_page_of_a_run_keeps_the_focus_where_it_is_when_the_run_goes_on(server, desk):
    key = desk.tenant["api_key"]
    slow = server.import_workflow(key, line(
        "Slow", node("Start", "manualTrigger", 1, 0), node("Wait", "wait", 1.1, 200, resume="timeInterval", amount=1, unit="hours")))["workflow"]["id"]
    [run] = run_some(server, key, slow, 1, "waiting")
    page = desk.page
    page.goto(f"/executions/{run}")
    expect(page.locator("#run")).to_contain_text("Waiting")
    link = page.locator("#run").get_by_role("link", name="Slow")
    link.focus()
    assert server.request("POST", f"/v1/executions/{run}/cancellation", key=key)[0] < 300
    expect(page.locator("#run")).to_contain_text("Cancelled")
    expect(link).to_be_focused()
