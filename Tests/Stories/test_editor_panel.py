"""A node's panel: things of the tenant are chosen from lists that are searched, options are in words, pinned data speak without a run."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from editor_desk import Desk, blank, kept, picture
from gestures import field, start, step


@pytest.fixture(scope="module")
def things(server, studio):
    """Workflows and data tables to choose from, and a variable."""
    key = studio["api_key"]
    callee = blank(server, key, "Check the stock", [start()])
    for number in range(3):
        blank(server, key, f"Something else {number}", [start()])
    status, table, _ = server.request("POST", "/v1/data-tables", {"name": "Customers", "columns": [{"name": "city", "type": "string"}, {"name": "age", "type": "number"}]}, key=key)
    assert status == 201, table
    assert server.request("PUT", "/v1/variables/BASE_URL", {"value": "https://a.example"}, key=key)[0] == 200
    return {"callee": callee, "table": table["id"]}


@pytest.fixture(params=[("light", 1440), ("dark", 390)], ids=["light-1440", "dark-390"])
def desk(server, chromium, studio, request):
    scheme, width = request.param
    desk = Desk(server, chromium, "stu@example.com", color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
    desk.look = f"{scheme}-{width}"
    yield desk
    desk.close()


def config(desk, name):
    return next(one["config"] for one in desk.document()["nodes"] if one["name"] == name)


def violations(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], node["target"], node["failureSummary"][:200]) for one in found for node in one["nodes"]]


def test_a_workflow_is_chosen_by_its_name_and_by_its_id(server, studio, desk, things):
    workflow = blank(server, studio["api_key"], "Caller", [start(connections=["call"]), step("Call", (280, 0), "execute_workflow")])
    page = desk.open(workflow)
    desk.node("Call").dblclick()
    box = page.get_by_role("combobox", name="Workflow", exact=True)
    box.click()
    box.fill("stock")
    expect(page.get_by_role("option", name="Check the stock")).to_be_visible()
    expect(page.locator(".completions:not([hidden]) [role=option]")).to_have_count(1)
    picture(page, f"panel-locator-{desk.look}")
    assert not violations(page)
    page.keyboard.press("Enter")
    expect(box).to_have_value("Check the stock")
    assert config(desk, "Call")["workflowId"] == {"__rl": True, "mode": "list", "value": things["callee"], "cachedResultName": "Check the stock"}
    # What is only begun names nothing, and leaves what was chosen.
    box.fill("no such thing")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Tab")
    expect(box).to_have_value("Check the stock")
    page.get_by_label("How to name Workflow").select_option("By ID")
    expect(page.get_by_role("textbox", name="Workflow", exact=True)).to_have_value(things["callee"])
    page.keyboard.press("Escape")
    desk.saved()
    # Opened again it shows its name as it is by now.
    status, found, _ = server.request("GET", f"/v1/workflows/{workflow}", key=studio["api_key"])
    assert found["document"]["nodes"][1]["config"]["workflowId"]["mode"] == "id"


def test_a_data_table_its_columns_and_conditions_are_chosen_in_words(server, studio, desk, things):
    nodes = [start(connections=["table"]), step("Table", (280, 0), "data_table", config={"operation": "get"})]
    page = desk.open(blank(server, studio["api_key"], "Reader", nodes))
    desk.node("Table").dblclick()
    table = page.get_by_role("combobox", name="Table", exact=True)
    table.click()
    page.keyboard.type("cust")
    expect(page.get_by_role("option", name="Customers")).to_be_visible()
    page.keyboard.press("Enter")
    expect(table).to_have_value("Customers")
    assert config(desk, "Table")["dataTableId"]["value"] == things["table"]
    page.get_by_role("button", name="Add an entry").click()
    column = page.get_by_role("combobox", name="Column", exact=True)
    column.click()
    column.fill("ci")
    page.get_by_role("option", name="city").click()
    expect(column).to_have_value("city")
    page.get_by_label("Condition", exact=True).select_option(label="Is not empty")
    picture(page, f"panel-table-{desk.look}")
    assert not violations(page)
    conditions = config(desk, "Table")["filters"]["conditions"]
    assert conditions[0]["keyName"] == "city" and conditions[0]["condition"] == "isNotEmpty", conditions
    page.keyboard.press("Escape")
    desk.saved()


def test_steps_of_an_image_show_what_each_of_them_takes(server, studio, desk):
    nodes = [start(connections=["image"]), step("Image", (280, 0), "edit_image")]
    page = desk.open(blank(server, studio["api_key"], "Image", nodes))
    desk.node("Image").dblclick()
    expect(page.get_by_role("textbox", name="Color", exact=True)).to_have_value("#000000")
    page.get_by_label("Operation", exact=True).select_option(label="Several steps")
    expect(page.get_by_role("textbox", name="Color", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Add an entry").click()
    page.get_by_label("Operation", exact=True).nth(1).select_option(label="Resize")
    width = page.get_by_role("spinbutton", name="Width", exact=True)
    expect(width).to_have_value("500")
    width.fill("200")
    page.get_by_label("How", exact=True).select_option(label="Into this size, if larger")
    picture(page, f"panel-image-{desk.look}")
    assert not violations(page)
    wanted = {"operation": "resize", "width": 200, "resizeOption": "onlyIfLarger"}
    assert config(desk, "Image") == {"operation": "multiStep", "operations": {"operations": [wanted]}}
    page.keyboard.press("Escape")
    desk.saved()


def test_what_is_typed_in_a_field_that_has_not_been_left_is_saved_by_the_key(server, studio, desk):
    workflow = blank(server, studio["api_key"], "Kept", [start()])
    page = desk.open(workflow)
    page.get_by_label("Name of the workflow").fill("Kept by key")
    page.keyboard.press("Control+s")
    desk.node("Start").dblclick()
    name = page.get_by_label("Name of the node")
    name.fill("Begin")
    page.keyboard.press("Control+s")
    expect(name).to_be_focused()
    desk.saved()
    document = kept(server, studio["api_key"], workflow)
    assert (document["name"], document["nodes"][0]["name"]) == ("Kept by key", "Begin")
    page.keyboard.press("Escape")


def test_a_name_that_another_node_has_is_refused_in_words(server, studio, desk):
    workflow = blank(server, studio["api_key"], "Named", [start(), step("End", (280, 0))])
    page = desk.open(workflow)
    desk.node("End").dblclick()
    name = page.get_by_label("Name of the node")
    name.fill("Start")
    name.press("Tab")
    expect(page.locator(".node-panel .fault", has_text="Another node is called Start.")).to_be_visible()
    expect(name).to_have_value("End")
    name.fill(" ")
    name.press("Tab")
    expect(page.locator(".node-panel .fault", has_text="A node has a name.")).to_be_visible()
    assert not violations(page)
    name.fill("Last")
    name.press("Tab")
    expect(page.locator(".node-panel header .fault")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(desk.node("Last")).to_be_visible()


def test_nothing_in_the_editor_is_laid_out_as_what_has_its_name_on_other_pages(server, studio, desk):
    workflow = blank(server, studio["api_key"], "Laid out", [start(), step("End", (280, 0))])
    page = desk.open(workflow)
    gap = desk.node("End").evaluate(
        "(node) => { const left = node.querySelector('.picture'); return node.querySelector('.words .name').offsetLeft - left.offsetLeft - left.offsetWidth; }")
    assert gap < 16
    desk.node("End").dblclick()
    summary = page.locator("details.settings summary")
    summary.click()
    field = page.locator("details.settings .field").first
    assert field.bounding_box()["x"] == summary.bounding_box()["x"]
    assert field.bounding_box()["width"] == summary.bounding_box()["width"]
    page.keyboard.press("Escape")


def test_pinned_data_of_any_node_before_are_completed_and_shown_without_a_run(server, studio, desk, things):
    nodes = [start(connections=["middle"]), step("Middle", (280, 0), connections=["end"]), step("End", (560, 0), "set", config=field("who", ""))]
    workflow = blank(server, studio["api_key"], "Pinned", nodes)
    document = kept(server, studio["api_key"], workflow)
    document["pinned_data"] = {"Start": [{"json": {"customer": {"name": "Ana", "zip": 8001}}}]}
    assert server.request("PUT", f"/v1/workflows/{workflow}/draft", {"document": document, "revision": 1}, key=studio["api_key"])[0] == 200
    page = desk.open(workflow)
    desk.node("End").dblclick()
    page.get_by_role("button", name="Expression for Value").click()
    area = page.locator(".assignment textarea")
    area.fill("{{ $('Start').item.json.customer.")
    page.keyboard.press("Control+ ")
    expect(page.get_by_role("option", name="zip")).to_be_visible()
    page.keyboard.press("Enter")
    area.press("End")
    page.keyboard.type(" }}")
    expect(page.locator(".assignment .result")).to_have_text("Ana")
    area.fill("{{ $vars.")
    page.keyboard.press("Control+ ")
    expect(page.get_by_role("option", name="BASE_URL")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type(" }}")
    expect(page.locator(".assignment .result")).to_have_text("https://a.example")
    picture(page, f"panel-pinned-{desk.look}")
    page.keyboard.press("Escape")
    desk.saved()


def test_the_focus_stays_in_the_data_that_is_looked_at_item_by_item(server, studio, desk, things):
    workflow = blank(server, studio["api_key"], "Looked at", [start(connections=["end"]), step("End", (280, 0))])
    document = kept(server, studio["api_key"], workflow)
    document["pinned_data"] = {"Start": [{"json": {"a": 1}}, {"json": {"a": 2}}]}
    assert server.request("PUT", f"/v1/workflows/{workflow}/draft", {"document": document, "revision": 1}, key=studio["api_key"])[0] == 200
    page = desk.open(workflow)
    desk.node("End").dblclick()
    given = page.get_by_role("region", name="Input", exact=True)
    second = given.get_by_role("button", name="Look at item 1")
    second.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(second).to_be_focused()
    given.get_by_role("button", name="JSON").press("Enter")
    expect(given.locator("pre")).to_be_visible()
    expect(given.get_by_role("button", name="JSON")).to_be_focused()
    page.keyboard.press("Escape")
    desk.saved()


def test_what_can_be_chosen_ends_at_the_tenant(server, studio, things):
    stranger = server.create_tenant("panel-strangers", owner="pat@example.com")["api_key"]
    for path in ["workflows", "data-tables", "variables"]:
        assert server.request("GET", f"/v1/resources/{path}", key=stranger)[1]["data"] == []
    assert server.request("GET", f"/v1/resources/data-tables/{things['table']}/columns", key=stranger)[0] == 404
    names = [one["name"] for one in server.request("GET", "/v1/resources/workflows?search=something+2", key=studio["api_key"])[1]["data"]]
    assert names == ["Something else 2"]
    columns = server.request("GET", f"/v1/resources/data-tables/{things['table']}/columns?search=", key=studio["api_key"])[1]["data"]
    assert [one["value"] for one in columns] == ["city", "age", "id", "createdAt", "updatedAt"]


def test_what_a_trigger_watches_for_is_ticked(server, studio, desk):
    nodes = [{**start("Watch"), "kind": "local_file_trigger", "config": {"triggerOn": "folder", "path": "/in", "events": ["unlink"]}}]
    page = desk.open(blank(server, studio["api_key"], "Watcher", nodes))
    desk.node("Watch").dblclick()
    expect(page.get_by_label("File deleted")).to_be_checked()
    page.get_by_label("File added").press("Space")
    page.get_by_label("File deleted").click()
    page.get_by_label("Folder added").click()
    picture(page, f"panel-ticks-{desk.look}")
    assert not violations(page)
    assert config(desk, "Watch")["events"] == ["add", "addDir"]
    page.keyboard.press("Escape")
    desk.saved()
