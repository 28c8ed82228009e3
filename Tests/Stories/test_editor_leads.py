"""Lead routing built from nothing with all its parameters, by mouse, by keyboard alone and by touch: tried out, published and called."""

import pytest
from playwright.sync_api import expect

from editor_desk import Desk, holds
from gestures import choose, drag, middle, rename, tap
from lead_desk import AMOUNT, ROUTES, Service, is_routed
from server import Server

PINNED = '[{"body": {"amount": 5000}}]'


@pytest.fixture(scope="module")
def service():
    service = Service()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, service):
    running = Server(tmp_path_factory.mktemp("leads"), environment={"AIAS_OUTBOUND_ALLOW": service.address}).start()
    running.create_tenant("studio", owner="stu@example.com")
    yield running
    running.stop()


def fitted(page):
    page.get_by_role("button", name="Fit", exact=True).click()


def opened(desk, name):
    desk.node(name).dblclick()
    expect(desk.page.locator(".node-panel .form-fields > *").first).to_be_visible()
    return desk.page.locator(".node-panel")


def left(page):
    page.keyboard.press("Escape")
    expect(page.locator(".node-panel")).to_have_count(0)


def published(page):
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".message")).to_contain_text("Version 1 is published")


def test_leads_are_routed_by_a_workflow_built_by_mouse(server, service, chromium):
    desk = Desk(server, chromium, "stu@example.com")
    page = desk.new()
    page.get_by_role("button", name="Choose what starts it").click()
    choose(page, "Webhook")
    panel = opened(desk, "Webhook")
    panel.get_by_label("Method", exact=True).select_option("POST")
    panel.get_by_role("textbox", name="Path").fill("leads-mouse")
    panel.get_by_label("Respond", exact=True).select_option("From a respond node")
    left(page)
    x, y = middle(desk.port("Webhook"))
    drag(page, (x, y), (x + 160, y))
    choose(page, "If")
    panel = opened(desk, "If")
    panel.get_by_role("button", name="Add a condition").click()
    panel.get_by_label("Type", exact=True).select_option("Number")
    panel.get_by_label("Condition", exact=True).select_option("is more than")
    panel.get_by_label("Value", exact=True).fill(AMOUNT)
    panel.get_by_label("Compared with", exact=True).fill("1000")
    left(page)
    fitted(page)
    for output, kind, name, dy in [(0, "HTTP request", "Sales", -120), (1, "Edit fields", "Nurture", 120)]:
        x, y = middle(desk.port("If", index=output))
        drag(page, (x, y), (x + 120, y + dy))
        choose(page, kind)
        expect(desk.node(kind)).to_be_visible()
        opened(desk, kind)
        rename(page, name)
        left(page)
        fitted(page)
    panel = opened(desk, "Sales")
    panel.get_by_label("Method", exact=True).select_option("POST")
    panel.get_by_role("textbox", name="Address").fill(f"http://{service.address}/leads")
    left(page)
    panel = opened(desk, "Nurture")
    panel.get_by_role("button", name="Add a field").click()
    panel.get_by_label("Field", exact=True).fill("lane")
    panel.get_by_label("Value", exact=True).fill("nurture")
    left(page)
    x, y = middle(desk.port("Sales"))
    drag(page, (x, y), (x + 40, y - 100))
    choose(page, "Respond")
    opened(desk, "Respond to webhook")
    rename(page, "Answer")
    left(page)
    fitted(page)
    drag(page, middle(desk.port("Nurture")), middle(desk.port("Answer", "in")))
    assert desk.edges() == ROUTES
    page.get_by_role("button", name="Arrange").click()
    # Tried out with an example of what will come.
    panel = opened(desk, "Webhook")
    panel.get_by_role("button", name="Edit its data").click()
    page.get_by_label("Items as JSON").fill(PINNED)
    page.get_by_role("button", name="Pin", exact=True).last.click()
    left(page)
    page.get_by_role("button", name="Try it").click()
    expect(desk.node("Answer")).to_have_attribute("data-status", "succeeded")
    expect(desk.node("Sales")).to_have_attribute("data-status", "succeeded")
    expect(desk.node("Nurture")).not_to_have_attribute("data-status", "succeeded")
    published(page)
    is_routed(server, service, "leads-mouse")
    desk.close()


