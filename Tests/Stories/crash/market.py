"""Sales of sellers, given and paid credit, refunds and payouts while the server is killed, and days pass: whatever was acknowledged is there once,
sellers hold their part of what was collected, wallets hold what came and was not spent, and no money is sent twice."""

import json
import random
import threading
import time
import urllib.error
import urllib.request

from crash.faults import shifted

DAYS_AHEAD = 15
MARKED = {"template": 7000, "agent": 6000, "app": 7000, "api": 7000}
CONTRACT = 3333
COUPONS = {"TWICE": 2, "MANY": None}


def clock(place, seconds=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + place.provider.ahead_s + seconds))


def half_up(amount, part, whole):
    return (2 * amount * part + whole) // (2 * whole) if whole else 0


class Runner(threading.Thread):
    """Who runs the platform: sells, gives credit, takes back and pays out; asks again under the same key until there is an answer."""

    def __init__(self, number, place, operator, sellers, buyers, told=None):
        super().__init__(daemon=True)
        self.place, self.operator, self.sellers, self.buyers = place, operator, sellers, buyers
        self.dice, self.error, self.isResting = random.Random(f"{place.seed}:runner:{number}"), None, False
        self.asking = None
        # What was acknowledged, of all who run it: sales, grants, credit notes, payouts that came back.
        self.told = told or ({}, {}, {}, set())
        self.sales, self.grants, self.notes, self.returned = self.told

    def ask(self, method, path, body=None):
        key = f"runner-{next(self.place.ids)}"
        while True:
            request = urllib.request.Request(
                self.operator.base + path, data=json.dumps(body).encode() if body is not None else None, method=method,
                headers={"Content-Type": "application/json", "Origin": self.operator.base, **({"Idempotency-Key": key} if method == "POST" else {})})
            try:
                with self.operator.opener.open(request, timeout=20) as answer:
                    text, status = answer.read(), answer.status
            except urllib.error.HTTPError as error:
                text, status = error.read(), error.code
            except Exception as away:  # http.client raises several kinds
                self.asking = f"{method} {path}: {away!r}"
                time.sleep(0.02)
                continue
            answer = json.loads(text) if text else {}
            self.asking = f"{method} {path}: {status} {answer.get('code')}"
            if status in (429, 503) or answer.get("code") == "idempotency_in_flight":
                time.sleep(0.1)
                continue
            if status >= 500 or status in (401, 403):
                raise AssertionError(f"{method} {path}: {status} {answer}")
            self.place.asked += 1
            return status, answer

    def begin(self):
        for number, seller in enumerate(self.sellers):
            payee = {"provider": "stripe", "destination": f"acct_{seller.number:012}", "minimum": 1000,
                     "tax": {"form": "w9", "name": "Sela", "country": "US", "tax_id": "12-3456789"}}
            assert seller.ask("PUT", "/v1/payee", payee)[0] == 204
            if number == 1:
                terms = {"seller": seller.tenant, "share_basis_points": CONTRACT}
                assert self.ask("PUT", "/v1/split-terms", terms)[0] == 204
        made = [{"code": "twice", "name": "Half", "share_basis_points": 5000, "lasting": "once", "redemptions_maximum": COUPONS["TWICE"]},
                {"code": "many", "name": "Five off", "amount": 500, "currency": "USD", "lasting": "months", "months": 3}]
        for coupon in made:
            assert self.ask("POST", "/v1/coupons", coupon)[0] == 201

    def run(self):
        try:
            while not self.place.stop.is_set():
                self.isResting = not self.place.gate.is_set()
                self.place.gate.wait()
                self.isResting = False
                self.step()
        except Exception as error:
            self.error = error

    def step(self):
        dice, buyer, seller = self.dice, self.dice.choice(self.buyers), self.dice.choice(self.sellers)
        match dice.randrange(10):
            case 0 | 1 | 2 | 3:
                number, kind, amount = next(self.place.ids), dice.choice(list(MARKED)), dice.randint(100, 20_000)
                body = {"key": f"order-{number}", "seller": seller.tenant, "listing": f"thing-{number}", "kind": kind, "name": f"Thing {number}",
                        "amount": amount}
                status, sale = self.ask("POST", f"/v1/tenants/{buyer.tenant}/sales", body)
                assert status == 201, sale
                self.sales[sale["id"]] = (buyer, seller, kind, amount, sale["listing"])
            case 4 | 5:
                expiry = dice.choice([None, 3, 86_400 * (DAYS_AHEAD - 5)])
                body = {"amount": dice.randint(100, 3_000), "reason": "Welcome", **({"expires_at": clock(self.place, expiry)} if expiry else {})}
                status, grant = self.ask("POST", f"/v1/tenants/{buyer.tenant}/wallet-grants", body)
                if status == 201:
                    self.grants[grant["id"]] = (buyer, body["amount"])
                else:
                    # The time of a retry can lie beyond what was to expire.
                    assert grant.get("code") == "out_of_range", grant
            case 6 | 7:
                self.take_back(buyer)
            case 8:
                status, made = self.ask("POST", f"/v1/tenants/{seller.tenant}/payouts")
                assert status == 200, made
            case 9:
                sent = [payout for payout in pages(seller, "payouts") if payout["status"] == "sent"]
                if sent:
                    payout = dice.choice(sent)["id"]
                    assert self.ask("POST", f"/v1/tenants/{seller.tenant}/payouts/{payout}/failures", {"reason": "account closed"})[0] == 204
                    self.returned.add(payout)

    def take_back(self, buyer):
        """A part of an invoice, into the wallet or to a payment that no bank disputes: those of even numbers."""
        invoices = [one for one in pages(buyer, "invoices") if one["kind"] == "invoice" and one["credited"] < one["total"]]
        if not invoices:
            return
        invoice = self.dice.choice(invoices)
        body = {"amount": self.dice.randint(1, invoice["total"] - invoice["credited"])}
        payments = [one for one in pages(buyer, "payments") if is_refunded(one["reference"])]
        if payments and self.dice.random() < 0.6:
            body["payment_id"] = self.dice.choice(payments)["id"]
        status, note = self.ask("POST", f"/v1/tenants/{buyer.tenant}/invoices/{invoice['id']}/credit-notes", body)
        if status == 201:
            self.notes[note["id"]] = (buyer, body["amount"])
        else:
            assert status == 409, note

    # MARK: Afterwards

    def is_settled(self):
        """Whether all that was ordered at the provider is done and noted."""
        for seller in self.sellers:
            self.ask("POST", f"/v1/tenants/{seller.tenant}/payouts")
            if any(payout["status"] == "pending" for payout in pages(seller, "payouts")):
                return False
        intents = self.place.provider.intents
        return all(intents[one["reference"]]["refunded"] == one["refunded"] for buyer in self.buyers for one in pages(buyer, "payments"))

    def compare(self, payers):
        faults = []
        for seller in self.sellers:
            faults += self.compare_seller(seller)
        for buyer in self.buyers:
            faults += self.compare_wallet(buyer)
        faults += self.compare_coupons(payers)
        return faults

    def compare_seller(self, seller):
        faults, name = [], f"seller {seller.number}"
        sales, payouts = pages(seller, "sales"), pages(seller, "payouts")
        told = {identity for identity, sale in self.sales.items() if sale[1] is seller}
        if sorted(sale["id"] for sale in sales) != sorted(told):
            faults.append(f"{name}: {len(sales)} sales are there, {len(told)} were acknowledged")
        earned = 0
        for sale in sales:
            buyer, _, kind, amount, listing = self.sales[sale["id"]]
            invoice = buyer.invoice_of(listing)
            share = CONTRACT if seller is self.sellers[1] else MARKED[kind]
            # Round half up of a part of what was collected.
            expected = half_up(half_up(amount, invoice["paid"], invoice["total"]), share, 10_000)
            earned += expected
            if sale["earned"] != expected or sale["held"]:
                faults.append(f"{name}: {listing} earned {sale['earned']} and holds {sale['held']}, {expected} by its invoice")
        fees = sum(
            transfer["amount"] for posting in pages(seller, "ledger-postings") if posting["kind"] == "dispute_fee"
            for transfer in posting["transfers"])
        sent = sum(payout["amount"] for payout in payouts if payout["status"] != "failed")
        balance = sum(one["sales"] + one["held"] for one in pages(seller, "earnings"))
        if balance != earned - fees - sent:
            faults.append(f"{name}: holds {balance}, earned {earned} less fees of {fees} and payouts of {sent}")
        transfers = [answer[1] for (path, _), answer in self.place.provider.answers.values() if path == "/v1/transfers"]
        own = {one["id"]: one["amount"] for one in transfers if one["destination"] == f"acct_{seller.number:012}"}
        ordered = {payout["reference"]: payout["amount"] for payout in payouts if payout["reference"]}
        if own != ordered:
            faults.append(f"{name}: the provider sent {own}, the payouts say {ordered}")
        if {payout["id"] for payout in payouts if payout["status"] == "failed"} != self.returned & {payout["id"] for payout in payouts}:
            faults.append(f"{name}: other payouts came back than was told")
        return faults

    def compare_wallet(self, buyer):
        faults, name = [], f"buyer {buyer.number}"
        invoices, grants = pages(buyer, "invoices"), pages(buyer, "wallet/grants")
        told = {identity: amount for identity, (whose, amount) in self.grants.items() if whose is buyer}
        if {one["id"]: one["amount"] for one in grants} != told:
            faults.append(f"{name}: {len(grants)} grants are there, {len(told)} were acknowledged")
        notes = {one["id"]: one["total"] for one in invoices if one["kind"] == "credit_note"}
        if notes != {identity: amount for identity, (whose, amount) in self.notes.items() if whose is buyer}:
            faults.append(f"{name}: {len(notes)} credit notes are there, others were acknowledged")
        gone = sum(
            transfer["amount"] for posting in pages(buyer, "ledger-postings") if posting["kind"] == "wallet_expiry"
            for transfer in posting["transfers"])
        taken = sum(
            intent["amount_received"] - intent["refunded"] for intent in self.place.provider.intents.values()
            if intent["metadata"].get("tenant") == buyer.tenant and intent.get("disputed") != "lost")
        wallet = sum(one["balance"] for one in pages(buyer, "wallet"))
        spent = sum(invoice["paid"] for invoice in invoices if invoice["kind"] == "invoice")
        if taken + sum(told.values()) - gone != wallet + spent:
            faults.append(f"{name}: {taken} came, {sum(told.values())} were given and {gone} expired; {wallet} are there and {spent} spent")
        left = sum(one["unspent"] for one in grants)
        if left > wallet:
            faults.append(f"{name}: {left} of grants are left, the wallet holds {wallet}")
        if any(one["unspent"] and one.get("expires_at") and one["expires_at"] < clock(self.place, -60) for one in grants):
            faults.append(f"{name}: credit is there that had expired")
        return faults

    def compare_coupons(self, payers):
        faults, counted = [], {}
        for payer in payers:
            found = [one["code"] for one in pages(payer, "subscription/coupons")]
            if sorted(found) != sorted(payer.coupons):
                faults.append(f"payer {payer.number}: redeemed {found}, {payer.coupons} were acknowledged")
            for code in found:
                counted[code] = counted.get(code, 0) + 1
        for coupon in self.ask("GET", "/v1/coupons")[1]["data"]:
            if coupon["redeemed"] != counted.get(coupon["code"], 0) or coupon["redeemed"] > (COUPONS[coupon["code"]] or 10**9):
                faults.append(f"{coupon['code']}: counts {coupon['redeemed']} redemptions, {counted.get(coupon['code'], 0)} are there")
        return faults


def is_refunded(reference):
    return int(reference.removeprefix("pi_")) % 2 == 0


def pages(payer, name):
    found, cursor = [], ""
    while True:
        status, page = payer.ask("GET", f"/v1/{name}?limit=200{cursor}")
        assert status == 200, page
        found += page["data"]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def go_ahead(place, postgres):
    """From the next start on the server's clock is days ahead, and with it the provider's and the database's, which counts where there is one."""
    ahead = shifted(f"+{DAYS_AHEAD}d")
    place.provider.ahead_s = DAYS_AHEAD * 86_400
    place.server.environment.update(ahead)
    if postgres:
        postgres.kill()
        postgres.environment.update(ahead)
        postgres.start()

