"""Coupons, add-ons, credit, sellers, affiliates and licences as people meet them: what is previewed is what is charged, and everybody sees their part."""

import os
import pathlib

import pytest
from playwright.sync_api import expect

from payments import Stripe
from server import Server
from test_browser import Desk, chromium  # noqa: F401
from test_payments import PROFILE, operator


@pytest.fixture(scope="module")
def shop(tmp_path_factory, chromium):  # noqa: F811
    provider = Stripe()
    server = Server(tmp_path_factory.mktemp("selling"), environment={
        "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{provider.port}", **provider.environment()})
    server.environment["AIAS_PUBLIC_URL"] = server.base
    server.start()
    provider.receiver = f"{server.base}/v1/provider-events/stripe"
    seller, buyer = Desk(server, chromium, "seller", "sela@example.com"), Desk(server, chromium, "buyer", "bo@example.com")
    yield server, provider, seller, buyer
    for desk in (seller, buyer):
        desk.context.close()
        # The browser itself notes the answer to a form that was filled in wrongly.
        assert not [fault for fault in desk.faults if "422" not in fault]
    server.stop()
    provider.stop()


def shot(page, name):
    """Pictures for people, where they are asked for."""
    folder = os.environ.get("AIAS_SHOTS")
    if not folder:
        return
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=pathlib.Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def call(server, desk, method, path, body=None):
    status, answer, _ = server.request(method, path, body, key=desk.tenant["api_key"])
    assert status < 300, answer
    return answer


