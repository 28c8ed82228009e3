"""The figures of the business: eight months of customers pass on a server whose clock is behind, and those who run the platform read what came of
them, to the cent of what was paid, down to the rows; members of paying tenants say how satisfied they are."""

import datetime
import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from crash.faults import FAKETIME, shifted
from server import Server
from test_browser import Desk, chromium  # noqa: F401
from test_operator import Office
from test_payments import PROFILE, Operator
from test_selling import shot

MONTHS = 8
STARTER, PROFESSIONAL = 2900, 9900


def month(back, later=datetime.timedelta()):
    """The calendar month so many before this one, or before that of a later time."""
    today = datetime.datetime.now(datetime.timezone.utc) + later
    count = today.year * 12 + today.month - 1 - back
    return datetime.datetime(count // 12, count % 12 + 1, 1, tzinfo=datetime.timezone.utc)


class History:
    """A server that lives through the months, a stay in each."""

    def __init__(self, folder):
        self.server, self.customers, self.paid, self.lines = Server(folder), {}, {}, 0
        self.server.create_tenant("runners", owner="olga@example.com")

    def go(self, back):
        self.server.stop()
        for name in shifted(""):
            self.server.environment.pop(name, None)
        if back:
            # Each stay is later in its month than the one before, so that what is renewed in it is paid in it.
            behind = int(time.time() - month(back).timestamp() - (4 - back / 4) * 86_400)
            self.server.environment.update(shifted(f"-{behind}"))
        self.server.start()
        self.operator = Operator(self.server)
        self.month = month(back).strftime("%Y-%m")
        for name in self.customers:
            # Whatever was due is gone over first.
            self.call(name, "PUT", "/v1/subscription/overage", {"overage_cap": 0})

    def call(self, name, method, path, body=None):
        while True:
            status, answer, headers = self.server.request(method, path, body, key=self.customers[name]["api_key"])
            if status != 429:
                return status, answer
            time.sleep(float(headers.get("Retry-After") or 1))

    def subscribe(self, name, plan):
        if name not in self.customers:
            self.customers[name] = self.server.create_tenant(name, owner=f"{name}@example.com")
            assert self.call(name, "PUT", "/v1/billing-profile", PROFILE)[0] == 200
        status, answer = self.call(name, "POST", "/v1/subscription", {"plan": plan})
        assert status == 201, answer

    def pay_all(self):
        for name in self.customers:
            for invoice in self.call(name, "GET", "/v1/invoices")[1]["data"]:
                if invoice["due"]:
                    self.lines += 1
                    line = f"B{self.lines};{invoice['due'] / 100:.2f};USD;{invoice['number']}"
                    status, report = self.operator.request(
                        "POST", "/v1/bank-statements", {"format": "csv", "content": f"id;amount;currency;text\n{line}"})
                    assert status == 200 and report["matched"] == 1, report
                    self.paid[self.month] = self.paid.get(self.month, 0) + invoice["due"]

    def live(self):
        # All of it is told from one month: it does not begin in the last minutes of one.
        while month(0) != month(0, datetime.timedelta(minutes=10)):
            time.sleep(5)
        self.server.start()
        for back in range(MONTHS - 1, -1, -1):
            self.go(back)
            match MONTHS - 1 - back:
                case 0:
                    self.subscribe("first", "starter")
                    self.subscribe("second", "starter")
                case 1:
                    self.subscribe("third", "professional")
                case 2:
                    assert self.call("first", "POST", "/v1/subscription/changes", {"plan": "professional"})[0] == 200
                case 3:
                    assert self.call("second", "PUT", "/v1/subscription/cancellation")[0] in (200, 204)
                case 4:
                    self.subscribe("fourth", "starter")
                case 6:
                    self.subscribe("second", "starter")
            self.pay_all()


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    assert FAKETIME.exists(), "run bin/setup --test"
    history = History(tmp_path_factory.mktemp("figures"))
    history.live()
    yield history
    history.server.stop()


@pytest.fixture(scope="module")
def office(history, chromium):  # noqa: F811
    office = Office(history.server, chromium, "olga@example.com", viewport={"width": 1440, "height": 900})
    yield office
    office.context.close()
    # The browser itself notes the answer to a form that was filled in wrongly.
    assert not [fault for fault in office.faults if "422" not in fault]


def months(history):
    return {row["month"]: row for row in history.operator.request("GET", f"/v1/revenue/months?months={MONTHS}")[1]["data"]}


def test_the_months_are_what_was_paid(history):
    rows = months(history)
    assert {name: row["collected"] for name, row in rows.items() if row["collected"]} == history.paid
    names = sorted(rows)
    ends = [rows[name]["revenue"]["end"] for name in names]
    assert ends[:4] == [2 * STARTER, 2 * STARTER + PROFESSIONAL, STARTER + 2 * PROFESSIONAL, STARTER + 2 * PROFESSIONAL]
    moves = [history.operator.request("GET", f"/v1/revenue/months/{name}")[1]["moves"] for name in names]
    assert ends[-1] == 2 * STARTER + 2 * PROFESSIONAL, (ends, moves)
    upgrade = rows[names[2]]["revenue"]
    assert upgrade["net_retention_basis_points"] == round(10_000 * ends[2] / ends[1]) and upgrade["gross_retention_basis_points"] == 10_000
    assert sum(row["revenue"]["reactivation"] for row in rows.values()) == STARTER
    assert sum(row["revenue"]["churn"] for row in rows.values()) == STARTER
    for name in names:
        detail = history.operator.request("GET", f"/v1/revenue/months/{name}")[1]
        assert sum(one["amount"] for one in detail["collections"]) == rows[name]["collected"]
        assert sum(one["amount"] for one in detail["moves"] if one["kind"] == "new") == rows[name]["revenue"]["new"]
    cohorts = history.operator.request("GET", f"/v1/revenue/cohorts?months={MONTHS}")[1]["data"]
    assert [cohort["customers"] for cohort in cohorts] == [2, 1, 1]
    assert sum(age["collected"] for cohort in cohorts for age in cohort["ages"]) == sum(history.paid.values())
    status, forecast = history.operator.request("GET", "/v1/revenue/forecast?steps=3")
    assert status == 200 and forecast["history"] == ends[:-1] and len(forecast["points"]) == 3
    for point in forecast["points"]:
        assert point["wide_low"] <= point["likely_low"] <= point["mean"] <= point["likely_high"] <= point["wide_high"]
    assert history.operator.request("GET", "/v1/revenue/forecast?currency=EUR")[1]["code"] == "history_short"
    assert history.operator.request("POST", "/v1/ledger/checks")[1] == {"faults": []}


def test_the_operator_reads_them_and_enters_what_was_spent(history, office):
    page = office.page
    page.get_by_role("link", name="Figures", exact=True).click()
    expect(page.get_by_role("heading", name="Figures", level=1)).to_be_visible()
    rows = months(history)
    names = sorted(rows)
    tile = page.locator(".tile", has_text="Recurring revenue (MRR)")
    expect(tile.locator(".figure")).to_have_text(f"{rows[names[-1]]['revenue']['end'] / 100:,.2f}")
    expect(page.locator("#cohorts + *, .cohorts tbody tr")).not_to_have_count(0)
    expect(page.locator("svg path.band")).to_have_count(2)
    expect(page.get_by_text("never paid before")).to_be_visible()
    # What was spent, by the form and from a file.
    page.get_by_role("link", name="Spend and targets").click()
    page.get_by_label("Month").first.fill(names[1])
    page.get_by_label("Where").fill("ads")
    page.get_by_label("Amount, USD").fill("150.00")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_label("CSV").fill(f"month,source,amount\n{names[0]},fairs,lots")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Line 2: lots is no amount.").first).to_be_visible()
    page.get_by_label("CSV").fill(f"month,source,amount\n{names[0]},fairs,100.00\n{names[4]},ads,80.00")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(f"{names[0]} fairs 100.00"))).to_be_visible()
    page.get_by_label("Month").last.fill(names[-1])
    page.get_by_label("Target").fill("300.00")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    shot(page, "figures-inputs")
    assert violations(page) == []
    rows = months(history)
    assert rows[names[1]]["acquisition_cost"] == 15_000 and rows[names[0]]["acquisition_cost"] == 5_000
    assert rows[names[1]]["payback_hundredths"] == round(15_000 * 100 / PROFESSIONAL)
    page.goto("/operator/figures")
    target = page.get_by_role("row", name=re.compile(f"{names[-1]}.*300.00"))
    expect(target).to_contain_text("256.00")
    expect(target).to_contain_text("85.33 %")
    shot(page, "figures")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"the page is wider than {width}"
            assert violations(page) == [], f"{scheme} at {width}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})
    # Down to the rows.
    page.get_by_role("link", name=names[2]).first.click()
    expect(page.get_by_role("heading", name=f"Figures of {names[2]}")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("first More .* 70.00"))).to_be_visible()
    expect(page.get_by_role("row", name="Collected")).to_contain_text(f"{history.paid[names[2]] / 100:,.2f}")
    shot(page, "figures-month")
    assert violations(page) == []


