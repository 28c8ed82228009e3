"""Customers who subscribe, change, use, pay, get refunds and disputes while the server is killed: what a provider took is booked once, what was
acknowledged is there, and every account is what its invoices say."""

import dataclasses
import pathlib
import random
import shutil
import tempfile
import threading
import time

from crash import market
from crash.market import clock, is_refunded, pages
from crash.story import FAILPOINTS, Counter, wait_for_end
from payments import Stripe
from server import Server
from test_payments import PROFILE, Operator

CUSTOMERS, BUYERS, SELLERS, RUNNERS = 4, 2, 2, 4
SETTLE_LIMIT_S = 120
# Longer than a request's key is held by one who died.
REST_LIMIT_S = 150


@dataclasses.dataclass
class MoneyOutcome:
    kills: int
    asked: int
    payments: int
    events: int
    used: int
    sales: int
    grants: int
    notes: int
    payouts: int
    faults: list

    def __str__(self):
        return (f"{self.kills} kills, {self.asked} requests answered, {self.payments} payments at the provider, {self.events} events delivered, "
                f"{self.used} units used, {self.sales} sales, {self.grants} grants, {self.notes} credit notes, {self.payouts} payouts, "
                f"{len(self.faults)} faults")


class Payer(threading.Thread):
    """One customer: does random things one after another; what gets no answer is sent again under the same key, as a careful client does."""

    def __init__(self, place, number):
        super().__init__(daemon=True)
        self.place, self.number, self.dice = place, number, random.Random(f"{place.seed}:{number}")
        made = place.server.create_tenant(f"payer-{number}", owner=f"payer{number}@example.com")
        self.key, self.tenant = made["api_key"], made["tenant"]["id"]
        self.used, self.steps, self.error, self.day, self.coupons, self.isResting, self.asking = 0, 0, None, 0, [], False, None

    def ask(self, method, path, body=None):
        identity = f"{self.number}-{next(self.place.ids)}"
        while True:
            try:
                status, answer, headers = self.place.server.request(
                    method, path, body, key=self.key, headers={"Idempotency-Key": identity} if method == "POST" else None, timeout=20)
            except Exception as away:  # http.client raises several kinds
                self.asking = f"{method} {path}: {away!r}"
                time.sleep(0.02)
                continue
            self.asking = f"{method} {path}: {status}"
            if status == 429 or (status == 409 and answer.get("code") == "idempotency_in_flight") or status == 503:
                time.sleep(0.1)
                continue
            if status >= 500:
                raise AssertionError(f"{method} {path}: {status} {answer}")
            self.place.asked += 1
            return status, answer

    def begin(self):
        assert self.ask("PUT", "/v1/billing-profile", PROFILE)[0] == 200
        assert self.ask("POST", "/v1/usage-metrics", {"code": "orders", "name": "Orders", "aggregation": "sum"})[0] == 201
        assert self.ask("POST", "/v1/subscription", {"plan": "starter"})[0] == 201

    def run(self):
        try:
            while not self.place.stop.is_set():
                self.isResting = not self.place.gate.is_set()
                self.place.gate.wait()
                self.isResting = False
                self.step()
                self.steps += 1
        except Exception as error:
            self.error = error

    def pay_something(self):
        status, page = self.ask("GET", "/v1/invoices")
        due = [invoice for invoice in page["data"] if invoice["due"] > 0]
        if due:
            self.pay(f"/v1/invoices/{self.dice.choice(due)['id']}/checkouts", {"provider": "stripe"})

    def pay(self, path, body):
        status, page = self.ask("POST", path, body)
        if status == 201:
            provider = self.place.provider
            with provider.lock:
                session = provider.reference(page["url"])
                if provider.sessions[session]["payment_status"] == "unpaid":
                    provider.pay(session)

    def have_disputed(self):
        provider, dice = self.place.provider, self.dice
        with provider.lock:
            own = [i for i in provider.intents.values() if i["metadata"].get("tenant") == self.tenant and i["status"] == "succeeded"]
            own = [i for i in own if not i.get("disputed") and self.may_be_disputed(i)]
            if own and dice.random() < 0.5:
                intent = dice.choice(own)
                intent["disputed"] = dice.choice(["won", "lost"])
                provider.dispute(intent["id"], "opened")
                provider.dispute(intent["id"], intent["disputed"])

    def may_be_disputed(self, intent):
        return True

    def step(self):
        dice = self.dice
        match dice.randrange(10):
            case 0 | 1:
                self.pay_something()
            case 2:
                self.ask("POST", "/v1/subscription/changes", {"plan": dice.choice(["starter", "professional", "enterprise"])})
            case 3:
                self.ask(dice.choice(["PUT", "DELETE"]), "/v1/subscription/cancellation")
            case 4:
                self.ask("POST", "/v1/subscription", {"plan": dice.choice(["starter", "professional"])})
            case 5:
                self.day += dice.choice([1, 5, 20])
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.place.began + self.day * 86_400))
                self.ask("PUT", "/v1/billing-clock", {"now": at})
            case 6 | 7:
                events = [{"key": f"{self.steps}:{place}", "metric": "orders", "quantity": 1 + place % 3} for place in range(50)]
                status, answer = self.ask("POST", "/v1/usage-events", {"events": events})
                assert status == 200, answer
                self.used += sum(event["quantity"] for event in events)
            case 8:
                self.have_disputed()
            case 9:
                code = dice.choice(list(market.COUPONS))
                status, answer = self.ask("POST", "/v1/subscription/coupons", {"code": code})
                if status == 201:
                    self.coupons.append(code)
                else:
                    assert answer["code"] in ("coupon_used", "coupon_active", "coupon_spent"), answer


