"""A customer's whole year, in the browser and over the API, with a test clock: after each step the ledger, the invoices, the provider and the
recurring revenue say the same."""

import datetime
import email
import email.policy
import sqlite3
import time
import uuid

import pytest
from playwright.sync_api import expect

from payments import Stripe
from server import Server
from test_browser import Desk, chromium  # noqa: F401
from test_notifications import Mailbox
from test_payments import PROFILE, Customer, operator

STARTER, PROFESSIONAL = 2900, 9900
# The customer's time goes forward only: its year is the next one.
YEAR = datetime.datetime.now(datetime.timezone.utc).year + 1


class Year(Customer):
    """The customer, with what must agree at every step."""

    def __init__(self, server, provider, desk):
        self.server, self.provider = server, provider
        self.key, self.tenant = desk.tenant["api_key"], desk.tenant["tenant"]["id"]
        self.operator = operator(server)
        status, tenant = self.operator.request("PATCH", f"/v1/tenants/{self.tenant}", {"features": ["sandbox"]})
        assert status == 200, tenant

    def call(self, method, path, body=None):
        # The smallest plan grants ten requests a second, of which the browser beside us needs some.
        time.sleep(0.15)
        return super().call(method, path, body)

    def to(self, day):
        assert self.call("PUT", "/v1/billing-clock", {"now": f"{day}T12:00:00Z"})[0] == 200
        self.provider.deliver_all()

    def open(self):
        return [invoice for invoice in self.list("invoices?limit=200") if invoice["due"] > 0]

    def check(self, monthly, due=0, held=None):
        """- monthly: what the subscription brings in a month · due: what open invoices ask for · held: what the provider has of theirs"""
        self.provider.deliver_all()
        assert sum(invoice["due"] for invoice in self.list("invoices?limit=200")) == due
        cash = self.agrees()
        disputes = sum(fee for fee in self.fees())
        if held is not None:
            assert self.provider.held() - self.taken() == held
        assert cash == self.provider.held() - self.taken() - disputes, "the ledger's cash is what the provider has"
        paid = sum(payment["amount"] - payment["refunded"] for payment in self.list("payments?limit=200"))
        assert self.provider.held() == paid, "each payment is at the provider, and each refund"
        revenue = self.operator.request("GET", "/v1/revenue?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z")[1]
        assert revenue["end"] == monthly
        moved = revenue["new"] + revenue["reactivation"] + revenue["expansion"] - revenue["contraction"] - revenue["churn"]
        assert revenue["start"] + moved == revenue["end"]
        assert self.operator.request("POST", "/v1/ledger/checks")[1] == {"faults": []}
        return revenue

    def postings(self, kind):
        return [posting for posting in self.list("ledger-postings?limit=200") if posting["kind"] == kind]

    def taken(self):
        """What a bank took back and did not return."""
        def of(kind):
            return sum(t["amount"] for p in self.postings(kind) for t in p["transfers"] if "receivable:" in t["debit"] + t["credit"])
        return of("dispute") - of("dispute_won")

    def fees(self):
        return [t["amount"] for p in self.postings("dispute") for t in p["transfers"] if t["debit"].startswith("provider_fees:")]

    def use(self, executions):
        """As many executions in the customer's present period as nobody could wait for: metered as the engine meters them, one row for all."""
        now = self.call("GET", "/v1/subscription")[1]["period_start"]
        at = int(datetime.datetime.fromisoformat(now.replace("Z", "+00:00")).timestamp() + 86_400) * 1_000_000
        with sqlite3.connect(self.server.folder / "aias.db", timeout=30) as database:
            database.create_function("aias_tenant", 0, lambda: uuid.UUID(self.tenant).bytes)
            database.execute(
                "INSERT INTO usage_events (tenant_id, key, metric, quantity, at, dimensions) VALUES (?, ?, ?, ?, ?, ?)",
                (uuid.UUID(self.tenant).bytes, "run:all", "executions", executions, at, "{}"))

    def limit(self):
        return {row["name"]: row["limit"] for row in self.list("usage")}["executions_per_month"]


