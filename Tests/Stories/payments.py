"""Stand-ins for Stripe and PayPal on loopback: they keep what they are told, refuse what the real ones refuse, do an order once for its key, and
send signed webhooks when the test says so. A person's part on their pages is played by `pay`."""

import hashlib
import hmac
import http.server
import itertools
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

from server import free_port

PAGE = ('<!doctype html><html lang="en"><title>{name}</title><main><h1>{name}</h1><p>{what}</p>'
        '<form method="post"><button>Pay {amount}</button></form></main></html>')


class StandIn:
    """What both have in common: a server, ids, idempotency, and the list of events that were not delivered yet."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.counter = itertools.count(1)
        self.answers, self.calls, self.events, self.told = {}, [], [], []
        self.declining, self.down, self.refunds_fail, self.receiver = False, False, False, None
        self.lock = threading.RLock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, method):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if self.path == "/favicon.ico":
                    status, content, more = 204, b"", {}
                elif "/page/" in self.path:
                    # Without the lock: what is told leads to questions back.
                    status, content, more = outer.page(method, self.path)
                else:
                    with outer.lock:
                        status, content, more = outer.handle(method, self.path, headers, body)
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **more, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                try:
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    # Whoever asked was killed meanwhile.
                    self.close_connection = True

            def do_GET(self):
                self.answer("GET")

            def do_POST(self):
                self.answer("POST")

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def id(self, prefix):
        return f"{prefix}{next(self.counter):06}"

    def handle(self, method, path, headers, body):
        if self.down:
            return 503, {}, {}
        if not self.admits(path, headers):
            return 401, {"error": {"type": "invalid_request_error"}}, {}
        parsed = self.parse(headers, body)
        self.calls.append((method, path, headers, parsed, body))
        key = headers.get(self.key_header)
        if method == "POST" and key:
            if key in self.answers:
                known, answer = self.answers[key]
                if known != (path, body):
                    return 400, self.reused, {}
                return *answer, {}
            answer = self.do(method, path, parsed)
            self.answers[key] = ((path, body), answer)
            return *answer, {}
        return *self.do(method, path, parsed, body), {}

    def page(self, method, path):
        reference = path.rsplit("/", 1)[1]
        what, amount, back = self.describe(reference)
        if method == "GET":
            page = PAGE.format(name=type(self).__name__, what=what, amount=amount)
            return 200, page.encode(), {"Content-Type": "text/html; charset=utf-8"}
        with self.lock:
            self.pay(reference)
        self.deliver_all()
        return 303, b"", {"Location": back}

    def deliver(self, event):
        """Sends one event; returns the status of the answer."""
        body, headers = self.signed(event)
        return post(self.receiver, body, headers)

    def deliver_all(self):
        while self.events:
            event = self.events.pop(0)
            assert self.deliver(event) == 200, event
            self.told.append(event)


def post(url, body, headers):
    request = urllib.request.Request(url, data=body, method="POST", headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


class Stripe(StandIn):
    name, key_header, zero = "stripe", "idempotency-key", 0
    reused = {"error": {"type": "idempotency_error", "code": "idempotency_error"}}
    key, secret = "sk_test_stand_in", "whsec_stand_in"

    def __init__(self):
        super().__init__()
        self.customers, self.sessions, self.intents, self.refunds, self.transfers = {}, {}, {}, {}, {}
        # How far its clock is ahead of ours.
        self.ahead_s = 0

    def environment(self):
        return {"AIAS_STRIPE_URL": self.url, "AIAS_STRIPE_KEY": self.key, "AIAS_STRIPE_WEBHOOK_SECRET": self.secret}

    def admits(self, path, headers):
        return headers.get("authorization") == f"Bearer {self.key}"

    def parse(self, headers, body):
        return dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))

    def metadata(self, form, prefix="metadata"):
        return {name[len(prefix) + 1:-1]: value for name, value in form.items() if name.startswith(prefix + "[")}

    def do(self, method, path, form, body=b""):
        part = path.split("?")[0].split("/")[2:]
        match (method, part):
            case ("POST", ["customers"]):
                identity = self.id("cus_")
                self.customers[identity] = {"id": identity, "object": "customer", "name": form.get("name"), "metadata": self.metadata(form)}
                return 200, self.customers[identity]
            case ("POST", ["checkout", "sessions"]):
                identity = self.id("cs_test_")
                amount = int(form["line_items[0][price_data][unit_amount]"]) * int(form["line_items[0][quantity]"])
                self.sessions[identity] = {
                    "id": identity, "object": "checkout.session", "mode": form["mode"], "url": f"{self.url}/page/{identity}",
                    "amount_total": amount, "currency": form["line_items[0][price_data][currency]"], "customer": form.get("customer"),
                    "payment_status": "unpaid", "payment_intent": None, "metadata": self.metadata(form), "success_url": form["success_url"],
                    "intent_metadata": self.metadata(form, "payment_intent_data[metadata]"),
                    "setup_future_usage": form.get("payment_intent_data[setup_future_usage]")}
                return 200, self.sessions[identity]
            case ("POST", ["billing_portal", "sessions"]):
                if form["customer"] not in self.customers:
                    return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing"}}
                return 200, {"id": self.id("bps_"), "object": "billing_portal.session", "url": f"{self.url}/portal/{form['customer']}"}
            case ("POST", ["payment_intents"]):
                intent = self.intent(int(form["amount"]), form["currency"], form["customer"], form["payment_method"], self.metadata(form))
                if self.declining:
                    error = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}
                    intent |= {"status": "requires_payment_method", "amount_received": 0, "last_payment_error": error}
                    self.happen("payment_intent.payment_failed", intent)
                    return 402, {"error": {**error, "payment_intent": intent}}
                self.happen("payment_intent.succeeded", intent)
                return 200, dict(intent)
            case ("GET", ["payment_intents", identity]):
                return (200, self.intents[identity]) if identity in self.intents else (404, {"error": {"code": "resource_missing"}})
            case ("GET", ["payment_methods", identity]):
                return 200, {"id": identity, "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "4242"}}
            case ("POST", ["refunds"]):
                return self.refund(form["payment_intent"], int(form["amount"]), self.metadata(form))
            case ("POST", ["transfers"]):
                identity = self.id("tr_")
                self.transfers[identity] = {
                    "id": identity, "object": "transfer", "amount": int(form["amount"]), "destination": form["destination"],
                    "transfer_group": form.get("transfer_group")}
                return 200, self.transfers[identity]
            case ("GET", ["refunds"]):
                return 200, self.listed(self.refunds, path, "payment_intent")
            case ("GET", ["transfers"]):
                return 200, self.listed(self.transfers, path, "transfer_group")
        return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing"}}

    def listed(self, things, path, name):
        asked = dict(urllib.parse.parse_qsl(path.partition("?")[2]))[name]
        return {"object": "list", "has_more": False, "data": [thing for thing in things.values() if thing[name] == asked]}

    def intent(self, amount, currency, customer, method, metadata, **more):
        identity = self.id("pi_")
        self.intents[identity] = {
            "id": identity, "object": "payment_intent", "amount": amount, "amount_received": amount, "currency": currency, "customer": customer,
            "payment_method": method, "status": "succeeded", "metadata": metadata, "refunded": 0, **more}
        return self.intents[identity]

    def refund(self, reference, amount, metadata):
        intent = self.intents[reference]
        if amount > intent["amount_received"] - intent["refunded"]:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded"}}
        if self.refunds_fail:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_disputed"}}
        intent["refunded"] += amount
        identity = self.id("re_")
        self.refunds[identity] = {
            "id": identity, "object": "refund", "amount": amount, "payment_intent": reference, "status": "succeeded", "metadata": metadata}
        self.happen("charge.refunded", {
            "id": self.id("ch_"), "object": "charge", "payment_intent": reference, "amount": intent["amount"],
            "amount_refunded": intent["refunded"], "currency": intent["currency"]})
        return 200, self.refunds[identity]

    def happen(self, kind, thing):
        self.events.append({
            "id": self.id("evt_"), "object": "event", "type": kind, "created": int(time.time()), "api_version": "2024-06-20",
            "data": {"object": json.loads(json.dumps(thing))}})

    def describe(self, reference):
        session = self.sessions[reference]
        return "Card and all", f"{session['amount_total'] / 100:.2f} {session['currency'].upper()}", session["success_url"]

    def reference(self, url):
        return url.rsplit("/", 1)[1]

    def pay(self, reference):
        """A person gives a card on the page; returns the payment's reference."""
        session = self.sessions[reference]
        assert session["payment_status"] == "unpaid"
        customer = session["customer"] or self.id("cus_")
        intent = self.intent(
            session["amount_total"], session["currency"], customer, self.id("pm_"), session["intent_metadata"],
            setup_future_usage=session["setup_future_usage"])
        session.update(payment_status="paid", payment_intent=intent["id"])
        self.happen("payment_intent.succeeded", intent)
        self.happen("checkout.session.completed", session)
        return intent["id"]

    def dispute(self, reference, outcome, amount=None):
        intent = self.intents[reference]
        status = {"opened": "needs_response"}.get(outcome, outcome)
        self.happen("charge.dispute.created" if outcome == "opened" else "charge.dispute.closed", {
            "id": f"dp_{reference}", "object": "dispute", "payment_intent": reference, "amount": amount or intent["amount"] - intent["refunded"],
            "currency": intent["currency"], "status": status, "balance_transactions": [{"fee": 1500, "amount": -intent["amount"]}]})

    def signed(self, event, secret=None, at=None):
        body = json.dumps(event, indent=2).encode()
        at = int(at or time.time() + self.ahead_s)
        mark = hmac.new((secret or self.secret).encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Stripe-Signature": f"t={at},v1={mark},v0=none"}

    def forged(self, event):
        return self.signed(event, secret="whsec_other")

    def held(self):
        """What is left of all that was taken, in minor units."""
        return sum(i["amount_received"] - i["refunded"] for i in self.intents.values() if i["status"] == "succeeded")


class PayPal(StandIn):
    name, key_header = "paypal", "paypal-request-id"
    reused = {"name": "DUPLICATE_REQUEST_ID"}
    client, secret, webhook, token = "client-stand-in", "secret-stand-in", "WH-1", "A21-token"

    def __init__(self):
        super().__init__()
        self.orders, self.captures, self.tokens, self.payouts = {}, {}, {}, {}

    def environment(self):
        return {
            "AIAS_PAYPAL_URL": self.url, "AIAS_PAYPAL_CLIENT_ID": self.client, "AIAS_PAYPAL_SECRET": self.secret,
            "AIAS_PAYPAL_WEBHOOK_ID": self.webhook}

    def admits(self, path, headers):
        return path == "/v1/oauth2/token" or headers.get("authorization") == f"Bearer {self.token}"

    def parse(self, headers, body):
        return json.loads(body) if "json" in headers.get("content-type", "") and body else {}

    def do(self, method, path, form, body=b""):
        match (method, path.split("?")[0].split("/")[1:]):
            case ("POST", ["v1", "oauth2", "token"]):
                return 200, {"access_token": self.token, "token_type": "Bearer", "expires_in": 32400}
            case ("POST", ["v2", "checkout", "orders"]):
                return self.order(form)
            case ("GET", ["v2", "checkout", "orders", identity]):
                return 200, self.orders[identity]
            case ("POST", ["v2", "checkout", "orders", identity, "capture"]):
                order = self.orders[identity]
                if order["status"] != "APPROVED":
                    issue = "ORDER_ALREADY_CAPTURED" if order["status"] == "COMPLETED" else "ORDER_NOT_APPROVED"
                    return 422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": issue}]}
                return 201, self.capture(order)
            case ("GET", ["v2", "payments", "captures", identity]):
                return (200, self.captures[identity]) if identity in self.captures else (404, {"name": "RESOURCE_NOT_FOUND"})
            case ("POST", ["v2", "payments", "captures", identity, "refund"]):
                return self.refund(identity, form["amount"]["value"], form.get("custom_id"))
            case ("POST", ["v1", "payments", "payouts"]):
                return 201, {"batch_header": {"payout_batch_id": self.id("PB"), "batch_status": "PENDING"}}
            case ("POST", ["v1", "notifications", "verify-webhook-signature"]):
                start = body.index(b'"webhook_event":') + len(b'"webhook_event":')
                mark = self.mark(form["transmission_id"], form["transmission_time"], body[start:-1])
                holds = mark == form["transmission_sig"] and form["webhook_id"] == self.webhook
                return 200, {"verification_status": "SUCCESS" if holds else "FAILURE"}
        return 404, {"name": "RESOURCE_NOT_FOUND"}

    def order(self, form):
        identity = self.id("ORDER")
        source = form.get("payment_source", {}).get("paypal", {})
        order = self.orders[identity] = {
            "id": identity, "intent": form["intent"], "status": "PAYER_ACTION_REQUIRED", "purchase_units": form["purchase_units"],
            "back": source.get("experience_context", {}).get("return_url"), "keep": "attributes" in source,
            "links": [{"rel": "payer-action", "href": f"{self.url}/page/{identity}", "method": "GET"}]}
        if "vault_id" in source:
            if self.declining:
                return 422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "INSTRUMENT_DECLINED"}]}
            assert source["vault_id"] in self.tokens
            return 201, self.capture(order)
        return 201, order

    def capture(self, order):
        unit = order["purchase_units"][0]
        identity = self.id("CAPTURE")
        capture = self.captures[identity] = {
            "id": identity, "status": "COMPLETED", "amount": unit["amount"], "custom_id": unit["custom_id"], "refunded": 0,
            "supplementary_data": {"related_ids": {"order_id": order["id"]}}}
        order.update(status="COMPLETED")
        order["purchase_units"][0]["payments"] = {"captures": [capture]}
        self.happen("PAYMENT.CAPTURE.COMPLETED", capture)
        if order["keep"]:
            token = self.id("vault")
            self.tokens[token] = order["id"]
            self.happen("VAULT.PAYMENT-TOKEN.CREATED", {
                "id": token, "customer": {"id": self.id("customer")}, "metadata": {"order_id": order["id"]},
                "payment_source": {"paypal": {"email_address": "payer@example.com"}}})
        return order

    def refund(self, identity, value, note):
        capture, amount = self.captures[identity], cents(value)
        if amount > cents(capture["amount"]["value"]) - capture["refunded"]:
            return 422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "REFUND_AMOUNT_EXCEEDED"}]}
        if self.refunds_fail:
            return 422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "CAPTURE_DISPUTED"}]}
        capture["refunded"] += amount
        capture["status"] = "PARTIALLY_REFUNDED"
        refund = {
            "id": self.id("REFUND"), "status": "COMPLETED", "custom_id": note, "amount": {**capture["amount"], "value": value},
            "seller_payable_breakdown": {"total_refunded_amount": {**capture["amount"], "value": f"{capture['refunded'] / 100:.2f}"}},
            "links": [{"rel": "up", "href": f"{self.url}/v2/payments/captures/{identity}"}]}
        order = self.orders[capture["supplementary_data"]["related_ids"]["order_id"]]
        order["purchase_units"][0]["payments"].setdefault("refunds", []).append(refund)
        self.happen("PAYMENT.CAPTURE.REFUNDED", refund)
        return 201, refund

    def happen(self, kind, resource):
        self.events.append({"id": self.id("WH-EVT-"), "event_type": kind, "resource": json.loads(json.dumps(resource))})

    def describe(self, reference):
        order = self.orders[reference]
        amount = order["purchase_units"][0]["amount"]
        return "Account and all", f"{amount['value']} {amount['currency_code']}", order["back"]

    def reference(self, url):
        return url.rsplit("/", 1)[1]

    def pay(self, reference):
        """A person approves on the page; we hear of the payment once the program has taken it."""
        order = self.orders[reference]
        order["status"] = "APPROVED"
        self.happen("CHECKOUT.ORDER.APPROVED", order)

    def dispute(self, reference, outcome, amount=None):
        capture = self.captures[reference]
        left = amount or cents(capture["amount"]["value"]) - capture["refunded"]
        resource = {
            "dispute_id": f"PP-D-{reference}", "disputed_transactions": [{"seller_transaction_id": reference}],
            "dispute_amount": {**capture["amount"], "value": f"{left / 100:.2f}"}}
        if outcome != "opened":
            resource["dispute_outcome"] = {"outcome_code": {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}[outcome]}
        self.happen("CUSTOMER.DISPUTE.CREATED" if outcome == "opened" else "CUSTOMER.DISPUTE.RESOLVED", resource)

    def mark(self, identity, at, body):
        return hmac.new(b"paypal", f"{identity}|{at}|{self.webhook}|{zlib.crc32(body)}".encode(), hashlib.sha256).hexdigest()

    def signed(self, event, genuine=True):
        # Spaces and the order of members are the sender's: they must go back for verification as they came.
        body = json.dumps(event, indent=1).encode()
        identity, at = event["id"] + "-t", "2026-01-01T00:00:00Z"
        return body, {
            "Paypal-Auth-Algo": "SHA256withRSA", "Paypal-Cert-Url": "https://api.paypal.example/cert", "Paypal-Transmission-Id": identity,
            "Paypal-Transmission-Sig": self.mark(identity, at, body) if genuine else "00", "Paypal-Transmission-Time": at}

    def forged(self, event):
        return self.signed(event, genuine=False)

    def held(self):
        return sum(cents(c["amount"]["value"]) - c["refunded"] for c in self.captures.values())


def cents(value):
    whole, _, part = value.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])