def test_a_member_of_a_paying_tenant_is_asked_once(history, office, chromium):  # noqa: F811
    desk = Desk(history.server, chromium, None, "first@example.com")
    page = desk.page
    question = page.get_by_role("group", name="How likely are you to recommend")
    expect(question).to_be_visible()
    shot(page, "question")
    assert violations(page) == []
    page.get_by_label("9", exact=True).check()
    page.get_by_label("What is the reason for your score?").fill("It <just> works")
    page.route("**/v1/satisfaction/answers", lambda route: route.fulfill(status=503, body=""), times=1)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="It was not sent.")).to_be_visible()
    # The browser remarks on what did not go.
    assert all("503" in fault for fault in desk.faults)
    desk.faults.clear()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Thank you.")).to_be_visible()
    with page.expect_response("**/v1/notifications/unread"):
        page.goto("/workflows")
    expect(question).to_have_count(0)
    desk.context.close()
    assert not desk.faults
    again = Desk(history.server, chromium, None, "first@example.com")
    assert again.page.request.get("/v1/satisfaction/question").json() == {"is_due": False}
    expect(again.page.get_by_role("group", name="How likely are you to recommend")).to_have_count(0)
    again.context.close()
    page = office.page
    page.goto("/operator/figures")
    page.get_by_role("link", name="Promoters (NPS)").click()
    expect(page.get_by_role("row", name=re.compile("9 It <just> works"))).to_be_visible()
    shot(page, "figures-answers")
    assert violations(page) == []


def violations(page):
    return [f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in Axe().run(page).response["violations"]]