@pytest.fixture(scope="module")
def year(tmp_path_factory, chromium):  # noqa: F811
    provider, mailbox = Stripe(), Mailbox()
    server = Server(tmp_path_factory.mktemp("year"), environment={
        "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{provider.port}", "AIAS_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}", **provider.environment()})
    server.environment["AIAS_PUBLIC_URL"] = server.base
    server.start()
    provider.receiver = f"{server.base}/v1/provider-events/stripe"
    desk = Desk(server, chromium, "yearly", "yara@example.com")
    yield Year(server, provider, desk), desk, mailbox
    desk.context.close()
    assert not desk.faults
    server.stop()
    provider.stop()
    mailbox.stop()


def told(mailbox, subject):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        texts = [email.message_from_string(text, policy=email.policy.default) for _, text in list(mailbox.mails)]
        found = [text.get_content() for text in texts if subject in text["Subject"]]
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no mail: {subject}, only {[text['Subject'] for text in texts]}")


def choose(page, plan):
    page.goto("/settings/billing")
    page.get_by_label("Plan", exact=True).select_option(plan)
    page.get_by_role("button", name="See what it comes to").click()


def test_a_year(year):
    customer, desk, mailbox = year
    page, provider = desk.page, customer.provider

    # January: a trial, begun in the browser; nothing is charged.
    customer.to(f"{YEAR}-01-10")
    desk.settings("Plan and billing")
    for label, value in (("Name", PROFILE["name"]), ("Street", PROFILE["street"]), ("Postal code", PROFILE["postal_code"]),
                         ("City", PROFILE["city"]), ("Country (two letters)", "US")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("option", name="Starter: 29.00 a month or 290.00 a year, USD")).to_be_attached()
    page.get_by_label("Begin with fourteen days at no price").check()
    page.get_by_role("button", name="See what it comes to").click()
    expect(page.get_by_text("Nothing is charged now.")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("On trial")).to_be_visible()
    customer.check(monthly=0)

    # The trial ends: the first invoice, told by mail, paid on the provider's page, where the card is kept.
    customer.to(f"{YEAR}-01-25")
    invoice = customer.open()[0]
    customer.check(monthly=STARTER, due=STARTER, held=0)
    assert "29.00 USD" in told(mailbox, f"Invoice {invoice['number']} for")[0]
    page.goto(f"/settings/billing/invoices/{invoice['id']}")
    page.get_by_role("button", name="Pay at Stripe").click()
    page.get_by_role("link", name="Go to Stripe").click()
    expect(page.get_by_role("heading", name="Stripe")).to_be_visible()
    page.get_by_role("button", name="Pay 29.00 USD").click()
    page.wait_for_url("**/settings/billing/invoices/*")
    expect(page.get_by_text("Settled")).to_be_visible()
    page.goto("/settings/billing")
    expect(page.get_by_text("Stripe visa 4242")).to_be_visible()
    customer.check(monthly=STARTER, held=STARTER)

    # February: up, in the middle of the period: to the cent what was shown, charged to the card at once.
    customer.to(f"{YEAR}-02-08")
    choose(page, "professional")
    shown = page.locator("dl.facts").nth(1).inner_text()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The subscription is changed.")).to_be_visible()
    upgrade = customer.list("invoices")[0]
    assert f"{upgrade['total'] / 100:,.2f} USD" in shown and upgrade["status"] == "paid"
    assert customer.limit() == 10_000
    held = STARTER + upgrade["total"]
    revenue = customer.check(monthly=PROFESSIONAL, held=held)
    assert (revenue["new"], revenue["expansion"]) == (STARTER, PROFESSIONAL - STARTER)

    # More than the plan includes, up to what was agreed: charged with the renewal.
    assert customer.call("PUT", "/v1/subscription/overage", {"overage_cap": 5000})[0] == 200
    assert customer.limit() == 15_000
    customer.use(11_500)
    # The card fails at the next renewal: told, then overdue, then told again; the plan lasts through the grace.
    provider.declining = True
    customer.to(f"{YEAR}-02-25")
    failed = customer.open()[0]
    assert failed["total"] == PROFESSIONAL + 750, "1,500 executions beyond the included 10,000"
    told(mailbox, f"Invoice {failed['number']} could not be paid")
    customer.check(monthly=PROFESSIONAL, due=failed["total"], held=held)
    customer.to(f"{YEAR}-03-12")
    told(mailbox, f"Invoice {failed['number']} is overdue")
    assert customer.call("GET", "/v1/subscription")[1]["status"] == "past_due" and customer.limit() == 15_000
    page.goto("/settings/billing")
    expect(page.get_by_text("An invoice is overdue")).to_be_visible()
    customer.to(f"{YEAR}-03-15")
    customer.check(monthly=PROFESSIONAL, due=failed["total"], held=held)
    # The bank lets the card through again: the next attempt of dunning pays, and the plan is active at once.
    provider.declining = False
    customer.to(f"{YEAR}-03-19")
    assert customer.open() == [] and customer.call("GET", "/v1/subscription")[1]["status"] == "active"
    held += failed["total"]
    customer.check(monthly=PROFESSIONAL, held=held)

    # April: the payment of March is disputed; use stops until it is won.
    customer.to(f"{YEAR}-03-26")
    march = customer.list("payments")[0]
    held += march["amount"]
    customer.check(monthly=PROFESSIONAL, held=held)
    provider.dispute(march["reference"], "opened")
    provider.deliver_all()
    assert customer.limit() == 0 and customer.list("payments")[0]["status"] == "disputed"
    customer.check(monthly=PROFESSIONAL, held=held - march["amount"])
    provider.dispute(march["reference"], "won")
    provider.deliver_all()
    assert customer.limit() == 15_000
    customer.check(monthly=PROFESSIONAL, held=held)

    # A part of it goes back, by an operator.
    status, note = customer.operator.request(
        "POST", f"/v1/tenants/{customer.tenant}/invoices/{march['invoice_id']}/credit-notes", {"amount": 1900, "payment_id": march["id"]})
    assert status == 201 and note["total"] == 1900
    held -= 1900
    customer.check(monthly=PROFESSIONAL, held=held)
    page.goto(f"/settings/billing/invoices/{note['id']}")
    expect(page.get_by_role("heading", name=f"Credit note {note['number']}")).to_be_visible()

    # Down at the end of the period, and months that pay themselves.
    choose(page, "starter")
    expect(page.get_by_text("From the next period")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    for month in range(4, 12):
        customer.to(f"{YEAR}-{month:02}-26")
        held += STARTER
        revenue = customer.check(monthly=STARTER, held=held)
    assert revenue["contraction"] == PROFESSIONAL - STARTER
    assert customer.limit() == 6_000

    # December: away at the end of what is paid.
    page.goto("/settings/billing")
    page.get_by_role("button", name="Cancel at the period's end").click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Ends", exact=True)).to_be_visible()
    customer.to(f"{YEAR}-12-28")
    page.goto("/settings/billing")
    expect(page.get_by_text("Cancelled").first).to_be_visible()
    revenue = customer.check(monthly=0, held=held)
    assert (revenue["churn"], revenue["customers_at_end"], revenue["customers_lost"]) == (STARTER, 0, 1)
    assert customer.limit() == 0
    numbers = sorted(int(i["number"].split("-")[-1]) for i in customer.list("invoices?limit=200") if i["kind"] == "invoice")
    assert numbers == list(range(1, len(numbers) + 1)), "no gap"


def test_the_pages_hold_in_the_dark_and_on_a_phone(year, tmp_path):
    customer, desk, _ = year
    page = desk.page
    invoice = customer.list("invoices")[0]["id"]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in (("overview", "/settings/billing"), ("invoice", f"/settings/billing/invoices/{invoice}")):
                page.goto(path)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width}"
                page.screenshot(path=tmp_path / f"billing-{name}-{scheme}-{width}.png", full_page=True)