class Buyer(Payer):
    """Buys things of sellers, pays for them and into its wallet."""

    def begin(self):
        assert self.ask("PUT", "/v1/billing-profile", PROFILE)[0] == 200
        self.invoices = {}

    def step(self):
        match self.dice.randrange(6):
            case 0 | 1 | 2:
                self.pay_something()
            case 3 | 4:
                self.pay("/v1/wallet/top-ups", {"amount": self.dice.randint(500, 9_000), "provider": "stripe"})
            case 5:
                self.have_disputed()

    def may_be_disputed(self, intent):
        return not is_refunded(intent["id"])

    def invoice_of(self, listing):
        if listing not in self.invoices:
            for one in pages(self, "invoices"):
                invoice = self.ask("GET", f"/v1/invoices/{one['id']}")[1]
                if invoice["kind"] == "invoice":
                    self.invoices[invoice["lines"][0]["item"]] = invoice
        return self.invoices[listing]


class Messenger(threading.Thread):
    """Delivers the provider's events as providers do: again until answered, some twice, some late."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.dice, self.count = place, random.Random(f"{place.seed}:events"), 0

    def run(self):
        while not self.place.stop.is_set():
            self.once()
            time.sleep(0.02)

    def once(self):
        provider = self.place.provider
        with provider.lock:
            self.dice.shuffle(provider.events)
            waiting, provider.events[:] = list(provider.events), []
        for event in waiting:
            try:
                status = provider.deliver(event)
            except Exception:  # the server is away
                status = 0
            if status != 200:
                with provider.lock:
                    provider.events.append(event)
                continue
            self.count += 1
            if self.dice.random() < 0.2:
                with provider.lock:
                    provider.events.append(event)


class Place:
    def __init__(self, seed, database_url):
        self.seed, self.ids, self.stop, self.asked, self.began = seed, Counter(), threading.Event(), 0, time.time()
        self.gate = threading.Event()
        self.gate.set()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aias-money-"))
        self.provider = Stripe()
        self.server = Server(self.folder, database_url, {
            "AIAS_OUTBOUND_ALLOW": f"127.0.0.1:{self.provider.port}", **self.provider.environment()})
        if database_url:
            self.server.command("migrate", "--data", str(self.folder))
        self.provider.receiver = f"{self.server.base}/v1/provider-events/stripe"

    def operator(self):
        self.server.create_tenant("runners", owner="olga@example.com")
        return Operator(self.server)


def run(kills: int, seed: int, postgres=None, report=print) -> MoneyOutcome:
    """`postgres` is for this alone: its clock is put ahead."""
    database_url = postgres.create("crash_money") if postgres else None
    dice, place = random.Random(seed), Place(seed, database_url)
    server = place.server.start()
    operator = place.operator()
    payers = [Payer(place, number) for number in range(CUSTOMERS)]
    for payer in payers:
        status, answer = operator.request("PATCH", f"/v1/tenants/{payer.tenant}", {"features": ["sandbox"]})
        assert status == 200, answer
        payer.begin()
    buyers = [Buyer(place, CUSTOMERS + number) for number in range(BUYERS)]
    for buyer in buyers:
        buyer.begin()
    sellers = [Payer(place, CUSTOMERS + BUYERS + number) for number in range(SELLERS)]
    runner, messenger = market.Runner(0, place, operator, sellers, buyers), Messenger(place)
    runners = [runner, *(market.Runner(number, place, operator, sellers, buyers, runner.told) for number in range(1, RUNNERS))]
    runner.begin()
    busy = [*payers, *buyers, *runners]
    for thread in [*busy, messenger]:
        thread.start()
    for done in range(1, kills + 1):
        wait_for_end(server, dice.uniform(0.1, 1.5))
        if done == max(kills // 2, 1):
            rest(place, busy)
            server.kill()
            market.go_ahead(place, postgres)
        server.kill()
        failpoint = {"AIAS_FAILPOINT": f"{dice.choice(FAILPOINTS)}:{dice.randint(5, 200)}"} if dice.random() < 0.5 and done < kills else {}
        try:
            server.start(failpoint)
        except RuntimeError:
            if not failpoint:
                raise
            server.kill()
            server.start()
        if not place.gate.is_set():
            # Sessions do not live so long.
            operator = Operator(server)
            for each in runners:
                each.operator = operator
            place.gate.set()
        if done % 20 == 0:
            report(f"  {done} kills, {place.asked} requests answered")
    place.stop.set()
    for thread in [*busy, messenger]:
        thread.join(REST_LIMIT_S)
    faults = [f"{type(thread).__name__}: {thread.error!r}" for thread in busy if thread.error]
    customers = [*payers, *buyers]
    settle(place, customers, messenger, runner)
    for payer in customers:
        faults += compare(place, payer)
    faults += runner.compare(payers) + numbers(customers)
    status, check = operator.request("POST", "/v1/ledger/checks")
    faults += check["faults"] if status == 200 else [f"the ledger's check answers {status}"]
    payouts = sum(len(pages(seller, "payouts")) for seller in sellers)
    server.stop()
    place.provider.stop()
    outcome = MoneyOutcome(
        kills, place.asked, sum(i["status"] == "succeeded" for i in place.provider.intents.values()), messenger.count,
        sum(payer.used for payer in payers), len(runner.sales), len(runner.grants), len(runner.notes), payouts, faults)
    if not faults:
        shutil.rmtree(place.folder, ignore_errors=True)
    return outcome


def rest(place, busy):
    """Until nobody waits for an answer: a key of a request is not remembered for days."""
    place.gate.clear()
    deadline = time.monotonic() + REST_LIMIT_S
    while not all(thread.isResting or thread.error for thread in busy):
        if place.server.process.poll() is not None:
            place.server.start()
        if time.monotonic() > deadline:
            raise AssertionError([thread.asking for thread in busy if not thread.isResting])
        time.sleep(0.02)


def settle(place, payers, messenger, runner):
    """Until all events are heard and all orders given: those that the kills cut off are asked again."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while time.monotonic() < deadline:
        for payer in payers:
            payer.ask("PUT", "/v1/subscription/overage", {"overage_cap": 0})
        for _ in range(20):
            messenger.once()
            if not place.provider.events:
                break
        if not place.provider.events and all(not missing(place, payer) for payer in payers) and runner.is_settled():
            return
        time.sleep(0.5)


