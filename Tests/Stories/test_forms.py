"""Forms and data tables in a real browser: filled in without scripts, by keyboard, on a phone and in the dark."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from documents import line, node
from test_browser import KEY, Desk

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FIELDS = [
    {"fieldLabel": "Name", "requiredField": True, "placeholder": "Ann"},
    {"fieldLabel": "Size", "fieldType": "dropdown", "fieldOptions": {"values": [{"option": "S"}, {"option": "L"}]}},
    {"fieldLabel": "Extras", "fieldType": "checkbox", "fieldOptions": {"values": [{"option": "Milk"}, {"option": "Sugar"}]}},
    {"fieldLabel": "Letter", "fieldType": "file", "multipleFiles": False},
]


def order():
    second = {"formFields": {"values": [{"fieldLabel": "When", "fieldType": "date", "requiredField": True}]},
              "options": {"formTitle": "=Thank you, {{ $json.Name }}"}}
    return line(
        "Order", node("Ask", "formTrigger", 2.2, 0, formTitle="Order a coffee", formDescription="We <b>bring</b> it.",
                      formFields={"values": FIELDS}, options={"path": "coffee"}),
        node("When", "form", 1, 200, **second),
        node("End", "form", 1, 400, operation="completion", completionTitle="=On {{ $json.When }}", completionMessage="See you."))


def table_line():
    locator = {"__rl": True, "mode": "list", "value": "x", "cachedResultName": "Orders"}
    columns = {"mappingMode": "defineBelow", "value": {"name": "={{ $json.body.name }}", "price": "={{ $json.body.price }}"}}
    return line(
        "Table", node("Hook", "webhook", 2, 0, path="orders", httpMethod="POST", responseMode="lastNode"),
        node("Insert", "dataTable", 1, 200, dataTableId=locator, columns=columns))


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk(server, chromium):
    desk = Desk(server, chromium, "formed", "fay@example.com")
    yield desk
    desk.context.close()
    assert not desk.faults


def picture(page, name):
    """Kept where AIAS_PICTURES names a folder, for somebody to look at."""
    if folder := os.environ.get("AIAS_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_visitor_fills_in_a_form_over_two_pages(server, chromium, desk, look, tmp_path):
    if look == "light":
        server.import_workflow(desk.tenant["api_key"], order())
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all")
    size = {"width": 390, "height": 844} if look == "dark" else {"width": 1440, "height": 900}
    context = chromium.new_context(base_url=server.base, java_script_enabled=False, color_scheme=look, viewport=size)
    page = context.new_page()
    page.set_default_timeout(30_000)
    assert page.goto("/forms/formed/coffee").status == 200
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#field-0-fault")).to_be_visible()
    picture(page, f"form-{look}")
    page.get_by_label("Name").fill("Zoë")
    page.get_by_label("Size").select_option("L")
    page.get_by_label("Milk").check()
    page.get_by_label("Letter").set_input_files(letter)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Thank you, Zoë")).to_be_visible()
    picture(page, f"form-page-{look}")
    page.get_by_label("When").fill("2026-03-10")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="On 2026-03-10")).to_be_visible()
    picture(page, f"form-end-{look}")
    body = page.locator("body").inner_text()
    assert "formed" in body.lower() and not KEY.search(body)
    context.close()
    runs = server.request("GET", "/v1/executions", key=desk.tenant["api_key"])[1]["data"]
    assert runs[0]["status"] == "succeeded"


def test_a_data_table_is_made_filled_and_written_by_a_workflow(server, chromium, desk):
    page = desk.settings("Data tables")
    expect(page.get_by_text("No data table yet")).to_be_visible()
    picture(page, "tables-empty")
    page.get_by_label("Name").fill("Orders")
    page.get_by_label("Columns").fill("name\nprice number")
    page.get_by_role("button", name="Create the table").click()
    expect(page.get_by_text("No row yet")).to_be_visible()
    page.get_by_label("name", exact=True).first.fill("Tea")
    page.get_by_label("price").fill("cheap")
    page.get_by_role("button", name="Add the row").click()
    expect(page.locator("#c-price-fault")).to_be_visible()
    # The browser tells of every refused form.
    assert len(desk.faults) == 1 and "422" in desk.faults.pop()
    page.get_by_label("price").fill("2.5")
    page.get_by_label("price").press("Enter")
    expect(page.get_by_role("cell", name="Tea")).to_be_visible()
    server.import_workflow(desk.tenant["api_key"], table_line())
    status, answer, _ = server.request("POST", "/hooks/formed/orders", {"name": "Milk", "price": 3})
    assert status == 200, (answer, server.request("GET", f"/v1/executions/{answer['execution_id']}", key=desk.tenant["api_key"])[1])
    assert answer["id"] == 2 and answer["price"] == 3
    page.reload()
    expect(page.get_by_role("cell", name="Milk")).to_be_visible()
    picture(page, "table-light")
    phone = Desk(server, chromium, None, "fay@example.com", viewport={"width": 390, "height": 844}, color_scheme="dark")
    phone.page.goto(page.url)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(phone.page, "table-dark-phone")
    phone.page.get_by_role("link", name="2", exact=True).click()
    expect(phone.page.get_by_role("heading", name="Row 2")).to_be_visible()
    picture(phone.page, "row-dark-phone")
    phone.page.get_by_role("button", name="Delete the row").first.click()
    phone.page.get_by_role("dialog").get_by_role("button", name="Delete the row").click()
    expect(phone.page.get_by_text("Deleted.")).to_be_visible()
    assert not phone.faults
    phone.context.close()
    tables = server.request("GET", "/v1/data-tables", key=desk.tenant["api_key"])[1]["data"]
    assert tables[0]["row_count"] == 1
