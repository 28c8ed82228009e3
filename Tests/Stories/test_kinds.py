"""Nodes that rest on system libraries, run by the program as it is shipped."""

import hashlib
import json

import pytest

from documents import keep, line, node
from server import Server


@pytest.fixture
def tool(tmp_path):
    return Server(tmp_path / "data")


def run(tool, tmp_path, *nodes):
    document = line("Local", node("Start", "manualTrigger", 1, 0), *nodes)
    (tmp_path / "w.json").write_text(json.dumps(document))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--json").stdout)
    assert out["status"] == "succeeded"
    return {name: [item["json"] for item in outputs[0]] for name, outputs in out["nodes"].items() if outputs}


def test_a_page_becomes_fields_and_markdown(tool, tmp_path):
    page = "<html><body><h1>Prices</h1><ul><li>Tea <b>2</b></li><li>Milk <b>1</b></li></ul></body></html>"
    values = {"values": [{"key": "prices", "cssSelector": "li b", "returnArray": True}, {"key": "title", "cssSelector": "h1"}]}
    made = run(
        tool,
        tmp_path,
        keep("Page", 200, html=page),
        node("Markdown", "markdown", 1, 400, html="={{ $json.html }}", destinationKey="md"),
        node("Extract", "html", 1.2, 600, operation="extractHtmlContent", dataPropertyName="html", extractionValues=values),
    )
    assert made["Markdown"][0]["md"] == "# Prices\n\n* Tea **2**\n* Milk **1**"
    assert made["Extract"] == [{"prices": ["2", "1"], "title": "Prices"}]


def test_xml_goes_there_and_back(tool, tmp_path):
    made = run(
        tool,
        tmp_path,
        keep("Order", 200, data='<order id="7"><line>a</line><line>b</line></order>'),
        node("Read", "xml", 1, 400),
        node("Write", "xml", 1, 600, mode="jsonToxml", options={"headless": True}),
    )
    assert made["Read"] == [{"order": {"id": "7", "line": ["a", "b"]}}]
    assert made["Write"][0]["data"] == "<order>\n  <id>7</id>\n  <line>a</line>\n  <line>b</line>\n</order>"


def test_digests_are_those_of_other_programs(tool, tmp_path):
    made = run(tool, tmp_path, node("Hash", "crypto", 1, 200, value="abc", type="SHA3-256"))
    assert made["Hash"][0]["data"] == hashlib.sha3_256(b"abc").hexdigest()


def test_an_image_is_made_written_on_and_told_of(tool, tmp_path):
    sheet = {"operation": "create", "width": 300, "height": 100, "backgroundColor": "white"}
    words = {"operation": "text", "text": "={{ 'Hello ' + 'Ana' }}", "font": "DejaVu Sans Bold", "fontSize": 30}
    half = {"operation": "resize", "width": 50, "height": 50, "resizeOption": "percent"}
    code = node("Code", "qrCode", 1, 600, text="={{ $json.size.width }} pixels")
    made = run(
        tool,
        tmp_path,
        node("Draw", "editImage", 1, 200, operation="multiStep", operations={"operations": [sheet, words, half]}, options={"format": "jpeg"}),
        node("Facts", "editImage", 1, 400, operation="information"),
        {**code, "type": "aias.qr_code"},
        {**node("Read", "qrCode", 1, 800, operation="read"), "type": "aias.qr_code"},
    )
    facts = made["Facts"][0]
    assert facts["format"] == "JPEG" and facts["size"] == {"width": 150, "height": 50} and facts["Type"] in ("grayscale", "bilevel")
    assert 0 < float(facts["Channel Statistics"]["Gray"]["Standard Deviation"].split(" ")[0])
    assert made["Read"][0]["codes"] == [{"type": "QR-Code", "text": "150 pixels"}]


def test_a_query_over_two_inputs_is_answered(tool, tmp_path):
    document = line(
        "Query",
        node("Start", "manualTrigger", 1, 0),
        keep("People", 200, id=7, title="Ada"),
        node("Merge", "merge", 3.2, 400, mode="combineBySql", query="SELECT a.title, b.id / 2 AS half FROM input1 a JOIN input2 b ON a.id = b.id"),
    )
    document["connections"]["People"]["main"][0].append({"node": "Merge", "type": "main", "index": 1})
    (tmp_path / "w.json").write_text(json.dumps(document))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--json").stdout)
    assert [item["json"] for item in out["nodes"]["Merge"][0]] == [{"title": "Ada", "half": 3.5}]