def test_a_seller_brings_a_customer_and_both_see_their_part(shop):
    server, provider, seller, buyer = shop
    runner = operator(server)
    half = {"code": "half", "name": "Half price at first", "share_basis_points": 5000, "lasting": "once"}
    assert runner.request("POST", "/v1/coupons", half)[0] == 201
    seats = {"code": "seats", "name": "Five more seats", "monthly": 1200, "raises": "users", "units": 5}
    assert runner.request("POST", "/v1/add-ons", seats)[0] == 201

    # The seller says how it is paid, and takes a code.
    page = seller.settings("Earnings")
    page.get_by_label("Account", exact=True).fill("DE89 3704 0044 0532 0130 01")
    page.get_by_label("Name on the form").fill("Sela Seller")
    page.get_by_label("Country (two letters)").fill("US")
    page.get_by_label("Tax number").fill("12-3456789")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("or an IBAN.").last).to_be_visible()
    page.get_by_label("Account", exact=True).fill("DE89 3704 0044 0532 0130 00")
    page.get_by_label("Tax number").fill("12-3456789")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Bank transfer …3000")).to_be_visible()
    expect(page.get_by_text("12-3456789")).to_have_count(0)
    page.get_by_label("Your code").fill("sela")
    page.get_by_role("button", name="Become an affiliate").click()
    link = page.locator("#affiliate-link").inner_text()
    assert link == f"{server.base}/r/SELA"

    # The buyer follows the link, agrees, and subscribes at half the price.
    page = buyer.page
    page.goto(link)
    page.get_by_role("button", name="Remember it and go on").click()
    page.wait_for_url(lambda url: "/r/" not in url)
    page = buyer.settings("Plan and billing")
    for label, value in (("Name", PROFILE["name"]), ("City", PROFILE["city"]), ("Country (two letters)", "US")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_label("Coupon code").fill("half")
    page.get_by_role("button", name="See what it comes to").first.click()
    expect(page.get_by_text("-14.50 USD")).to_be_visible()
    expect(page.get_by_role("heading", name="What the next period will bring")).to_be_visible()
    shot(page, "preview")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The subscription is changed.")).to_be_visible()
    assert [invoice["total"] for invoice in call(server, buyer, "GET", "/v1/invoices")["data"]] == [1450]

    # Two packs of seats for the rest of the period, to the cent of the preview.
    page.get_by_label("How many: Five more seats").fill("2")
    page.get_by_role("row", name="Five more seats").get_by_role("button").click()
    expect(page.get_by_text("Five more seats: the rest of the period")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The subscription is changed.")).to_be_visible()
    users = {row["name"]: row["limit"] for row in call(server, buyer, "GET", "/v1/usage")["data"]}["users"]
    assert users == 13

    # Credit: some is given, some paid in at the provider.
    tenant = buyer.tenant["tenant"]["id"]
    grant = {"amount": 500, "reason": "Welcome", "expires_at": "2100-01-01T00:00:00Z"}
    assert runner.request("POST", f"/v1/tenants/{tenant}/wallet-grants", grant)[0] == 201
    page.goto("/settings/billing")
    expect(page.get_by_text("Of that given: Welcome")).to_be_visible()
    page.get_by_label("Amount in USD").fill("100")
    page.get_by_role("button", name="Pay credit in").click()
    target = page.get_by_role("link", name="Go to Stripe").get_attribute("href")
    provider.pay(provider.reference(target))
    provider.deliver_all()
    # What was open is paid first: the invoices of the plan and of the seats.
    open_invoices = [invoice for invoice in call(server, buyer, "GET", "/v1/invoices")["data"] if invoice["due"]]
    assert open_invoices == []

    # Something of the seller's is sold, and paid with credit at once.
    sale = {"key": "1", "seller": seller.tenant["tenant"]["id"], "listing": "reader", "kind": "template", "name": "Invoice reader", "amount": 1001}
    assert runner.request("POST", f"/v1/tenants/{tenant}/sales", sale)[0] == 201
    assert runner.request("POST", f"/v1/tenants/{tenant}/sales", sale)[1]["earned"] == 701
    page.goto("/settings/billing")
    expect(page.get_by_role("heading", name="Add-ons")).to_be_visible()
    shot(page, "billing")
    page = seller.settings("Earnings")
    expect(page.get_by_role("row", name="Invoice reader")).to_contain_text("7.01 USD")
    expect(page.get_by_text("Of that too fresh to be paid out")).to_be_visible()
    shot(page, "earnings")
    # A fifth of what was collected, net of given credit.
    brought = call(server, seller, "GET", "/v1/affiliate/referrals")["data"]
    assert len(brought) == 1 and brought[0]["earned"] > 0
    paid = [invoice for invoice in call(server, buyer, "GET", "/v1/invoices")["data"]]
    assert brought[0]["earned"] <= sum(invoice["paid"] for invoice in paid) // 5
    statement = call(server, seller, "GET", "/v1/earnings/statement?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z")
    assert "sale_share" in statement and "commission" in statement
    assert runner.request("POST", "/v1/ledger/checks")[1] == {"faults": []}
    secrets = ("DE89370400440532013000", "12-3456789")
    assert not any(secret in server.log.read_text() for secret in secrets)


def test_a_licence_is_sold_and_verified_without_the_server(shop, tmp_path):
    server, _, _, buyer = shop
    file = tmp_path / "licence.txt"
    made = server.command(
        "licence", "issue", "buyer", "--product", "White label", "--feature", "brand", "--seats", "50", "--price", "1200000", "--to", str(file),
        "--data", str(server.folder))
    key = server.command("licence", "key", "--data", str(server.folder)).stdout.strip()
    assert key in made.stdout
    found = server.command("licence", "verify", str(file), "--key", key)
    assert "White label" in found.stdout and "50 seats: valid" in found.stdout
    file.write_text(file.read_text().replace("AIAS-LICENCE-1\ne", "AIAS-LICENCE-1\nf"))
    assert server.command("licence", "verify", str(file), "--key", key, check=False).returncode != 0
    licence = call(server, buyer, "GET", "/v1/licences")["data"][0]
    # The card that was kept has paid its invoice.
    assert server.request("GET", f"/v1/licences/{licence['id']}/file", key=buyer.tenant["api_key"])[1].startswith("AIAS-LICENCE-1\n")
