"""Several people in one draft see each other: who is there, where the pointer is, what each has chosen or open; also over two gateways."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cluster import Cluster
from editor_desk import Desk, blank, holds, picture
from gestures import middle, start, step
from people import Mailbox, join
from server import Server

NODES = [start(connections=["fields"]), step("Fields", (280, 0), "set", connections=["end"]), step("End", (560, 120))]
# Before the page's own scripts: who is there already is told as soon as they run.
LISTEN = """window.said = []; new MutationObserver(() => {
  const text = document.getElementById('announcements')?.textContent;
  if (text && window.said.at(-1) !== text) window.said.push(text);
}).observe(document, { subtree: true, childList: true, characterData: true });"""


def enter(desk, workflow):
    """Opens the draft, and waits until this window has told of itself."""
    desk.page.add_init_script(LISTEN)
    page = desk.open(workflow)
    holds(page, "() => document.querySelector('workflow-editor').editor.presence?.number > 0")
    return page


def heard(page, text):
    holds(page, "(text) => window.said.includes(text)", text)
    return page.evaluate("(text) => window.said.filter((one) => one === text).length", text)


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """A server, the key of a tenant with Ana and Bea in it."""
    mailbox = Mailbox()
    server = Server(tmp_path_factory.mktemp("team"), environment={"AIAS_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}).start()
    key = server.create_tenant("team", owner="ana.lee@example.com")["api_key"]
    join(server, mailbox, key, "bea@example.com", "Bea")
    yield server, key
    server.stop()
    mailbox.stop()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_in_one_draft_see_each_other(team, chromium, scheme, width):
    server, key = team
    workflow = blank(server, key, "Together", NODES)
    ana, bea = (
        Desk(server, chromium, email, color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
        for email in ("ana.lee@example.com", "bea@example.com"))
    one = enter(ana, workflow)
    expect(one.locator(".people")).to_be_hidden()
    other = enter(bea, workflow)
    assert heard(one, "Bea joined") == 1
    assert heard(other, "Ana Lee is here") == 1
    expect(one.get_by_role("button", name="Go to Bea")).to_have_text("B")
    expect(other.get_by_role("button", name="Go to Ana Lee")).to_have_text("AL")
    # Where the pointer is, in the document: the same place in both views.
    x, y = middle(bea.node("End"))
    other.mouse.move(x, y)
    cursor = one.locator(".cursor")
    expect(cursor).to_be_visible()
    expect(cursor).to_have_text("Bea")
    box = one.locator(".canvas").bounding_box()
    at = one.evaluate("() => { const editor = document.querySelector('workflow-editor').editor; return [...editor.presence.others.values()][0].cursor; }")
    assert 560 <= at[0] <= 760 and 120 <= at[1] <= 184, (at, box)
    # What she has chosen, and what she has open.
    other.mouse.click(x, y)
    expect(one.locator(".hold")).to_have_text("Bea")
    assert "Bea is here" in ana.node("End").get_attribute("aria-label")
    bea.node("Fields").dblclick()
    expect(one.locator(".hold").filter(has_text="Bea edits this")).to_be_visible()
    violations = Axe().run(one, options={"resultTypes": ["violations"]}).response["violations"]
    assert not violations, [(found["id"], node["target"]) for found in violations for node in found["nodes"]]
    # The frame keeps to its node while the view moves.
    one.get_by_role("button", name="Go to Bea").click()
    one.mouse.move(*middle(one.locator(".canvas")))
    one.mouse.wheel(0, 60)
    hold, node = one.locator(".hold").filter(has_text="edits").bounding_box(), ana.node("Fields").bounding_box()
    assert abs(hold["x"] + hold["width"] / 2 - node["x"] - node["width"] / 2) < 3, (hold, node)
    picture(one, f"teamwork-{scheme}-{width}")
    # Whoever goes is gone, at once.
    other.goto("/workflows")
    assert heard(one, "Bea left") == 1
    expect(one.locator(".people")).to_be_hidden()
    expect(one.locator(".hold, .cursor")).to_have_count(0)
    ana.close()
    bea.close()


def test_a_node_that_another_takes_out_while_it_is_dragged_stays_gone(team, chromium):
    server, key = team
    workflow = blank(server, key, "Torn", NODES)
    ana, bea = (Desk(server, chromium, email) for email in ("ana.lee@example.com", "bea@example.com"))
    one, other = ana.open(workflow), bea.open(workflow)
    x, y = middle(ana.node("Fields"))
    one.mouse.move(x, y)
    one.mouse.down()
    one.mouse.move(x, y + 100, steps=4)
    bea.node("Fields").click()
    other.keyboard.press("Delete")
    bea.saved()
    expect(ana.node("Fields")).to_have_count(0)
    one.mouse.move(x, y + 140, steps=4)
    one.mouse.up()
    assert {node["name"] for node in ana.document()["nodes"]} == {"Start", "End"}
    ana.saved()
    ana.close()
    bea.close()


def test_a_window_whose_stream_was_refused_once_hears_of_changes_after_all(team, chromium):
    server, key = team
    workflow = blank(server, key, "Refused", NODES)
    ana = Desk(server, chromium, "ana.lee@example.com")
    ana.page.route(re.compile(r"/v1/live\?"), lambda route: route.fulfill(status=503, body=""), times=1)
    ana.open(workflow)
    nodes = [*NODES, step("Late", (840, 0))]
    body = {"document": {"name": "Refused", "nodes": nodes}, "revision": 1}
    assert server.request("PUT", f"/v1/workflows/{workflow}/draft", body, key=key)[0] == 200
    expect(ana.node("Late")).to_be_visible()
    ana.faults = [fault for fault in ana.faults if "503" not in fault]
    ana.close()


def test_what_another_changes_is_shown_where_it_is_open_and_written_on_from_there(team, chromium):
    server, key = team
    note = {"id": "note", "type": "action", "kind": "sticky_note", "name": "Note", "position": [0, 160], "config": {"content": "Old"}}
    workflow = blank(server, key, "Open", [*NODES, note])
    ana, bea = (Desk(server, chromium, email) for email in ("ana.lee@example.com", "bea@example.com"))
    one, other = ana.open(workflow), bea.open(workflow)
    change = """([id, patch]) => import('/assets/editor/commands.js').then((c) => {
        const { editor } = document.querySelector('workflow-editor');
        editor.run('x', c.change(editor.doc, id, patch));
    })"""
    ana.node("End").dblclick()
    one.locator(".settings summary").click()
    notes = one.locator(".settings").get_by_label("Notes")
    other.evaluate(change, ["end", {"notes": "from bea"}])
    expect(notes).to_have_value("from bea")
    notes.press("End")
    one.keyboard.type(", and ana")
    one.keyboard.press("Escape")
    ana.saved()
    one.locator(".node.sticky").dblclick()
    text = one.get_by_label("Text", exact=True)
    expect(text).to_have_value("Old")
    other.evaluate(change, ["note", {"config": {"content": "New"}}])
    expect(text).to_have_value("New")
    text.press("End")
    one.keyboard.type(" words")
    one.keyboard.press("Escape")
    ana.saved()
    found = {node["id"]: node for node in ana.document()["nodes"]}
    assert found["end"]["notes"] == "from bea, and ana" and found["note"]["config"]["content"] == "New words"
    ana.close()
    bea.close()


def test_where_somebody_is_is_told_only_within_the_tenant_and_kept_nowhere(team):
    server, key = team
    workflow = blank(server, key, "Private", NODES)
    strange = server.create_tenant("strangers", owner="zed@example.com")["api_key"]
    body = {"session": "s", "number": 1, "cursor": [1, 2], "nodes": ["end"]}
    assert server.request("POST", f"/v1/workflows/{workflow}/presence", body, key=key)[0] == 204
    assert server.request("POST", f"/v1/workflows/{workflow}/presence", body, key=strange)[0] == 404
    for wrong in [{**body, "cursor": [1]}, {**body, "nodes": ["x"] * 51}, {**body, "session": ""}, {**body, "nodes": ["x" * 101]}]:
        assert server.request("POST", f"/v1/workflows/{workflow}/presence", wrong, key=key)[0] == 422, wrong


@pytest.fixture(scope="module")
def deployment(postgres, tmp_path_factory):
    """Two gateways, a worker and a scheduler on one database."""
    cluster = Cluster(postgres.create("teamwork"), tmp_path_factory.mktemp("teamwork"), 1, gateway={"AIAS_LIVE_RUNS": "0"})
    cluster.gateway.key = cluster.gateway.create_tenant("team", owner="ana@example.com")["api_key"]
    cluster.start()
    gateway = cluster.gateway
    second = Server(cluster.gateway.folder.parent / "second", gateway.environment["AIAS_DATABASE_URL"], {
        name: value for name, value in gateway.environment.items() if name.startswith("AIAS_")})
    second.start()
    yield gateway, second
    second.stop()
    cluster.stop()


def test_people_at_two_gateways_see_each_other_and_each_others_changes_and_a_run_elsewhere(deployment, chromium):
    gateway, second = deployment
    workflow = blank(gateway, gateway.key, "Apart", NODES)
    ana, bea = Desk(gateway, chromium, "ana@example.com"), Desk(second, chromium, "ana@example.com")
    one, other = enter(ana, workflow), enter(bea, workflow)
    heard(one, "Ana joined")
    expect(one.locator(".avatar")).to_have_count(1)
    expect(other.locator(".avatar")).to_have_count(1)
    bea.node("End").click()
    expect(one.locator(".hold")).to_be_visible()
    # A change that is saved at one gateway is there at the other.
    other.keyboard.press("d")
    bea.saved()
    holds(one, "() => document.querySelector('workflow-editor').editor.doc.node('end').disabled")
    # A run that the worker has in hand is followed as it goes.
    one.get_by_role("button", name="Try it").click()
    expect(ana.node("Fields")).to_have_attribute("data-status", "succeeded")
    other.goto("/workflows")
    heard(one, "Ana left")
    ana.close()
    bea.close()
