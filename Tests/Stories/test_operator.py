"""Those who run the platform: their pages, and their time in a tenant, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from documents import greeting
from test_browser import Desk, chromium  # noqa: F401

WAIT_MS = 30_000


class Office:
    """An operator's browser, signed in by the link that the command prints."""

    def __init__(self, server, chromium, email, **options):
        server.command("operator", "add", email, "--data", str(server.folder))
        self.faults = []
        self.context = chromium.new_context(base_url=server.base, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        link = server.command("operator", "link", email, "--data", str(server.folder)).stdout.strip()
        self.link = link[link.index("/operator"):]
        self.page.goto(self.link)
        self.page.get_by_role("button", name="Enter").click()
        self.page.wait_for_url("**/operator")


@pytest.fixture(scope="module")
def office(server, chromium):  # noqa: F811
    office = Office(server, chromium, "olga@example.com", viewport={"width": 1440, "height": 900})
    yield office
    office.context.close()
    assert not office.faults


@pytest.fixture(scope="module")
def client(server, chromium):  # noqa: F811
    """A tenant's owner at their own desk."""
    desk = Desk(server, chromium, "clientele", "clio@example.com", viewport={"width": 1440, "height": 900})
    desk.page.set_default_timeout(WAIT_MS)
    server.import_workflow(desk.tenant["api_key"], greeting("clio"))
    yield desk
    desk.context.close()


def open_tenant(page, name):
    page.goto(f"/operator?q={name}")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def test_tenants_are_found_and_ordered(server, office, client):
    server.create_tenant("second-client", plan="starter", owner="cleo@example.com")
    page = office.page
    page.goto("/operator")
    expect(page.get_by_role("heading", name="Tenants", level=1)).to_be_visible()
    page.get_by_label("Name or subdomain").fill("client")
    page.get_by_label("Order").select_option("By name")
    page.get_by_role("button", name="Search").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("clientele")
    page.get_by_label("Plan").select_option("Starter")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("second-client")
    page.get_by_label("Name or subdomain").fill("nobody of this name")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="No tenant matches")).to_be_visible()


def test_a_link_works_once_and_a_tenants_owner_is_not_let_in(server, office, client):
    page = client.page
    for path in ("/operator", "/operator/health"):
        assert page.goto(path).status == 403
        expect(page.get_by_text("This is for those who run the platform")).to_be_visible()
    page.goto(office.link)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert")).to_contain_text("used or has expired")
    status, _, _ = server.request("GET", "/operator", key=client.tenant["api_key"])
    assert status == 403


def test_a_tenant_is_suspended_with_a_reason_and_resumed(server, office, client):
    page = office.page
    open_tenant(page, "clientele")
    page.get_by_role("button", name="Suspend").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Suspend clientele?")
    dialog.get_by_label("Reason").fill("The invoices of May and June are open")
    dialog.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("status").filter(has_text="The tenant is suspended.")).to_be_visible()
    expect(page.get_by_text("The invoices of May and June are open")).to_be_visible()
    assert server.request("GET", "/v1/tenant", key=client.tenant["api_key"])[0] == 403
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status").filter(has_text="The tenant is active again.")).to_be_visible()
    assert server.request("GET", "/v1/tenant", key=client.tenant["api_key"])[0] == 200


def test_an_operator_looks_into_a_tenant_and_the_owner_sees_it_and_ends_it(office, client):
    page = office.page
    open_tenant(page, "clientele")
    page.get_by_label("Reason").last.fill("Ticket 4711: the greeting fails")
    page.get_by_role("button", name="Enter").click()
    page.wait_for_url("**/dashboard")
    banner = page.get_by_role("complementary", name="You are an operator in this tenant")
    expect(banner).to_contain_text("You may look, not change.")
    for path in ("/workflows", "/settings", "/executions", "/settings/usage"):
        page.goto(path)
        expect(banner).to_be_visible()
    page.goto("/workflows")
    page.get_by_role("link", name="Greeting").click()
    expect(banner).to_be_visible()
    answer = page.request.post("/settings", form={"name": "Mine", "time_zone": "UTC"})
    assert answer.status == 403
    owner = client.page
    owner.goto("/settings/operator-access")
    row = owner.get_by_role("row", name=re.compile("Ticket 4711"))
    expect(row).to_contain_text("olga@example.com")
    expect(row).to_contain_text("In here now")
    owner.goto("/settings/audit-log")
    expect(owner.get_by_role("row", name=re.compile("Entered the tenant as an operator")).first).to_contain_text("olga@example.com")
    owner.goto("/settings/operator-access")
    row.get_by_role("button", name="End now").click()
    expect(owner.get_by_role("status").filter(has_text="The access is ended.")).to_be_visible()
    page.goto("/workflows")
    expect(page.get_by_role("heading", name="Your time in the tenant is over")).to_be_visible()
    office.faults[:] = [fault for fault in office.faults if "403" not in fault]
    page.get_by_role("link", name="To the tenants").click()
    expect(page.get_by_role("heading", name="Tenants", level=1)).to_be_visible()


def test_an_operator_mends_something_as_a_named_role_and_leaves(server, office, client):
    page = office.page
    open_tenant(page, "clientele")
    page.get_by_label("Reason").last.fill("Ticket 4712: the time zone is wrong")
    page.get_by_label("Role").select_option("Admin")
    page.get_by_label("For", exact=True).select_option("60 minutes")
    page.get_by_role("button", name="Enter").click()
    page.wait_for_url("**/dashboard")
    page.goto("/settings")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    assert page.goto("/operator").status == 200
    page.goto("/settings")
    page.get_by_role("button", name="End now").click()
    page.wait_for_url("**/operator/tenants/*")
    expect(page.get_by_role("status").filter(has_text="You are out of the tenant.")).to_be_visible()
    log = server.request("GET", "/v1/audit-log?limit=20", key=client.tenant["api_key"])[1]["data"]
    change = next(entry for entry in log if entry["action"] == "tenant.update")
    accesses = server.request("GET", "/v1/operator-accesses", key=client.tenant["api_key"])[1]["data"]
    assert change["actor"] == f"operator:{accesses[0]['operator_id']}" and change["details"]["impersonation"] == accesses[0]["id"]
    assert accesses[0]["role"] == "admin" and accesses[0]["ended_at"]


def test_the_state_of_the_platform_is_on_one_page(server, office):
    server.command("backup", "create", "--data", str(server.folder))
    page = office.page
    page.goto("/operator/health")
    expect(page.get_by_role("heading", name="State", level=1)).to_be_visible()
    process = page.get_by_role("region", name="Processes").locator("tbody tr")
    expect(process).to_have_count(1)
    expect(process).to_contain_text("gateway, scheduler, worker")
    expect(process).to_contain_text("Held")
    data = page.get_by_role("region", name="Data and backups")
    expect(data).to_contain_text("SQLite")
    expect(data).to_contain_text("aias-")
    expect(data).to_contain_text("Never tested")
    expect(page.get_by_role("region", name="Queues").locator("tbody tr")).to_have_count(4)
    expect(page.get_by_text("No delivery was given up.")).to_be_visible()
