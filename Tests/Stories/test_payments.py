"""What every payment provider must do here, held against a stand-in of each: one suite, played for all of them."""

import json
import time

import pytest
import stripe as sdk

from payments import PayPal, Stripe, post
from server import Server

PROFILE = {"name": "Acme Inc", "street": "1 Main St", "postal_code": "10001", "city": "New York", "country": "US", "email": "books@example.com"}


@pytest.fixture(scope="module", params=[Stripe, PayPal], ids=lambda kind: kind.name)
def place(request, tmp_path_factory):
    provider = request.param()
    server = Server(tmp_path_factory.mktemp(provider.name), environment={
        "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{provider.port}", **provider.environment()}).start()
    provider.receiver = f"{server.base}/v1/provider-events/{provider.name}"
    yield server, provider
    server.stop()
    provider.stop()


class Customer:
    names = 0

    def __init__(self, server, provider, plan="starter"):
        Customer.names += 1
        self.server, self.provider = server, provider
        made = server.create_tenant(f"payer-{Customer.names}", plan="starter", owner=f"payer{Customer.names}@example.com")
        self.key, self.tenant = made["api_key"], made["tenant"]["id"]
        assert self.call("PUT", "/v1/billing-profile", PROFILE)[0] == 200
        status, outcome = self.call("POST", "/v1/subscription", {"plan": plan})
        assert status == 201
        self.invoice = outcome["invoices"][0]["id"]

    def call(self, method, path, body=None):
        while True:
            status, answer, headers = self.server.request(method, path, body, key=self.key)
            if status != 429:
                return status, answer
            # The plan's requests per second.
            time.sleep(float(headers.get("Retry-After") or 1))

    def list(self, name):
        return self.call("GET", f"/v1/{name}")[1]["data"]

    def of(self, invoice=None):
        return self.call("GET", f"/v1/invoices/{invoice or self.invoice}")[1]

    def page(self, invoice=None):
        status, page = self.call("POST", f"/v1/invoices/{invoice or self.invoice}/checkouts", {"provider": self.provider.name})
        assert status == 201, page
        return self.provider.reference(page["url"])

    def pay(self):
        self.provider.pay(self.page())
        self.provider.deliver_all()
        payment = self.list("payments")[0]
        assert self.of()["status"] == "paid"
        return payment

    def agrees(self):
        """The ledger of the tenant: what it owes is what its open invoices ask for and what banks hold back."""
        owed = prepaid = 0
        cash = 0
        for posting in self.list("ledger-postings?limit=200"):
            for transfer in posting["transfers"]:
                for side, sign in (("debit", 1), ("credit", -1)):
                    owed += sign * transfer["amount"] * transfer[side].startswith("receivable:")
                    prepaid -= sign * transfer["amount"] * transfer[side].startswith("wallet:")
                    cash += sign * transfer["amount"] * (transfer[side] == f"cash:{self.provider.name}")
        disputed = sum(p["amount"] - p["refunded"] for p in self.list("payments?limit=200") if p["status"] == "disputed")
        asked = sum(invoice["due"] for invoice in self.list("invoices?limit=200"))
        assert owed == asked + disputed, "what is owed is what is asked for, and what banks hold back"
        assert prepaid == sum(w["balance"] for w in self.list("wallet")), "the wallet is the ledger's"
        return cash


@pytest.fixture
def customer(place):
    place[1].events.clear()
    return Customer(*place)


def test_an_invoice_is_paid_on_the_providers_page_and_told_many_times(place, customer):
    _, provider = place
    assert customer.page() == customer.page(), "the same page for the same order"
    payment = customer.pay()
    assert (payment["provider"], payment["amount"], payment["status"]) == (provider.name, 2900, "received")
    for event in list(provider.told)[-4:] * 3:
        assert provider.deliver(event) == 200
    assert len(customer.list("payments")) == 1 and customer.list("wallet") == []
    assert customer.agrees() == 2900
    assert customer.call("POST", f"/v1/invoices/{customer.invoice}/checkouts", {"provider": provider.name})[1]["code"] == "nothing_due"


