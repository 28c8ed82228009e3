"""The console in a real browser: sign in by link, run a workflow, and manage a tenant's people, keys and credentials."""

import re
import shutil

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect, sync_playwright

from documents import greeting, keep, line, node

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WAIT_MS = 30_000
SECRET = "s3cret-of-the-crm"


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Desk:
    """Somebody signed in at a console, and what their browser complained about."""

    def __init__(self, server, chromium, tenant, owner, **options):
        self.server = server
        self.tenant = server.create_tenant(tenant, owner=owner) if tenant else None
        self.faults = []
        self.context = chromium.new_context(base_url=server.base, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        link = server.command("sign-in-link", owner, "--data", str(server.folder)).stdout.strip()
        self.page.goto(link[link.index("/sign-in"):])
        self.page.get_by_role("button").click()
        self.page.wait_for_url("**/dashboard")

    def settings(self, name):
        self.page.goto("/settings")
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()
        return self.page


@pytest.fixture(scope="module")
def desk(server, chromium):
    desk = Desk(server, chromium, "browser", "bea@example.com", permissions=["clipboard-read", "clipboard-write"])
    desk.server.import_workflow(desk.tenant["api_key"], greeting("browsed"))
    yield desk
    desk.context.close()
    assert not desk.faults


def test_a_run_is_started_and_watched(server, desk):
    server.import_workflow(desk.tenant["api_key"], line(
        "Report", node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="={{ 40 + 2 }}"),
        node("Stop", "stopAndError", 1, 400, errorMessage="The report is empty")))
    page = desk.page
    page.goto("/workflows")
    page.get_by_role("row", name="Report").get_by_role("button", name="Run").click()
    page.wait_for_url("**/executions/*")
    page.get_by_text("The report is empty").first.wait_for()
    page.locator("summary", has_text="Set").click()
    assert '"a": "42"' in page.locator(".steps").inner_text()
    page.goto("/executions")
    assert page.locator("tbody tr").count() == 1
    page.get_by_role("link", name="Succeeded").click()
    expect(page.get_by_text("None with this status")).to_be_visible()
    page.get_by_role("link", name="Failed").click()
    expect(page.get_by_role("row", name="Report")).to_be_visible()


def test_a_workflow_shows_its_webhook_and_is_taken_down_and_put_up_again(server, desk):
    page = desk.page
    page.goto("/workflows")
    page.get_by_role("link", name="Greeting").click()
    expect(page.locator("#hook-0")).to_have_text(f"http://localhost:{server.port}/hooks/browser/browsed")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#hook-0").inner_text()
    page.get_by_role("button", name="Unpublish").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Unpublish").click()
    expect(page.get_by_text("Nothing starts it any more")).to_be_visible()
    assert server.request("POST", "/hooks/browser/browsed", {"name": "Bea"})[0] == 404
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("row", name="2 Current")).to_contain_text("bea@example.com")
    assert server.request("POST", "/hooks/browser/browsed", {"name": "Bea"})[1] == {"greeting": "Hello Bea"}


def test_a_key_is_made_by_keyboard_and_calls_the_api(server, desk):
    page = desk.settings("API keys")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Reader")
    page.keyboard.press("Tab")
    page.keyboard.type("In 30")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "workflows.read":
            break
    page.keyboard.press("Space")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    secret = page.locator("#secret").inner_text()
    assert server.request("GET", "/v1/workflows", key=secret)[0] == 200
    assert server.request("GET", "/v1/credentials", key=secret)[0] == 403
    desk.settings("API keys")
    assert secret not in page.content()
    page.get_by_role("row", name="Reader").get_by_role("button", name="Revoke").press("Enter")
    page.keyboard.press("Escape")
    assert server.request("GET", "/v1/workflows", key=secret)[0] == 200
    page.get_by_role("row", name="Reader").get_by_role("button", name="Revoke").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Revoke").press("Enter")
    expect(page.get_by_text("The key is revoked")).to_be_visible()
    assert server.request("GET", "/v1/workflows", key=secret)[0] == 401


def test_somebody_is_invited(desk):
    page = desk.settings("Members")
    page.get_by_label("E-mail").fill("eve@example.com")
    page.get_by_label("Role", exact=True).select_option("Viewer")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("row", name="eve@example.com")).to_contain_text("Viewer")
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The invitation is revoked")).to_be_visible()
    assert page.get_by_text("eve@example.com").count() == 0
    desk.settings("Audit log")
    expect(page.get_by_role("row", name="Invited somebody")).to_contain_text("bea@example.com")


def test_a_credentials_secret_is_on_no_page(desk):
    page = desk.settings("Credentials")
    seen = []

    def keep_content(_):
        try:
            seen.append(page.content())
        except PlaywrightError:
            pass  # The page went on before it was read: the next one is.

    page.on("load", keep_content)
    page.get_by_role("link", name="Add a credential").click()
    page.get_by_role("link", name="Header Auth").click()
    page.get_by_label("Name").fill("CRM")
    # A page that was left while it loaded was not read: these are.
    keep_content(page)
    page.get_by_label("Header").fill("X-Key")
    page.get_by_label("Value").fill(SECRET)
    page.get_by_role("button", name="Save the credential").click()
    expect(page.get_by_text("X-Key")).to_be_visible()
    keep_content(page)
    page.get_by_label("Address to test against").fill(f"{desk.server.base}/healthz")
    page.get_by_role("button", name="Test").click()
    expect(page.locator(".notice")).to_be_visible()
    keep_content(page)
    desk.settings("Credentials")
    keep_content(page)
    page.get_by_role("link", name="CRM").click()
    expect(page.get_by_text("X-Key")).to_be_visible()
    page.wait_for_load_state()
    keep_content(page)
    page.remove_listener("load", keep_content)
    assert len(seen) >= 5 and not any(SECRET in content for content in seen)


