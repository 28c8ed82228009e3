"""Consulting and courses as both sides meet them: hours from the offer to the paid invoice, and a course from its first lesson to a certificate that a
stranger verifies."""

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from server import Server
from test_browser import Desk, chromium  # noqa: F401
from test_operator import Office
from test_payments import PROFILE, operator
from test_selling import call, shot


@pytest.fixture(scope="module")
def hall(tmp_path_factory, chromium):  # noqa: F811
    server = Server(tmp_path_factory.mktemp("services"))
    server.environment["AIAS_PUBLIC_URL"] = server.base
    server.start()
    sela, bo = Desk(server, chromium, "studio", "sela@example.com"), Desk(server, chromium, "client", "bo@example.com")
    tax = {"form": "w9", "name": "Sela Seller", "country": "US", "tax_id": "12-3456789"}
    call(server, sela, "PUT", "/v1/payee", {"provider": "bank", "destination": "DE89370400440532013000", "tax": tax})
    call(server, bo, "PUT", "/v1/billing-profile", PROFILE)
    yield server, sela, bo
    for desk in (sela, bo):
        desk.context.close()
        # The browser itself notes the answers to what was refused.
        assert not [fault for fault in desk.faults if "422" not in fault and "409" not in fault]
    server.stop()


def looks_right(page, name):
    """Nothing for axe-core to find, no sideways scrolling on a phone, no text without a translation."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}, {scheme}: {found.generate_report()}"
    page.emulate_media(color_scheme="light")
    assert "billing." not in page.locator("main").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.set_viewport_size({"width": 1280, "height": 900})
    shot(page, name)


def pay(server, desk):
    """The customer's bank pays all that is open."""
    lines = ["id;amount;currency;text"]
    for invoice in call(server, desk, "GET", "/v1/invoices")["data"]:
        if invoice["due"]:
            lines.append(f"B-{invoice['number']};{invoice['due'] / 100:.2f};USD;{invoice['number']}")
    status, report = operator(server).request("POST", "/v1/bank-statements", {"format": "csv", "content": "\n".join(lines)})
    assert status == 200 and report["matched"] == len(lines) - 1, report


def told(page, text):
    """The notice that says so; it comes a moment after what it tells of."""
    deadline = time.monotonic() + 30
    while True:
        page.goto("/notifications")
        notice = page.get_by_role("listitem").filter(has_text=text)
        if notice.count() or time.monotonic() > deadline:
            expect(notice).to_have_count(1)
            return notice


def row(page, place, hours, what):
    page.get_by_label(f"Hours {place}", exact=True).fill(hours)
    page.get_by_label(f"What {place}", exact=True).fill(what)


def test_hours_are_offered_booked_worked_disputed_approved_and_paid(hall):
    server, sela, bo = hall
    page = sela.settings("Consulting")
    page.get_by_label("Title").fill("Workflow review")
    page.get_by_label("What it is about").fill("We look at your workflows together.\nYou get a list of what to mend.")
    page.get_by_label("Price of an hour in USD").fill("5.00")
    page.get_by_role("button", name="Offer it").click()
    expect(page.get_by_text("rate lies between 1000 and 1000000.")).to_be_visible()
    page.get_by_label("Price of an hour in USD").fill("250.00")
    page.get_by_role("button", name="Offer it").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    page = bo.settings("Consulting")
    looks_right(page, "consulting-market")
    page.get_by_role("link", name="Workflow review").click()
    page.get_by_label("Hours").fill("2:30")
    page.get_by_label("Wished for").fill("Tuesday afternoon")
    looks_right(page, "consulting-offer")
    page.get_by_role("button", name="Ask for these hours").click()
    expect(page.get_by_text("Asked for. You are told")).to_be_visible()
    booking = page.url

    page = sela.settings("Consulting")
    page.get_by_role("row", name="client").get_by_role("link").click()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted")).to_be_visible()
    row(page, 1, "1:30", "Looked at the lead routing")
    row(page, 2, "0.75", "Wrote down what to mend")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2:15 hours, 562.50 USD without tax")).to_be_visible()
    looks_right(page, "consulting-sheet")
    page.get_by_role("button", name="Submit to the customer").click()
    expect(page.get_by_text("Counts as approved from")).to_be_visible()

    page = bo.page
    told(page, "Workflow review: your booking was accepted")
    told(page, "Workflow review: a time sheet waits for your approval").get_by_role("button").click()
    page.wait_for_url(booking.split("?")[0])
    page.get_by_text("Something is wrong with it").click()
    page.get_by_label("What is wrong").fill("The writing took half an hour")
    looks_right(page, "consulting-approval")
    page.get_by_role("button", name="Dispute").click()
    expect(page.get_by_text("Disputed: The writing took half an hour")).to_be_visible()

    # What was put right is submitted again; more than was booked is not.
    page = sela.page
    page.reload()
    sheet = page.get_by_role("region", name="Time sheet 1")
    sheet.get_by_label("Hours 2", exact=True).fill("3:00")
    sheet.get_by_role("button", name="Save").click()
    expect(page.get_by_text("4:30 hours")).to_be_visible()
    sheet.get_by_role("button", name="Submit to the customer").click()
    expect(page.get_by_text("150 minutes are left; ask the customer for more first.")).to_be_visible()
    sheet.get_by_label("Hours 2", exact=True).fill("0:30")
    sheet.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2:00 hours, 500.00 USD")).to_be_visible()
    sheet.get_by_role("button", name="Submit to the customer").click()
    expect(page.get_by_text("Counts as approved from")).to_be_visible()

    page = bo.page
    page.reload()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Is invoiced by itself from")).to_be_visible()
    sela.page.reload()
    sela.page.get_by_role("button", name="Invoice what was approved").click()
    expect(sela.page.get_by_text("Invoiced", exact=True)).to_be_visible()
    page.reload()
    page.get_by_role("link", name="See the invoice").click()
    expect(page.get_by_text("Workflow review, sheet 1: 2:00 h at 250.00 USD")).to_be_visible()
    pay(server, bo)
    page = sela.settings("Earnings")
    expect(page.get_by_role("row", name=re.compile("Workflow review"))).to_contain_text("350.00 USD")
    assert operator(server).request("POST", "/v1/ledger/checks")[1] == {"faults": []}