def test_what_the_provider_did_not_sign_is_not_believed(place, customer):
    server, provider = place
    provider.pay(customer.page())
    event = provider.events.pop(0)
    body, headers = provider.forged(event)
    assert post(provider.receiver, body, headers) == 401
    body, headers = provider.signed(event)
    assert post(provider.receiver, body.replace(b"2900", b"9900").replace(b"29.00", b"99.00"), headers) == 401
    assert post(provider.receiver, body, {}) == 401
    assert post(provider.receiver, b"{}", headers) in (400, 401)
    assert customer.list("payments") == []
    assert provider.deliver(event) == 200
    assert customer.of()["status"] == "paid"
    provider.events.clear()
    secrets = provider.environment().values()
    assert not any(value in server.log.read_text() for value in secrets if "http" not in value and len(value) > 8)


def test_what_is_saved_pays_the_next_invoice_and_a_refusal_is_told(place, customer):
    _, provider = place
    customer.pay()
    assert [method["provider"] for method in customer.list("payment-methods")] == [provider.name]
    status, change = customer.call("POST", "/v1/subscription/changes", {"plan": "professional"})
    assert status == 200
    upgrade = change["invoices"][0]
    assert customer.of(upgrade["id"])["status"] == "paid", "charged at once"
    provider.deliver_all()
    assert len(customer.list("payments")) == 2, "and the webhook of it changes nothing"
    provider.declining = True
    try:
        change = customer.call("POST", "/v1/subscription/changes", {"plan": "enterprise"})[1]
    finally:
        provider.declining = False
    declined = change["invoices"][0]["id"]
    assert customer.of(declined)["status"] == "open"
    provider.deliver_all()
    provider.pay(customer.page(declined))
    provider.deliver_all()
    assert customer.of(declined)["status"] == "paid"
    assert customer.agrees() == sum(i["total"] for i in customer.list("invoices"))
    assert customer.call("DELETE", f"/v1/payment-methods/{provider.name}")[0] == 204
    assert customer.list("payment-methods") == []


def test_a_provider_that_is_down_is_asked_again_under_the_same_key(place, customer):
    server, provider = place
    customer.pay()
    provider.down = True
    try:
        change = customer.call("POST", "/v1/subscription/changes", {"plan": "professional"})[1]
        assert customer.call("POST", f"/v1/invoices/{change['invoices'][0]['id']}/checkouts", {"provider": provider.name})[1]["code"] == (
            "provider_unavailable")
    finally:
        provider.down = False
    assert customer.of(change["invoices"][0]["id"])["status"] == "open"
    deadline = time.monotonic() + 90
    while customer.of(change["invoices"][0]["id"])["status"] == "open" and time.monotonic() < deadline:
        time.sleep(1)
        # Whatever is done at the till looks at what is to be asked again, as the duty of the platform does each minute.
        customer.call("PUT", "/v1/subscription/overage", {"overage_cap": 0})
    assert customer.of(change["invoices"][0]["id"])["status"] == "paid"
    assert customer.agrees() == 2900 + change["invoices"][0]["total"]


def credit(server, customer, amount, payment):
    """As somebody who runs the platform, in a browser's session."""
    return operator(server).request(
        "POST", f"/v1/tenants/{customer.tenant}/invoices/{customer.invoice}/credit-notes", {"amount": amount, "payment_id": payment["id"]})