def missing(place, payer):
    taken = {i["id"] for i in place.provider.intents.values() if i["metadata"].get("tenant") == payer.tenant and i["status"] == "succeeded"}
    return taken ^ {payment["reference"] for payment in pages(payer, "payments")}


def compare(place, payer):
    faults, name = [], f"payer {payer.number}"
    if missing(place, payer):
        faults.append(f"{name}: at one side only: {missing(place, payer)}")
    owed = prepaid = 0
    payments = pages(payer, "payments")
    for posting in pages(payer, "ledger-postings"):
        for transfer in posting["transfers"]:
            for side, sign in (("debit", 1), ("credit", -1)):
                owed += sign * transfer["amount"] * transfer[side].startswith("receivable:")
                prepaid -= sign * transfer["amount"] * transfer[side].startswith("wallet:")
    due = sum(invoice["due"] for invoice in pages(payer, "invoices"))
    disputed = sum(payment["amount"] - payment["refunded"] for payment in payments if payment["status"] == "disputed")
    if owed != due + disputed:
        faults.append(f"{name}: owes {owed} by the ledger, {due} by invoices and {disputed} by disputes")
    wallet = sum(one["balance"] for one in pages(payer, "wallet"))
    if wallet != prepaid:
        faults.append(f"{name}: the wallet holds {wallet}, its postings give {prepaid}")
    for payment in payments:
        intent = place.provider.intents.get(payment["reference"])
        if not intent or intent["amount_received"] != payment["amount"]:
            faults.append(f"{name}: {payment['reference']} is booked as {payment['amount']}")
        expected = {"lost": "reversed", "won": "received"}.get((intent or {}).get("disputed"), "received")
        if payment["status"] != expected:
            faults.append(f"{name}: {payment['reference']} is {payment['status']}, not {expected}")
    span = f"from={clock(place, -40 * 86_400)}&to={clock(place, 86_400)}"
    if isinstance(payer, Buyer):
        return faults
    used = payer.ask("GET", f"/v1/usage-metrics/orders/quantity?{span}")[1]["quantity"]
    if used != payer.used:
        faults.append(f"{name}: {used} units are counted, {payer.used} were sent")
    return faults


def numbers(payers):
    found = {}
    for payer in payers:
        for invoice in pages(payer, "invoices"):
            found.setdefault(invoice["kind"], []).append(int(invoice["number"].rsplit("-", 1)[1].lstrip("C")))
    return [f"{kind}: the numbers have gaps" for kind, list_ in found.items() if sorted(list_) != list(range(1, len(list_) + 1))]
