"""A tenant as a folder that Git keeps: pulled, changed, pushed back or to another tenant, and what is refused."""

import json
import pathlib
import shutil
import subprocess

import pytest

from documents import hook, line, node
from editor_desk import blank
from gestures import field, start, step
from server import Server


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("trees")).start()
    yield server
    server.stop()


class Tree:
    """A folder and the tenant that it is used with."""

    def __init__(self, server, folder, key):
        self.server, self.folder, self.key = server, pathlib.Path(folder), key

    def run(self, *arguments, check=True):
        from server import AIAS
        result = subprocess.run(
            [AIAS, *arguments[:1], str(self.folder), "--url", self.server.base, *arguments[1:]], capture_output=True, text=True, timeout=120,
            env={**self.server.environment, "AIAS_API_KEY": self.key})
        assert not check or not result.returncode, result.stdout + result.stderr
        return result

    def files(self):
        """Every file's bytes, but what is kept of servers."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".aias" not in path.parts}

    def json(self, path):
        return json.loads((self.folder / path).read_text())

    def write(self, path, value):
        (self.folder / path).write_text(json.dumps(value, indent=2))


def furnish(server, key):
    """A tenant with something of everything, and workflows that speak of one another."""
    def made(path, body, method="POST"):
        status, answer, _ = server.request(method, path, body, key=key)
        assert status in (200, 201), answer
        return answer

    made("/v1/variables/BASE_URL", {"value": "https://a.example"}, "PUT")
    made("/v1/variables/REGION", {"value": "eu"}, "PUT")
    made("/v1/credentials", {"type": "httpHeaderAuth", "name": "Shop", "fields": {"name": "X-Key", "value": "very-secret-value"}})
    credential = server.request("GET", "/v1/credentials", key=key)[1]["data"][0]["id"]
    table = made("/v1/data-tables", {"name": "Customers", "columns": [{"name": "city", "type": "string"}, {"name": "age", "type": "number"}]})["id"]
    callee = blank(server, key, "Überweisung prüfen", [start(), step("Fields", (280, 0), "set", config=field("who", "={{ $json.name }}"))])
    call = {"workflowId": {"__rl": True, "mode": "list", "value": callee, "cachedResultName": "Check"}}
    nodes = [
        start(connections=["call"]), step("Call", (280, 0), "execute_workflow", config=call, connections=[{"to": "ask", "output": 0}]),
        step("Ask", (560, 40), "http_request", config={"url": "https://x.example", "z": 1, "a": {"y": [1, 2], "b": "c"}},
             credentials={"httpHeaderAuth": {"id": credential, "name": "Shop"}}),
        step("Table", (840, 40), "data_table", config={"dataTableId": {"__rl": True, "mode": "list", "value": table}})]
    main = blank(server, key, "Orders", nodes)
    blank(server, key, "Orders", [start()])
    server.import_workflow(key, line("Imported", hook("imported"), node("Stop", "stopAndError", 1, 200, errorMessage="No stock")))
    return {"main": main, "callee": callee, "credential": credential, "table": table}


def test_a_tree_goes_to_an_empty_tenant_and_comes_back_byte_by_byte(place, tmp_path):
    key = place.create_tenant("origin", owner="ora@example.com")["api_key"]
    ids = furnish(place, key)
    first = Tree(place, tmp_path / "first", key)
    first.run("pull")
    files = first.files()
    assert set(files) == {
        "aias.json", "variables.json", "credentials.json", "data-tables/customers.json", "workflows/orders.json", "workflows/orders-2.json",
        "workflows/überweisung-prüfen.json", "workflows/imported.json"}
    whole = b"".join(files.values())
    assert b"very-secret-value" not in whole and not [one for one in ids.values() if one.encode() in whole]
    orders = first.json("workflows/orders.json")
    assert list(orders)[-1] == "layout" and orders["layout"]["ask"] == [560, 40] and "position" not in orders["nodes"][0]
    assert orders["nodes"][1]["config"]["workflowId"]["value"] == "@workflow:workflows/überweisung-prüfen.json"
    assert orders["nodes"][3]["config"]["dataTableId"]["value"] == "@table:data-tables/customers.json"
    assert first.run("pull").stdout == "Nothing is new.\n" and first.run("push").stdout == "Nothing to change.\n"
    # To a tenant that has nothing, from a fresh clone.
    other = place.create_tenant("copy", owner="cop@example.com")["api_key"]
    second = Tree(place, tmp_path / "second", other)
    shutil.copytree(first.folder, second.folder, ignore=shutil.ignore_patterns(".aias"))
    dry = second.run("push", "--dry-run").stdout
    assert "+ workflows/orders.json  Orders" in dry and "dry run" in dry and '"Shop" (httpHeaderAuth)' in dry
    assert place.request("GET", "/v1/workflows", key=other)[1]["data"] == []
    place.request("POST", "/v1/credentials", {"type": "httpHeaderAuth", "name": "Shop", "fields": {"name": "X", "value": "other"}}, key=other)
    second.run("push")
    assert second.run("push").stdout == "Nothing to change.\n"
    third = Tree(place, tmp_path / "third", other)
    third.run("pull")
    assert third.files() == files
    # The ids are those of the tenant that it is in.
    rows = {row["name"]: row["id"] for row in place.request("GET", "/v1/workflows", key=other)[1]["data"]}
    document = [
        found for found in (place.request("GET", f"/v1/workflows/{row['id']}", key=other)[1]["document"]
                            for row in place.request("GET", "/v1/workflows", key=other)[1]["data"] if row["name"] == "Orders")
        if len(found["nodes"]) == 4][0]
    assert document["nodes"][1]["config"]["workflowId"]["value"] == rows["Überweisung prüfen"]
    assert document["nodes"][2]["credentials"]["httpHeaderAuth"]["id"] not in (None, ids["credential"])


def test_changes_of_both_sides_are_never_lost(place, tmp_path):
    key = place.create_tenant("sides", owner="sid@example.com")["api_key"]
    workflow = blank(place, key, "Shared", [start()])
    tree = Tree(place, tmp_path / "tree", key)
    tree.run("pull")

    def saved(note):
        status, found, _ = place.request("GET", f"/v1/workflows/{workflow}", key=key)
        found["document"]["nodes"][0]["notes"] = note
        body = {"document": found["document"], "revision": found["workflow"]["draft_revision"]}
        assert place.request("PUT", f"/v1/workflows/{workflow}/draft", body, key=key)[0] == 200

    mine = tree.json("workflows/shared.json")
    mine["nodes"].append({"id": "end", "type": "action", "kind": "no_op", "name": "End"})
    tree.write("workflows/shared.json", mine)
    saved("from the server")
    refused = tree.run("push", check=False)
    assert refused.returncode == 1 and "workflows/shared.json: was changed here and on the server" in refused.stderr and "aias pull" in refused.stderr
    # A pull does not take away what was not pushed either.
    refused = tree.run("pull", check=False)
    assert refused.returncode == 1 and "workflows/shared.json: was changed here" in refused.stderr
    assert tree.json("workflows/shared.json") == mine
    tree.run("pull", "--overwrite")
    assert tree.json("workflows/shared.json")["nodes"][0]["notes"] == "from the server"
    merged = tree.json("workflows/shared.json")
    merged["nodes"].append(mine["nodes"][1])
    tree.write("workflows/shared.json", merged)
    assert "~ workflows/shared.json  1 node added" in tree.run("push").stdout
    # Changed on the server alone, it is left alone.
    saved("later")
    out = tree.run("push").stdout
    assert "Nothing to change." in out and "the server has it newer; pull it" in out
    assert "~ workflows/shared.json" in tree.run("pull").stdout
    # What is gone here stays there, unless it is asked for.
    (tree.folder / "workflows/shared.json").unlink()
    assert "--prune deletes it" in tree.run("push").stdout
    assert json.loads(tree.run("push", "--prune", "--json").stdout)["changes"][0]["action"] == "delete"
    assert place.request("GET", f"/v1/workflows/{workflow}", key=key)[0] == 404


def test_a_fresh_clone_deletes_what_it_has_not_when_it_is_told_twice(place, tmp_path):
    key = place.create_tenant("clone", owner="clo@example.com")["api_key"]
    kept, gone = blank(place, key, "Kept", [start()]), blank(place, key, "Gone", [start()])
    for name in ("STAYS", "GOES"):
        assert place.request("PUT", f"/v1/variables/{name}", {"value": "x"}, key=key)[0] in (200, 201)
    table = place.request("POST", "/v1/data-tables", {"name": "Rows", "columns": [{"name": "a", "type": "string"}]}, key=key)[1]["id"]
    first = Tree(place, tmp_path / "first", key)
    first.run("pull")
    # As somebody else deletes it, and Git brings it elsewhere.
    clone = Tree(place, tmp_path / "clone", key)
    shutil.copytree(first.folder, clone.folder, ignore=shutil.ignore_patterns(".aias"))
    for path in ("workflows/gone.json", "data-tables/rows.json"):
        (clone.folder / path).unlink()
    clone.write("variables.json", {"STAYS": "x"})
    plain = clone.run("push", "--dry-run").stdout
    assert "workflows/gone.json: it is not here and stays on the server; --prune deletes it." in plain and "GOES is not here" in plain
    refused = clone.run("push", "--prune", check=False)
    assert refused.returncode == 1 and "workflows/gone.json: is not here" in refused.stderr and "--overwrite" in refused.stderr
    assert place.request("GET", f"/v1/workflows/{gone}", key=key)[0] == 200
    done = json.loads(clone.run("push", "--prune", "--overwrite", "--json").stdout)
    assert [(one["action"], one["file"], one["detail"]) for one in done["changes"]] == [
        ("delete", "variables.json", "GOES"), ("delete", "workflows/gone.json", "Gone")]
    assert place.request("GET", f"/v1/workflows/{gone}", key=key)[0] == 404
    assert place.request("GET", f"/v1/workflows/{kept}", key=key)[0] == 200
    assert [one["name"] for one in place.request("GET", "/v1/variables", key=key)[1]["data"]] == ["STAYS"]
    assert place.request("GET", f"/v1/data-tables/{table}", key=key)[0] == 200
    # Now they have met: what is made there later is left alone.
    later = blank(place, key, "Later", [start()])
    for _ in range(2):
        clone.run("push", "--prune", "--overwrite")
        assert place.request("GET", f"/v1/workflows/{later}", key=key)[0] == 200
    assert "+ workflows/later.json" in clone.run("pull", "--overwrite").stdout


def test_what_is_pushed_is_published_when_asked_for(place, tmp_path):
    key = place.create_tenant("live", owner="liv@example.com")["api_key"]
    blank(place, key, "Answer", [
        {"id": "in", "type": "trigger", "kind": "webhook", "name": "In", "config": {"path": "tree", "httpMethod": "POST", "responseMode": "lastNode"}, "connections": ["out"]},
        step("Out", (280, 0), "set", config=field("said", "one"))])
    tree = Tree(place, tmp_path / "tree", key)
    tree.run("pull")
    assert "^ workflows/answer.json" in tree.run("push", "--publish", "--dry-run").stdout
    assert "^ workflows/answer.json  version 1" in tree.run("push", "--publish").stdout
    assert place.request("POST", "/hooks/live/tree", {})[1] == {"said": "one"}
    assert tree.run("push", "--publish").stdout == "Nothing to change.\n"
    text = (tree.folder / "workflows/answer.json").read_text()
    (tree.folder / "workflows/answer.json").write_text(text.replace('"one"', '"two"'))
    tree.run("push")
    assert place.request("POST", "/hooks/live/tree", {})[1] == {"said": "one"}
    assert "version 2" in tree.run("push", "--publish").stdout
    assert place.request("POST", "/hooks/live/tree", {})[1] == {"said": "two"}


def test_bad_files_are_told_with_their_lines_and_nothing_is_sent(place, tmp_path):
    key = place.create_tenant("faulty", owner="fay@example.com")["api_key"]
    blank(place, key, "Good", [start()])
    tree = Tree(place, tmp_path / "tree", key)
    tree.run("pull")
    (tree.folder / "workflows/broken.json").write_text('{\n  "name": "Broken",\n  "nodes": [,]\n}\n')
    (tree.folder / "workflows/odd.json").write_text(
        '{\n  "name": "Odd",\n  "nodes": [\n    {"id": "a", "kind": "no_op"},\n    {\n      "id": "b",\n      "kind": "no_op",\n      "colour": "red"\n    }\n  ]\n}\n')
    (tree.folder / "variables.json").write_text('{\n  "A": "x",\n  "B": 7\n}\n')
    result = tree.run("push", check=False)
    assert result.returncode == 1
    for words in ["workflows/broken.json:3: This is no JSON", "workflows/odd.json:8:", "variables.json:3: A variable is a text."]:
        assert words in result.stderr, result.stderr
    assert len(place.request("GET", "/v1/workflows", key=key)[1]["data"]) == 1
    empty = Tree(place, tmp_path / "nothing", key)
    empty.folder.mkdir()
    assert "no folder that `aias pull` made" in empty.run("push", check=False).stderr
    assert "is not accepted" in Tree(place, tree.folder, "wrong").run("pull", check=False).stderr
    tree.server = type("Away", (), {"base": "http://127.0.0.1:9", "environment": place.environment})
    assert "cannot be reached" in tree.run("pull", check=False).stderr