class Operator:
    def __init__(self, server):
        import http.cookiejar
        import urllib.request

        self.base, jar = server.base, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        server.command("operator", "add", "olga@example.com", "--data", str(server.folder))
        link = server.command("sign-in-link", "olga@example.com", "--data", str(server.folder)).stdout.strip()
        token = link.split("token=")[1] if "token=" in link else link.rsplit("/", 1)[1]
        self.link, self.token = link, token
        self.sign_in(link[link.index("/sign-in"):])

    def sign_in(self, path):
        import re
        import urllib.parse

        page = self.opener.open(self.base + path).read().decode()
        action = re.search(r'<form[^>]*action="([^"]*)"', page)[1]
        fields = dict(re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page))
        self.opener.open(urllib.parse.urljoin(self.base + path, action), urllib.parse.urlencode(fields).encode())

    def request(self, method, path, body=None):
        import urllib.error
        import urllib.request

        request = urllib.request.Request(self.base + path, data=json.dumps(body).encode() if body is not None else None, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Origin", self.base)
        try:
            with self.opener.open(request) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


OPERATORS = {}


def operator(server):
    if server.base not in OPERATORS:
        server.create_tenant("runners", plan="custom", owner="olga@example.com")
        OPERATORS[server.base] = Operator(server)
    return OPERATORS[server.base]


def test_refunds_go_back_at_the_provider_and_never_more_than_was_paid(place, customer):
    server, provider = place
    payment = customer.pay()
    status, note = credit(server, customer, 900, payment)
    assert status == 201 and note["kind"] == "credit_note", note
    assert customer.agrees() == 2000
    assert credit(server, customer, 2001, payment)[1]["code"] == "exceeds_invoice"
    for event in list(provider.events) * 2:
        assert provider.deliver(event) == 200
    provider.events.clear()
    assert len([i for i in customer.list("invoices") if i["kind"] == "credit_note"]) == 1
    # What the provider refuses stays ours to give back: it is in the wallet.
    provider.refunds_fail = True
    try:
        assert credit(server, customer, 500, payment)[0] == 201
    finally:
        provider.refunds_fail = False
    assert customer.list("wallet") == [{"currency": "USD", "balance": 500}]
    assert customer.list("payments")[0]["refunded"] == 900
    assert customer.agrees() == 2000
    # Somebody refunds on the provider's own pages.
    provider.refund(payment["reference"], 100 if provider.name == "stripe" else "1.00", {} if provider.name == "stripe" else None)
    provider.deliver_all()
    assert customer.list("payments")[0]["refunded"] == 1000 and customer.agrees() == 1900


@pytest.mark.parametrize("order", [["opened", "won"], ["opened", "lost"], ["won", "opened"], ["lost", "opened", "opened", "lost"]], ids="-".join)
def test_disputes_are_applied_once_in_whatever_order(place, customer, order):
    server, provider = place
    payment = customer.pay()
    for outcome in order:
        provider.dispute(payment["reference"], outcome)
    events = list(provider.events)
    provider.events.clear()
    for event in events + events:
        assert provider.deliver(event) == 200
    isWon = "won" in order
    fee = 1500 if provider.name == "stripe" else 0
    assert customer.list("payments")[0]["status"] == ("received" if isWon else "reversed")
    assert customer.call("GET", "/v1/subscription")[1]["status"] == ("active" if isWon else "past_due")
    limit = {row["name"]: row["limit"] for row in customer.list("usage")}["executions_per_month"]
    assert limit == (1000 if isWon else 0), "a lost payment takes the plan's use with it"
    if not isWon:
        # What was lost is asked for again, and paid in another way.
        assert (customer.of()["status"], customer.of()["due"]) == ("open", 2900)
        assert customer.agrees() == -fee
        customer.pay()
        assert {row["name"]: row["limit"] for row in customer.list("usage")}["executions_per_month"] == 1000
    customer.agrees()
    assert operator(server).request("POST", "/v1/ledger/checks")[1] == {"faults": []}


def test_a_dispute_comes_before_the_payment_that_it_is_about(place, customer):
    _, provider = place
    if provider.name == "paypal":
        pytest.skip("PayPal's captures are made by us: none is unknown")
    reference = provider.pay(customer.page())
    provider.events.clear()
    provider.dispute(reference, "opened")
    provider.deliver_all()
    assert customer.list("payments")[0]["status"] == "disputed"


def test_keys_are_given_by_an_operator_and_shown_to_nobody(tmp_path):
    provider = Stripe()
    server = Server(tmp_path / "keys", environment={
        "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{provider.port}", "AIAS_STRIPE_URL": provider.url}).start()
    try:
        customer = Customer(server, provider)
        assert customer.call("POST", f"/v1/invoices/{customer.invoice}/checkouts", {"provider": "stripe"})[1]["code"] == "provider_missing"
        desk = operator(server)
        assert desk.request("PUT", "/v1/payment-providers/stripe", {"settings": {"key": "x"}})[0] == 422
        settings = {"key": provider.key, "webhook_secret": provider.secret}
        assert desk.request("PUT", "/v1/payment-providers/stripe", {"settings": settings})[0] == 204
        assert desk.request("GET", "/v1/payment-providers")[1]["data"] == [
            {"provider": "stripe", "is_ready": True}, {"provider": "paypal", "is_ready": False}]
        assert customer.call("PUT", "/v1/payment-providers/stripe", {"settings": settings})[0] == 403
        provider.receiver = f"{server.base}/v1/provider-events/stripe"
        customer.pay()
        stored = b"".join(path.read_bytes() for path in server.folder.glob("*") if path.is_file())
        assert provider.key.encode() not in stored and provider.secret.encode() not in stored
    finally:
        server.stop()
        provider.stop()


def test_stripes_own_library_signs_and_sends_the_same(tmp_path):
    """What our stand-in signs, the official library accepts; what it signs, we accept; what it sends for an order is what we send."""
    provider = Stripe()
    server = Server(tmp_path / "sdk", environment={
        "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{provider.port}", **provider.environment()}).start()
    try:
        provider.receiver = f"{server.base}/v1/provider-events/stripe"
        customer = Customer(server, provider)
        session = customer.page()
        ours = {path: form for _, path, _, form, _ in provider.calls}
        provider.pay(session)
        for event in provider.events:
            body, headers = provider.signed(event)
            built = sdk.Webhook.construct_event(body, headers["Stripe-Signature"], provider.secret)
            assert (built.id, built.type) == (event["id"], event["type"])
        with pytest.raises(sdk.SignatureVerificationError):
            sdk.Webhook.construct_event(body, provider.forged(event)[1]["Stripe-Signature"], provider.secret)
        # Signed by the library, an hour old and now.
        text = body.decode()
        for age, status in ((3600, 401), (0, 200)):
            at = int(time.time()) - age
            mark = sdk.WebhookSignature._compute_signature(f"{at}.{text}", provider.secret)
            assert post(provider.receiver, body, {"Stripe-Signature": f"t={at},v1={mark}"}) == status
        assert customer.of()["status"] == "paid"

        client = sdk.StripeClient(provider.key, base_addresses={"api": provider.url})
        sent = ours["/v1/checkout/sessions"]
        marks = provider.metadata(sent)
        made = client.v1.checkout.sessions.create({
            "mode": "payment", "success_url": sent["success_url"], "cancel_url": sent["cancel_url"],
            "client_reference_id": sent["client_reference_id"], "customer": sent["customer"], "metadata": marks,
            "line_items": [{"quantity": 1, "price_data": {
                "currency": "usd", "unit_amount": 2900, "product_data": {"name": sent["line_items[0][price_data][product_data][name]"]}}}],
            "payment_intent_data": {"setup_future_usage": "off_session", "metadata": marks}})
        assert isinstance(made, sdk.checkout.Session) and made.url
        assert provider.calls[-1][3] == sent
        payment = customer.list("payments")[0]
        assert credit(server, customer, 700, payment)[0] == 201
        refund = next(form for _, path, _, form, _ in reversed(provider.calls) if path == "/v1/refunds")
        theirs = client.v1.refunds.create({"payment_intent": payment["reference"], "amount": 700, "metadata": provider.metadata(refund)})
        assert provider.calls[-1][3] == refund and isinstance(theirs, sdk.Refund)
    finally:
        server.stop()
        provider.stop()