def test_an_imported_workflow_is_given_the_credential_it_names(server, desk):
    fetch = node("Fetch", "httpRequest", 4.2, 200, url="https://shop.example/", authentication="genericCredentialType", genericAuthType="httpBearerAuth")
    fetch["credentials"] = {"httpBearerAuth": {"id": "7", "name": "Shop"}}
    made = server.import_workflow(desk.tenant["api_key"], line("Stock", node("Start", "manualTrigger", 1, 0), fetch))
    page = desk.page
    page.goto(f"/workflows/{made['workflow']['id']}")
    page.get_by_role("link", name="Add a credential").click()
    expect(page.get_by_label("Name")).to_have_value("Shop")
    page.get_by_label("Token").fill("t0ken")
    page.get_by_role("button", name="Save the credential").click()
    page.goto(f"/workflows/{made['workflow']['id']}")
    page.get_by_role("button", name="Use those of these names").click()
    expect(page.get_by_role("heading", name="Credentials it needs")).to_have_count(0)
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Its triggers start this version from now on")).to_be_visible()
    expect(page.get_by_role("heading", name="Credentials it needs")).to_have_count(0)


def test_a_run_that_waits_says_until_when(server, desk):
    key = desk.tenant["api_key"]
    made = server.import_workflow(key, line("Remind", node("Start", "manualTrigger", 1, 0), node("Wait", "wait", 1.1, 200, amount=2, unit="days")))
    status, run, _ = server.request("POST", f"/v1/workflows/{made['workflow']['id']}/executions", {}, key=key)
    assert status < 300, run
    desk.page.goto(f"/executions/{run['id']}")
    expect(desk.page.locator("#run").get_by_text("Waiting", exact=True)).to_be_visible()
    until = server.request("GET", f"/v1/executions/{run['id']}", key=key)[1]["resume_at"]
    goes_on = desk.page.get_by_text("Goes on", exact=True).locator("xpath=following-sibling::dd")
    expect(goes_on.locator("time")).to_have_attribute("datetime", until)
    desk.page.get_by_role("button", name="Cancel the run").first.click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Let it go on").click()
    desk.page.get_by_role("button", name="Cancel the run").first.click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(desk.page.locator("#run").get_by_text("Cancelled", exact=True)).to_be_visible()


# A text that is missing shows its key.
KEY = re.compile(r"\b(http|tenancy|workflows|gateway)\.[a-z_]+\.[a-z_]+")
PAGES = [
    "/workflows", "/executions", "/settings", "/settings/members", "/settings/api-keys", "/settings/credentials", "/settings/credentials/new",
    "/settings/credentials/new?type=smtp", "/settings/variables", "/settings/data-tables", "/settings/files", "/settings/audit-log", "/settings/usage", "/docs"]


def test_no_page_overflows_a_phone_or_breaks_its_markup(server, chromium, desk):
    phone = Desk(server, chromium, None, "bea@example.com", viewport={"width": 390, "height": 844}, color_scheme="dark")
    workflow = server.request("GET", "/v1/workflows", key=desk.tenant["api_key"])[1]["data"][0]["id"]
    for path in [*PAGES, f"/workflows/{workflow}"]:
        assert phone.page.goto(path).status == 200, path
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert "HTML(" not in phone.page.locator("body").inner_text(), path
        assert not KEY.search(phone.page.locator("main").inner_text()), path
    phone.context.close()
    assert not phone.faults


def test_a_long_name_stands_within_its_list(server, chromium, desk):
    key = desk.tenant["api_key"]
    name = "Charge the card of the customer and tell them by mail and by phone whether it went through or not, " + "x" * 60
    made = server.import_workflow(key, line(name, node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="1")))["workflow"]
    assert server.request("POST", f"/v1/workflows/{made['id']}/executions", {}, key=key)[0] < 300
    for width in (1440, 390):
        there = Desk(server, chromium, None, "bea@example.com", viewport={"width": width, "height": 900})
        for path in ("/workflows", "/executions"):
            there.page.goto(path)
            expect(there.page.get_by_role("link", name=name).first).to_be_visible()
            wide = there.page.locator(".table-scroll").evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth).length")
            assert wide == 0, (path, width)
        there.context.close()
        assert not there.faults


def test_on_a_phone_each_choice_says_what_it_is_for(server, chromium, desk):
    phone = Desk(server, chromium, None, "bea@example.com", viewport={"width": 390, "height": 844})
    page = phone.page
    page.goto("/settings/notifications")
    said = page.locator(".preferences td:not(.name)").evaluate_all("all => all.map((one) => getComputedStyle(one, '::before').content)")
    assert set(said) == {'"In the console: "', '"By mail: "'}
    page.goto("/settings/api-keys")
    bare = page.locator("label.tick").evaluate_all("all => all.filter((one) => !one.querySelector('.hint')).map((one) => one.textContent.trim())")
    assert bare == []
    phone.context.close()
    assert not phone.faults


def test_forms_work_without_scripts(server, chromium, desk):
    plain = Desk(server, chromium, None, "bea@example.com", java_script_enabled=False)
    page = plain.settings("Variables")
    page.get_by_label("Name").fill("1st")
    page.get_by_role("button", name="Save the variable").click()
    expect(page.get_by_label("Name")).to_have_value("1st")
    expect(page.locator("#name-fault")).to_be_visible()
    page.get_by_label("Name").fill("REGION")
    page.get_by_label("Value").fill("eu")
    page.get_by_role("button", name="Save the variable").click()
    expect(page.get_by_role("row", name="REGION")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No variable yet")).to_be_visible()
    plain.context.close()