LESSON = "# Begin here\n\nA *workflow* has **nodes**.\n\n- a trigger\n- a step\n\n<script>document.title = 'taken'</script>\n"
QUESTIONS = [("Which of these begins a run?", "* Trigger\nStep\nNote"), ("Which two hold steps?", "* Group\n* Workflow\nTenant"), ("What is kept?", "* Runs\nDreams")]


def answer(page, wrong):
    """The learner knows the answers; the page does not."""
    known = {question: [line[2:] for line in options.split("\n") if line.startswith("* ")] for question, options in QUESTIONS}
    assert "right" not in page.content().lower().replace("choose all that are right", "")
    for field in page.get_by_role("group").all():
        question = re.sub(r"^\d+\. ", "", field.locator("legend").inner_text())
        if not wrong:
            for option in known[question]:
                field.get_by_label(option, exact=True).check()
    page.get_by_role("button", name="Hand in").click()


def test_a_course_is_written_bought_learned_failed_passed_and_verified(hall, chromium):  # noqa: F811
    server, sela, bo = hall
    page = sela.settings("Courses")
    page.get_by_label("Title").fill("Building agents")
    page.get_by_label("Price for a person in USD").fill("499.00")
    page.get_by_label("Questions in an exam").fill("2")
    page.get_by_label("Minutes between attempts").fill("0")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Building agents", level=1)).to_be_visible()
    page.get_by_role("button", name="Sell it").click()
    expect(page.get_by_text("at least as many questions in its bank")).to_be_visible()
    for title in ("The first workflow", "The second"):
        page.get_by_text("Add a lesson").click()
        page.locator("#lesson_title-new").fill(title)
        page.locator("#lesson_text-new").fill(LESSON)
        page.locator("details[open]").get_by_role("button", name="Save").click()
        expect(page.get_by_text(title, exact=True)).to_be_visible()
    for question, options in QUESTIONS:
        page.get_by_text("Add a question").click()
        page.locator("#question-new").fill(question)
        page.locator("#options-new").fill(options)
        if options.count("*") > 1:
            page.locator("details[open]").get_by_label("Several can be chosen").check()
        page.locator("details[open]").get_by_role("button", name="Save").click()
        expect(page.get_by_text(question, exact=True)).to_be_visible()
    looks_right(page, "course-authoring")
    page.get_by_role("button", name="Sell it").click()
    expect(page.get_by_text("On sale")).to_be_visible()

    page = bo.settings("Courses")
    page.get_by_role("link", name="Building agents").click()
    page.get_by_label("Your name").fill("Bo Buyer")
    looks_right(page, "course-offer")
    page.get_by_role("button", name="Buy it for 499.00 USD without tax").click()
    expect(page.get_by_text("The lessons open as soon as the invoice is paid.")).to_be_visible()
    pay(server, bo)
    page.reload()
    learning = page.url.split("?")[0]
    page.get_by_role("link", name="The first workflow").click()
    expect(page.get_by_role("heading", name="Begin here")).to_be_visible()
    expect(page.get_by_text("<script>")).to_be_visible()
    looks_right(page, "course-lesson")
    page.get_by_role("button", name="Done, go on").click()
    expect(page.get_by_role("heading", name="The second", level=1)).to_be_visible()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Begin the exam").click()
    looks_right(page, "course-exam")
    answer(page, wrong=True)
    expect(page.get_by_text("Not passed: 0 % were right.")).to_be_visible()
    page.get_by_role("button", name="Begin the exam").click()
    answer(page, wrong=False)
    expect(page.get_by_text("Passed. Here is your certificate.")).to_be_visible()
    looks_right(page, "course-passed")
    address = page.locator("#certificate-link").inner_text()

    # A stranger verifies it, and sees at once when it was given back.
    stranger = chromium.new_context()
    page = stranger.new_page()
    page.goto(address)
    expect(page.get_by_text("This certificate is valid.")).to_be_visible()
    expect(page.get_by_text("Bo Buyer")).to_be_visible()
    expect(page.get_by_text("Issued by").locator("xpath=following-sibling::dd")).to_have_text("studio")
    assert page.evaluate("document.querySelector('img.badge').naturalWidth") > 0
    looks_right(page, "certificate")
    assert page.request.get(address).headers["x-robots-tag"] == "noindex"
    badge = page.request.get(f"{address}/badge.svg")
    assert badge.headers["content-type"].startswith("image/svg+xml") and "Certified" in badge.text() and "<script" not in badge.text()
    assert page.request.get(address[:-1] + ("0" if address[-1] != "0" else "1")).status == 404
    invoice = next(one for one in call(server, bo, "GET", "/v1/invoices")["data"] if one["total"] == 49900)
    note = {"amount": invoice["total"]}
    runner = operator(server)
    assert runner.request("POST", f"/v1/tenants/{bo.tenant['tenant']['id']}/invoices/{invoice['id']}/credit-notes", note)[0] == 201
    page.reload()
    expect(page.get_by_text("no longer holds: the course was given back")).to_be_visible()
    assert "Not valid" in page.request.get(f"{address}/badge.svg").text()
    looks_right(page, "certificate-revoked")
    stranger.close()
    bo.page.goto(learning)
    expect(bo.page.get_by_text("Refunded")).to_be_visible()
    assert runner.request("POST", "/v1/ledger/checks")[1] == {"faults": []}


