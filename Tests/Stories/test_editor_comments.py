"""What people write on a workflow and its nodes: threads, answers, mentions that ring a bell, by mouse and by keyboard."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from editor_desk import Desk, blank, holds, picture
from gestures import start, step
from people import Mailbox, join
from server import Server

NODES = [start(connections=["fields"]), step("Fields", (280, 0), "set", connections=["end"]), step("End", (560, 120))]


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    mailbox = Mailbox()
    server = Server(tmp_path_factory.mktemp("comments"), environment={"AIAS_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}).start()
    key = server.create_tenant("team", owner="ana.lee@example.com")["api_key"]
    join(server, mailbox, key, "bea@example.com", "Bea", role="viewer")
    yield server, key
    server.stop()
    mailbox.stop()


def enter(desk, workflow, place=""):
    desk.page.goto(f"/workflows/{workflow}/editor{place}")
    desk.ready()
    holds(desk.page, "() => document.querySelector('workflow-editor').editor.comments")
    return desk.page


def violations(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], node["target"], node["failureSummary"][:200]) for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme,width", [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_a_comment_on_a_node_names_a_member_who_answers_and_resolves_it(team, chromium, scheme, width):
    server, key = team
    workflow = blank(server, key, f"Discussed {scheme} {width}", NODES)
    ana, bea = (
        Desk(server, chromium, email, color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
        for email in ("ana.lee@example.com", "bea@example.com"))
    one = enter(ana, workflow)
    # By keyboard alone: from the node to its comments, a member picked from those who fit, sent.
    ana.node("Fields").click()
    one.keyboard.press("m")
    area = one.get_by_role("textbox", name="Comment on: Fields")
    expect(area).to_be_focused()
    one.keyboard.type("Why is this set twice, @be")
    expect(one.get_by_role("option", name=re.compile("bea@example.com"))).to_be_visible()
    one.keyboard.press("Enter")
    expect(area).to_have_value("Why is this set twice, @bea ")
    one.keyboard.press("Control+Enter")
    thread = one.get_by_role("article", name="Comments on Fields")
    expect(thread).to_contain_text("Why is this set twice, @bea")
    expect(ana.node("Fields").locator(".talk")).to_have_text("1")
    expect(one.get_by_role("button", name="Comments (1)")).to_be_attached()
    assert "Open comments: 1" in ana.node("Fields").get_attribute("aria-label")
    picture(one, f"comments-{scheme}-{width}")
    assert not violations(one)
    # The bell rings for her, and leads to the thread.
    two = bea.page

    def rang():
        two.goto("/notifications")
        return two.get_by_text(f"ana.lee@example.com mentions you on Discussed {scheme} {width}").count()

    for _ in range(200):
        if rang():
            break
        two.wait_for_timeout(200)
    two.get_by_role("listitem").filter(has_text=f"Discussed {scheme} {width}").get_by_role("button", name="Open").click()
    bea.ready()
    answer = two.get_by_role("article", name="Comments on Fields").get_by_role("textbox", name="Answer…")
    expect(answer).to_be_visible()
    # A viewer may comment, but changes no one else's.
    expect(two.get_by_role("button", name="Edit your comment")).to_have_count(0)
    answer.fill("One is for the mail.")
    two.get_by_role("article", name="Comments on Fields").get_by_role("button", name="Send").click()
    expect(thread).to_contain_text("One is for the mail.")
    # Her own she changes, and deletes after a question.
    two.get_by_role("button", name="Edit your comment").click()
    two.get_by_role("textbox", name="Edit your comment").fill("One is for the letter.")
    two.get_by_role("button", name="Save").click()
    expect(thread).to_contain_text("One is for the letter.")
    two.get_by_role("button", name="Delete your comment").click()
    two.get_by_role("button", name="Delete it for good").click()
    expect(thread).not_to_contain_text("letter")
    # Resolved it is out of the way, and can be found and opened again.
    two.get_by_role("button", name="Resolve").click()
    expect(thread).to_have_count(0)
    expect(ana.node("Fields").locator(".talk")).to_be_hidden()
    one.get_by_label("Also what is resolved").check()
    expect(thread).to_contain_text("Resolved")
    thread.get_by_role("button", name="Open again").click()
    expect(ana.node("Fields").locator(".talk")).to_have_text("1")
    # A node that is deleted leaves what was said about it.
    one.get_by_role("button", name="Close").last.click() if width == 390 else one.keyboard.press("Escape")
    ana.node("Fields").focus()
    one.keyboard.press("Delete")
    one.keyboard.press("m")
    one.get_by_label("What the comments are about").select_option("")
    expect(one.get_by_role("article", name="Comments on A node that is gone")).to_be_visible()
    # On the workflow as a whole.
    one.get_by_role("textbox", name="Comment on: The workflow").fill("Ready for review")
    one.locator(".new").get_by_role("button", name="Send").click()
    expect(one.get_by_role("article", name="Comments on The workflow")).to_contain_text("Ready for review")
    ana.close()
    bea.close()


def test_comments_over_the_api_end_at_the_tenant(team):
    server, key = team
    workflow = blank(server, key, "API", NODES)
    place = f"/v1/workflows/{workflow}/comments"
    status, made, headers = server.request("POST", place, {"text": "From a program", "node": "end"}, key=key)
    assert status == 201 and made["mine"] and headers["Location"] == f"{place}/{made['id']}"
    stranger = server.create_tenant("strangers", owner="zed@example.com")["api_key"]
    for method, path, body in [
        ("GET", place, None), ("POST", place, {"text": "x"}), ("PUT", f"{place}/{made['id']}", {"text": "x"}),
        ("DELETE", f"{place}/{made['id']}", None), ("POST", f"{place}/{made['id']}/resolution", None), ("DELETE", f"{place}/{made['id']}/resolution", None)]:
        assert server.request(method, path, body, key=stranger)[0] == 404, (method, path)
    assert server.request("POST", f"{place}/{made['id']}/resolution", key=key)[1]["resolved_at"]
    assert len(server.request("GET", place, key=key)[1]["data"]) == 1
    assert server.request("DELETE", f"{place}/{made['id']}", key=key)[0] == 204
    assert server.request("GET", place, key=key)[1]["data"] == []


def test_a_comment_that_is_being_changed_stays_so_while_others_write(team, chromium):
    server, key = team
    workflow = blank(server, key, "Disturbed", NODES)
    ana = Desk(server, chromium, "ana.lee@example.com")
    page = enter(ana, workflow)
    ana.node("End").click()
    page.keyboard.press("m")
    page.get_by_role("textbox", name="Comment on: End").fill("First words")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Edit your comment").click()
    area = page.get_by_role("textbox", name="Edit your comment")
    area.fill("First words, and more")
    assert server.request("POST", f"/v1/workflows/{workflow}/comments", {"text": "In between", "node": "end"}, key=key)[0] == 201
    expect(page.get_by_text("In between")).to_be_visible()
    expect(area).to_have_value("First words, and more")
    expect(area).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(area).to_have_count(0)
    expect(page.get_by_text("First words, and more")).to_be_visible()
    ana.close()


def test_keys_that_change_a_draft_do_nothing_for_one_who_only_reads_it(team, chromium):
    server, key = team
    workflow = blank(server, key, "Read", NODES)
    bea = Desk(server, chromium, "bea@example.com")
    page = enter(bea, workflow)
    before = bea.document()
    page.evaluate("""() => {
        window.said = [];
        new MutationObserver(() => window.said.push(document.getElementById('announcements')?.textContent)).observe(document.body, { subtree: true, childList: true });
    }""")
    bea.node("End").click()
    page.evaluate("() => { window.said.length = 0; }")
    for pressed in ("s", "l", "Control+d", "ArrowRight", "Delete"):
        page.keyboard.press(pressed)
        page.wait_for_timeout(100)
    assert bea.document() == before
    expect(bea.node("End")).to_have_class(re.compile("chosen"))
    assert not [text for text in page.evaluate("window.said") if text and not text.startswith("End")], page.evaluate("window.said")
    bea.close()


def test_whoever_goes_by_keys_stays_where_they_acted(team, chromium):
    server, key = team
    workflow = blank(server, key, "Held", NODES)
    desk = Desk(server, chromium, "ana.lee@example.com")
    page = enter(desk, workflow)
    for text in ("first", "second"):
        status, made, _ = server.request("POST", f"/v1/workflows/{workflow}/comments", {"text": text, "node": "fields"}, key=key)
        assert status == 201, made
    page.get_by_role("button", name=re.compile("^Comments")).click()
    page.get_by_label("Also what is resolved").check()
    thread = page.locator(".thread", has_text="second")
    thread.get_by_role("button", name="Resolve").focus()
    page.keyboard.press("Enter")
    expect(thread.get_by_role("button", name="Open again")).to_be_focused()
    page.get_by_label("Also what is resolved").uncheck()
    page.locator(".thread", has_text="first").get_by_role("button", name="Resolve").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".thread")).to_have_count(0)
    expect(page.locator(".comments .new textarea")).to_be_focused()
    desk.close()