@pytest.mark.parametrize("late", [False, True])
def test_leads_are_routed_by_a_workflow_built_by_keyboard_alone(server, service, chromium, late):
    desk = Desk(server, chromium, "stu@example.com", late)
    page = desk.new()
    path = f"leads-keys-{late}".lower()

    def keys(*names):
        for name in names:
            page.keyboard.press(name)

    def type_into(label, text, at=page):
        """To a control by Tab, as it is reached by hand, and what is typed there."""
        for _ in range(80):
            if page.evaluate("label => { const e = document.activeElement; return [e.ariaLabel, ...[...(e.labels ?? [])].map((one) => one.textContent), e.textContent].some((one) => one?.replace(' *', '').trim() === label) && e.tagName !== 'BUTTON'; }", label):
                break
            page.keyboard.press("Tab")
        else:
            raise AssertionError(f"no way by Tab to {label}")
        if page.evaluate("document.activeElement.tagName") == "SELECT":
            page.keyboard.type(text)
        else:
            page.keyboard.press("Control+a")
            page.keyboard.type(text)

    def press(label):
        """To a button by Tab, and pressed."""
        for _ in range(120):
            if page.evaluate("label => { const e = document.activeElement; return e.tagName === 'BUTTON' && [e.ariaLabel, e.textContent].includes(label); }", label):
                break
            page.keyboard.press("Tab")
        else:
            raise AssertionError(f"no way by Tab to the button {label}")
        page.keyboard.press("Enter")

    def panel_is_open():
        expect(page.locator(".node-panel .form-fields > *").first).to_be_visible()

    def go(name):
        keys("Control+k")
        page.keyboard.type(name)
        keys("Enter")

    press("Add a node")
    page.keyboard.type("Webhook")
    keys("Enter", "Enter")
    panel_is_open()
    type_into("Path", path)
    type_into("Respond", "From")
    keys("Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab")
    type_into("Method", "POST")
    keys("Escape", "a")
    page.keyboard.type("If")
    keys("Enter", "Enter")
    panel_is_open()
    press("Add a condition")
    type_into("Type", "Number")
    type_into("Condition", "is more")
    keys("Shift+Tab", "Shift+Tab")
    type_into("Value", AMOUNT)
    type_into("Compared with", "1000")
    keys("Escape")
    for output, kind, name in [("true", "HTTP request", "Sales"), ("false", "Edit fields", "Nurture")]:
        go("If")
        keys("a")
        page.keyboard.type(output)
        keys("Enter")
        page.keyboard.type(kind)
        keys("Enter", "Enter")
        panel_is_open()
        if name == "Sales":
            type_into("Address", f"http://{service.address}/leads")
            keys("Shift+Tab", "Shift+Tab", "Shift+Tab")
            type_into("Method", "POST")
        else:
            press("Add a field")
            type_into("Field", "lane")
            type_into("Value", "nurture")
        page.get_by_label("Name of the node").focus()
        keys("Control+a")
        page.keyboard.type(name)
        keys("Enter", "Escape")
    keys("a")
    page.keyboard.type("Respond to")
    keys("Enter", "Enter")
    panel_is_open()
    page.get_by_label("Name of the node").focus()
    keys("Control+a")
    page.keyboard.type("Answer")
    # Without Enter: a name counts when its field is left.
    keys("Escape")
    go("Sales")
    keys("c")
    page.keyboard.type("Answer")
    keys("Enter")
    expect(page.locator("#announcements")).to_contain_text("is connected to")
    assert desk.edges() == ROUTES
    keys("Control+k")
    page.keyboard.type("Publish")
    keys("Enter")
    expect(page.get_by_role("dialog").get_by_label("What is new")).to_be_focused()
    press("Publish")
    expect(page.locator(".message")).to_contain_text("Version 1 is published")
    is_routed(server, service, path)
    desk.close()


def test_leads_are_routed_by_a_workflow_built_by_touch(server, service, chromium):
    desk = Desk(server, chromium, "stu@example.com", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = desk.new()

    def pick(text):
        expect(page.get_by_role("combobox")).to_be_visible()
        tap(page, page.get_by_role("combobox"))
        page.get_by_role("combobox").fill(text)
        tap(page, page.get_by_role("option").first)

    def open_panel(name):
        fitted(page)
        tap(page, desk.node(name))
        tap(page, desk.node(name))
        panel = page.locator(".node-panel")
        expect(panel.locator(".form-fields > *").first).to_be_visible()
        return panel

    def close_panel():
        tap(page, page.locator(".node-panel > header [data-close]"))
        expect(page.locator(".node-panel")).to_have_count(0)

    def add_behind(name, output, kind, new):
        fitted(page)
        tap(page, desk.port(name, index=output))
        tap(page, page.locator(".message").get_by_role("button", name="Add the next node"))
        pick(kind)
        expect(desk.node(kind)).to_have_count(1)
        panel = open_panel(kind)
        panel.get_by_label("Name of the node").fill(new)
        return panel

    tap(page, page.get_by_role("button", name="Choose what starts it"))
    pick("Webhook")
    panel = open_panel("Webhook")
    panel.get_by_label("Method", exact=True).select_option("POST")
    panel.get_by_role("textbox", name="Path").fill("leads-touch")
    panel.get_by_label("Respond", exact=True).select_option("From a respond node")
    close_panel()
    panel = add_behind("Webhook", 0, "If", "If")
    tap(page, panel.get_by_role("button", name="Add a condition"))
    panel.get_by_label("Type", exact=True).select_option("Number")
    panel.get_by_label("Condition", exact=True).select_option("is more than")
    panel.get_by_label("Value", exact=True).fill(AMOUNT)
    panel.get_by_label("Compared with", exact=True).fill("1000")
    close_panel()
    panel = add_behind("If", 0, "HTTP request", "Sales")
    panel.get_by_label("Method", exact=True).select_option("POST")
    panel.get_by_role("textbox", name="Address").fill(f"http://{service.address}/leads")
    close_panel()
    panel = add_behind("If", 1, "Edit fields", "Nurture")
    tap(page, panel.get_by_role("button", name="Add a field"))
    panel.get_by_label("Field", exact=True).fill("lane")
    panel.get_by_label("Value", exact=True).fill("nurture")
    close_panel()
    add_behind("Sales", 0, "Respond to webhook", "Answer")
    close_panel()
    fitted(page)
    tap(page, desk.port("Nurture"))
    tap(page, desk.node("Answer"))
    assert desk.edges() == ROUTES
    # Two fingers zoom about the middle between them.
    before = page.evaluate("document.querySelector('workflow-editor').editor.canvas.view.k")
    touch = desk.context.new_cdp_session(page)
    x, y = middle(page.locator(".canvas"))
    two = lambda gap: [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": two(40)})
    touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": two(90)})
    holds(page, "before => document.querySelector('workflow-editor').editor.canvas.view.k > before * 1.5", before)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.get_by_role("button", name="Publish").tap()
    page.get_by_role("dialog").get_by_role("button", name="Publish").tap()
    expect(page.locator(".message")).to_contain_text("Version 1 is published")
    is_routed(server, service, "leads-touch")
    desk.close()