def test_the_platform_itself_is_booked(hall, chromium):  # noqa: F811
    server, _, bo = hall
    office = Office(server, chromium, "omar@example.com")
    page = office.page
    page.get_by_role("link", name="Consulting", exact=True).click()
    page.get_by_label("Title").fill("Setting up")
    page.get_by_role("button", name="Offer it").click()
    expect(page.get_by_role("row", name="Setting up")).to_contain_text("200.00 USD")
    looks_right(page, "operator-consulting")
    offer = next(one for one in call(server, bo, "GET", "/v1/consulting-market")["data"] if one["title"] == "Setting up")
    assert "seller" not in offer
    call(server, bo, "POST", "/v1/consulting-bookings", {"offer_id": offer["id"], "minutes": 60})
    page.reload()
    page.get_by_role("row", name="client").get_by_role("link").click()
    page.get_by_role("button", name="Accept").click()
    row(page, 1, "0:50", "Set it up")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Submit to the customer").click()
    expect(page.get_by_text("Counts as approved from")).to_be_visible()
    looks_right(page, "operator-booking")
    booking = call(server, bo, "GET", "/v1/consulting-bookings")["data"][0]
    sheet = call(server, bo, "GET", f"/v1/consulting-bookings/{booking['id']}")["sheets"][0]
    assert call(server, bo, "POST", f"/v1/consulting-sheets/{sheet['id']}/approval")["amount"] == 16667
    page.reload()
    page.get_by_role("button", name="The work is done").click()
    expect(page.get_by_text("Completed")).to_be_visible()
    assert call(server, bo, "GET", "/v1/invoices")["data"][0]["total"] == 16667

    page.get_by_role("link", name="Courses", exact=True).click()
    page.get_by_label("Title").fill("How we work")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="How we work", level=1)).to_be_visible()
    looks_right(page, "operator-course")
    assert not [one["title"] for one in call(server, bo, "GET", "/v1/course-market")["data"] if one["title"] == "How we work"]
    office.context.close()
    assert not office.faults
