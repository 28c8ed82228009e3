"""Each way of working on the canvas by itself: Docs/Editor.md names these beside what other editors offer."""

import json

import pytest
from playwright.sync_api import expect

from editor_desk import Desk, blank, holds
from gestures import choose, drag, field, middle, start, step


@pytest.fixture
def desk(server, chromium, studio):
    desk = Desk(server, chromium, "stu@example.com", permissions=["clipboard-read", "clipboard-write"])
    yield desk
    desk.close()


@pytest.fixture
def three(server, studio, desk):
    """Start, Middle and End in a row, opened."""
    nodes = [
        start(connections=["middle"]), step("Middle", (280, 0), "set", config=field("word", "one"), connections=["end"]), step("End", (560, 0))]
    desk.open(blank(server, studio["api_key"], "Three", nodes))
    return desk


def place(desk, name):
    return next(one["position"] for one in desk.document()["nodes"] if one["name"] == name)


def chosen(desk):
    return {element.get_attribute("aria-label").split(",")[0] for element in desk.page.locator(".node.chosen").all()}


def view(desk):
    return desk.page.evaluate("document.querySelector('workflow-editor').editor.canvas.view")


def between(a, b):
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def open_space(desk):
    """A place of the canvas with nothing on it, above the nodes."""
    box = desk.page.locator(".canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + 40


def test_a_marquee_chooses_what_it_touches_and_shift_adds(three):
    x, y = middle(three.node("Start"))
    ex, ey = middle(three.node("Middle"))
    drag(three.page, (x - 130, y - 90), (ex, ey + 60))
    assert chosen(three) == {"Start", "Middle"}
    three.page.keyboard.down("Shift")
    three.page.mouse.click(*middle(three.node("End")))
    three.page.keyboard.up("Shift")
    assert chosen(three) == {"Start", "Middle", "End"}
    three.page.mouse.click(*open_space(three))
    assert chosen(three) == set()


def test_many_are_dragged_together_and_snap_to_the_grid(three):
    three.page.locator(".canvas").focus()
    three.page.keyboard.press("Control+a")
    x, y = middle(three.node("Middle"))
    before = {name: place(three, name) for name in ["Start", "Middle", "End"]}
    drag(three.page, (x, y), (x + 47, y + 83))
    after = {name: place(three, name) for name in before}
    shifts = {(after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in before}
    assert len(shifts) == 1 and shifts != {(0, 0)}
    assert all(value % 20 == 0 for value in after["Middle"])
    three.page.keyboard.press("Control+z")
    assert {name: place(three, name) for name in before} == before


def test_guides_show_where_a_node_lines_up_and_it_snaps_to_them(three):
    page = three.page
    x, y = middle(three.node("End"))
    scale = view(three)["k"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 100, steps=4)
    page.mouse.move(x + 30, y + 3, steps=4)
    expect(page.locator(".guide.y")).to_be_visible()
    page.mouse.up()
    assert place(three, "End")[1] == place(three, "Middle")[1] == 0
    assert abs(place(three, "End")[0] - 560 - 30 / scale) <= 20
    expect(page.locator(".guide.y")).to_be_hidden()


def test_an_end_of_an_edge_is_moved_elsewhere_and_dropped_on_nothing_it_goes(three):
    page = three.page
    port = middle(three.port("End", "in"))
    grip = port[0] - 30, port[1]
    drag(page, grip, open_space(three))
    assert three.edges() == {("Start", 0, "Middle", 0)}
    page.keyboard.press("Control+z")
    # The near end of the edge into Middle is moved to End.
    into = middle(three.port("Middle", "in"))
    drag(page, (into[0] - 30, into[1]), middle(three.node("End")))
    assert three.edges() == {("Start", 0, "End", 0), ("Middle", 0, "End", 0)}


def test_a_node_is_inserted_into_an_edge(three):
    page = three.page
    page.mouse.click(*between(middle(three.port("Start")), middle(three.port("Middle", "in"))))
    page.get_by_role("button", name="Insert a node").click()
    choose(page, "Limit")
    expect(three.node("Limit")).to_be_visible()
    assert three.edges() == {("Start", 0, "Limit", 0), ("Limit", 0, "Middle", 0), ("Middle", 0, "End", 0)}
    # What follows has made room.
    assert place(three, "Start")[0] < place(three, "Limit")[0] < place(three, "Middle")[0] < place(three, "End")[0]


def test_a_node_dropped_on_an_edge_is_put_into_it(server, studio, desk):
    nodes = [start(connections=["end"]), step("End", (560, 0)), step("Loose", (280, 200))]
    page = desk.open(blank(server, studio["api_key"], "Splice", nodes))
    drag(page, middle(desk.node("Loose")), between(middle(desk.port("Start")), middle(desk.port("End", "in"))))
    assert desk.edges() == {("Start", 0, "Loose", 0), ("Loose", 0, "End", 0)}
    page.keyboard.press("Control+z")
    assert desk.edges() == {("Start", 0, "End", 0)} and place(desk, "Loose") == [280, 200]
    desk.saved()


def test_a_line_drawn_with_alt_cuts_the_edges_it_crosses(three):
    page = three.page
    x, y = between(middle(three.port("Start")), middle(three.port("Middle", "in")))
    page.keyboard.down("Alt")
    drag(page, (x, y - 80), (x, y + 80))
    page.keyboard.up("Alt")
    assert three.edges() == {("Middle", 0, "End", 0)}
    three.saved()


def test_what_leads_to_a_node_and_what_follows_it_is_chosen_by_a_key(three):
    three.node("Middle").click()
    three.page.keyboard.press("]")
    assert chosen(three) == {"Middle", "End"}
    three.node("Middle").click()
    three.page.keyboard.press("[")
    assert chosen(three) == {"Start", "Middle"}
    three.page.keyboard.press("0")
    assert view(three)["k"] == pytest.approx(1)
    three.page.keyboard.press("F2")
    expect(three.page.get_by_label("Name of the node")).to_be_focused()


def test_a_wheel_with_control_zooms_at_the_cursor_and_without_pans(three):
    page = three.page
    at = middle(three.node("End"))
    page.mouse.move(*at)
    before = view(three)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    holds(page, "k => document.querySelector('workflow-editor').editor.canvas.view.k > k", before["k"])
    now = middle(three.node("End"))
    assert abs(now[0] - at[0]) < 2 and abs(now[1] - at[1]) < 2
    zoomed = view(three)
    page.mouse.wheel(60, 90)
    holds(page, "y => document.querySelector('workflow-editor').editor.canvas.view.y !== y", zoomed["y"])
    assert (view(three)["x"], view(three)["y"]) == (zoomed["x"] - 60, zoomed["y"] - 90)


def test_space_and_the_middle_button_pan_and_fit_shows_all(three):
    page = three.page
    x, y = open_space(three)
    before = view(three)
    page.keyboard.down("Space")
    drag(page, (x, y), (x + 300, y + 200))
    page.keyboard.up("Space")
    assert (view(three)["x"], view(three)["y"]) == (before["x"] + 300, before["y"] + 200)
    drag(page, (x, y), (x + 50, y), button="middle")
    assert view(three)["x"] == before["x"] + 350
    page.get_by_role("button", name="Fit", exact=True).click()
    assert view(three) == before


def test_the_minimap_shows_where_one_is_and_leads_elsewhere(three):
    box = three.page.locator(".minimap").bounding_box()
    before = view(three)
    three.page.mouse.click(box["x"] + box["width"] - 20, box["y"] + 20)
    assert view(three)["k"] == before["k"]
    assert view(three)["x"] < before["x"] and view(three)["y"] > before["y"]


def test_nodes_are_copied_cut_pasted_and_duplicated_with_what_is_between_them(three):
    page = three.page
    x, y = middle(three.node("Middle"))
    ex, ey = middle(three.node("End"))
    drag(page, (x - 20, y - 90), (ex, ey + 60))
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(three.node("Middle 2")).to_be_visible()
    assert ("Middle 2", 0, "End 2", 0) in three.edges()
    page.keyboard.press("Control+x")
    expect(three.node("Middle 2")).to_have_count(0)
    page.keyboard.press("Control+v")
    expect(three.node("Middle 2")).to_be_visible()
    page.keyboard.press("Control+d")
    expect(three.node("End 3")).to_be_visible()
    assert ("Middle 3", 0, "End 3", 0) in three.edges()
    # Across tabs, since it is the system's clipboard.
    other = Desk(three.server, three.context.browser, "stu@example.com", permissions=["clipboard-read", "clipboard-write"])
    other.new()
    other.page.evaluate("text => navigator.clipboard.writeText(text)", page.evaluate("navigator.clipboard.readText()"))
    other.page.locator(".canvas").focus()
    other.page.keyboard.press("Control+v")
    expect(other.node("Middle 2")).to_be_visible()
    assert other.edges() == {("Middle 2", 0, "End 2", 0)}
    other.saved()
    other.close()
    three.saved()


def test_a_file_dropped_on_the_canvas_is_taken_in(three):
    text = json.dumps({"nodes": [{"id": "x", "name": "Dropped", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [0, 300], "parameters": {}}], "connections": {}})
    three.page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], 'flow.json', { type: 'application/json' }));
          document.querySelector('.canvas').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }""", text)
    expect(three.node("Dropped")).to_be_visible()
    three.saved()


def test_undo_and_redo_take_steps_back_and_forth(three):
    page = three.page
    first = three.document()
    page.locator(".canvas").focus()
    for text in ["Limit", "Filter"]:
        page.keyboard.press("n")
        choose(page, text)
        expect(three.node(text)).to_be_visible()
    last = three.document()
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    assert three.document() == first
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    assert three.document() == last
    three.saved()


def test_a_node_is_disabled_and_deleting_one_joins_its_neighbours(three):
    page = three.page
    three.node("Middle").click()
    page.keyboard.press("d")
    expect(three.node("Middle")).to_have_class("node action off chosen")
    page.keyboard.press("d")
    page.keyboard.press("Delete")
    assert three.edges() == {("Start", 0, "End", 0)}
    three.saved()


def test_a_new_name_is_followed_by_the_expressions_that_speak_of_it(server, studio, desk):
    nodes = [start(connections=["reads"]), step("Reads", (280, 0), "set", config=field("a", "={{ $('Start').item.json.b }}"))]
    page = desk.open(blank(server, studio["api_key"], "Names", nodes))
    desk.node("Start").dblclick()
    page.get_by_label("Name of the node").fill("Begins")
    page.keyboard.press("Escape")
    expect(desk.node("Begins")).to_be_visible()
    reads = next(one for one in desk.document()["nodes"] if one["name"] == "Reads")
    assert reads["config"]["assignments"]["assignments"][0]["value"] == "={{ $('Begins').item.json.b }}"
    desk.saved()


def test_notes_are_written_coloured_and_resized(three):
    page = three.page
    page.locator(".canvas").focus()
    page.keyboard.press("s")
    page.get_by_label("Text", exact=True).fill("Why this is here")
    page.get_by_label("Colour").select_option("Green")
    page.keyboard.press("Escape")
    note = page.locator(".node.sticky")
    expect(note).to_contain_text("Why this is here")
    expect(note).to_have_attribute("data-color", "4")
    note.dblclick()
    page.get_by_label("Text", exact=True).fill("## Why\n\nIt *is* [here](javascript:alert(1)) <b>now</b>\n\n- one")
    page.keyboard.press("Escape")
    expect(note.locator(".heading.level-2")).to_have_text("Why")
    expect(note.locator("em")).to_have_text("is")
    expect(note.locator("li")).to_have_text("one")
    expect(note).to_contain_text("<b>now</b>")
    assert note.locator("a, b:not([data-resize]), img").count() == 0
    page.get_by_role("button", name="Fit", exact=True).click()
    x, y = middle(note.locator(".resize"))
    drag(page, (x, y), (x + 90, y + 70))
    config = next(one["config"] for one in three.document()["nodes"] if one["kind"] == "sticky_note")
    assert config["width"] > 240 and config["height"] > 160 and config["width"] % 20 == 0
    three.saved()


def test_a_link_in_a_note_opens_a_page_of_its_own_and_is_a_grip_of_the_note_too(three):
    page = three.page
    page.locator(".canvas").focus()
    page.keyboard.press("s")
    page.get_by_label("Text", exact=True).fill(f"[There]({three.server.base}/sign-in)")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Fit", exact=True).click()
    link = page.get_by_role("link", name="There", exact=True)
    before = place(three, "Note")
    x, y = middle(link)
    drag(page, (x, y), (x + 100, y + 60))
    assert place(three, "Note") != before and len(three.context.pages) == 1

    def opened(act):
        with three.context.expect_page() as other:
            act()
        other.value.wait_for_load_state()
        assert other.value.url.startswith(f"{three.server.base}/") and other.value.evaluate("opener") is None
        other.value.close()
        assert len(three.context.pages) == 1

    opened(lambda: page.mouse.click(*middle(link)))
    expect(page.locator(".node.sticky.chosen")).to_be_visible()
    opened(lambda: (link.focus(), page.keyboard.press("Enter")))
    expect(page.get_by_role("dialog")).to_have_count(0)
    three.saved()


def test_what_is_chosen_is_grouped_named_coloured_moved_copied_and_ungrouped(three):
    page = three.page
    three.node("Start").click()
    page.keyboard.press("]")
    page.keyboard.press("Control+g")
    page.get_by_label("Text", exact=True).fill("Greeting")
    page.get_by_label("Colour").select_option("Purple")
    page.keyboard.press("Escape")
    frame = page.locator(".node.group")
    expect(frame).to_have_attribute("data-color", "6")
    expect(frame).to_have_attribute("aria-label", "Greeting, Group")
    page.get_by_role("button", name="Fit", exact=True).click()
    box = frame.bounding_box()
    before = {name: place(three, name) for name in ["Start", "Middle", "End", "Note"]}
    grip = box["x"] + 20, box["y"] + box["height"] - 12
    drag(page, grip, (grip[0] + 60, grip[1] + 40))
    after = {name: place(three, name) for name in before}
    assert len({(after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in before}) == 1 and after != before
    page.keyboard.press("Control+d")
    expect(three.node("End 2")).to_be_visible()
    assert page.locator(".node.group").count() == 2 and ("Start 2", 0, "Middle 2", 0) in three.edges()
    page.keyboard.press("Control+z")
    expect(three.node("End 2")).to_have_count(0)
    frame.focus()
    page.keyboard.press("Control+k")
    choose(page, "Select all")
    page.keyboard.press("Control+Shift+g")
    expect(frame).to_have_count(0)
    assert chosen(three) == {"Start", "Middle", "End"}
    three.saved()


def test_a_node_is_found_by_what_stands_in_it_and_shown(three):
    page = three.page
    page.keyboard.press("Control+k")
    choose(page, "word")
    expect(three.node("Middle")).to_be_focused()
    page.keyboard.press("Control+k")
    choose(page, "Arrange")
    expect(page.locator("#announcements")).to_contain_text("The nodes are arranged")
    three.saved()


def test_pinned_data_stands_in_for_a_node_and_a_field_is_dragged_into_a_parameter(three):
    page = three.page
    three.node("Start").dblclick()
    page.get_by_role("button", name="Edit its data").click()
    page.get_by_label("Items as JSON").fill('[{"name": "Ana", "town": {"zip": "1010"}}]')
    page.get_by_role("button", name="Pin", exact=True).last.click()
    page.keyboard.press("Escape")
    three.node("Middle").dblclick()
    panel = page.locator(".node-panel")
    source = panel.get_by_role("button", name="Use name")
    source.drag_to(panel.get_by_label("Value", exact=True))
    expect(panel.get_by_label("Value", exact=True)).to_have_value("one{{ $json.name }}")
    expect(panel.locator("output.result").first).to_have_text("oneAna")
    panel.get_by_role("button", name="Schema").first.click()
    expect(panel.get_by_role("button", name="Use zip")).to_be_visible()
    page.get_by_role("button", name="Run to here").click()
    expect(panel.locator(".data-body").last).to_contain_text("oneAna")
    page.keyboard.press("Escape")
    # It went no further.
    expect(three.node("Middle")).to_have_attribute("data-status", "succeeded")
    expect(three.node("End")).to_have_attribute("data-status", "")
    expect(page.locator(".edges .count").first).to_have_text("1 item")


def test_past_runs_are_looked_at_again_retried_and_their_data_copied(server, studio, desk):
    nodes = [start(connections=["fields"]), step("Fields", (280, 0), "set", config=field("who", "ana"), connections=["refuse"]),
             step("Refuse", (560, 0), "stop_and_error", config={"errorMessage": "no"})]
    page = desk.open(blank(server, studio["api_key"], "Runs", nodes))
    page.get_by_role("button", name="Try it").click()
    expect(desk.node("Refuse")).to_have_attribute("data-status", "failed")
    page.get_by_role("button", name="Leave the run").click()
    expect(desk.node("Refuse")).to_have_attribute("data-status", "")
    page.get_by_role("button", name="Runs", exact=True).click()
    expect(page.get_by_role("option").first).to_contain_text("Failed")
    page.keyboard.press("Enter")
    expect(desk.node("Fields")).to_have_attribute("data-status", "succeeded")
    first = page.get_by_role("link", name="Run", exact=True).get_attribute("href")
    page.get_by_role("button", name="Copy its data into the editor").click()
    expect(page.locator(".message")).to_contain_text("What started the run is pinned")
    assert "Start" in desk.document()["pinned_data"]
    page.get_by_role("button", name="Retry from the failure").click()
    expect(page.get_by_role("link", name="Run", exact=True)).not_to_have_attribute("href", first)
    expect(desk.node("Refuse")).to_have_attribute("data-status", "failed")
    page.get_by_role("button", name="Actions of Fields").click()
    expect(page.get_by_role("menuitem", name="Run again from here")).to_be_visible()
    page.keyboard.press("Escape")
    desk.saved()


def test_two_runs_are_compared_node_by_node(server, studio, desk):
    nodes = [start(connections=["same"]), step("Same", (280, 0), connections=["fields"]), step("Fields", (560, 0), "set", config=field("word", "one"))]
    page = desk.open(blank(server, studio["api_key"], "Compared", nodes))
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".message")).to_contain_text("The run succeeded")
    desk.node("Fields").dblclick()
    page.locator(".node-panel").get_by_label("Value", exact=True).fill("two")
    page.keyboard.press("Escape")
    first = page.get_by_role("link", name="Run", exact=True).get_attribute("href")
    page.get_by_role("button", name="Try it").click()
    holds(page, "first => document.querySelector('.run-bar a')?.getAttribute('href') !== first", first)
    expect(page.locator(".run-bar .status")).to_have_text("Succeeded")
    page.get_by_role("button", name="Compare with…").click()
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    table = page.get_by_role("dialog").get_by_role("table")
    expect(table.locator("tr.differs")).to_have_count(1)
    expect(table.locator("tr.differs")).to_contain_text("Fields")
    expect(table.locator("tr.differs pre").first).to_contain_text('"two"')
    expect(table.locator("tr.differs pre").last).to_contain_text('"one"')
    page.keyboard.press("Escape")
    desk.saved()


def test_an_expression_is_completed_from_fields_nodes_and_functions(server, studio, desk):
    nodes = [start(connections=["reads"]), step("Reads", (280, 0), "set", config=field("a", "=")), step("Apart", (280, 200))]
    document = {"name": "Completed", "nodes": nodes, "pinned_data": {"Start": [{"json": {"name": "Ana", "town": {"zip": "1010"}}}]}}
    made = server.request("POST", "/v1/workflows", {"document": document}, key=studio["api_key"])[1]
    page = desk.open(made["id"])
    desk.node("Reads").dblclick()
    area = page.locator(".node-panel .expression textarea")
    area.focus()
    options = page.get_by_role("listbox", name="What can be written here").get_by_role("option")
    page.keyboard.type("{{ $js")
    expect(options).to_have_text(["$json"])
    page.keyboard.press("Enter")
    page.keyboard.type(".")
    expect(options).to_have_text(["name", "town"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type(".z")
    page.keyboard.press("Enter")
    page.keyboard.type(".")
    expect(options.first).to_have_text("length")
    # Escape closes the list and not the panel.
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    page.keyboard.press("Backspace")
    page.keyboard.type(" + $(")
    expect(options).to_have_count(0)
    page.keyboard.type("'")
    # Of the nodes those that come before.
    expect(options).to_have_text(["Start"])
    options.first.click()
    page.keyboard.type("').item.json.name }}")
    expect(area).to_have_value("{{ $json.town.zip + $('Start').item.json.name }}")
    page.get_by_role("button", name="Run to here").click()
    expect(page.locator(".data-body").last).to_contain_text("1010Ana")
    expect(page.locator("output.result").first).to_have_text("1010Ana")
    page.keyboard.press("Escape")
    expect(page.locator(".node-panel")).to_have_count(0)
    desk.saved()
