"""The command without a server, and beside one."""

import json
import os
import pathlib

import pytest

from documents import greeting, keep, line, node
from server import Server

CORPUS = pathlib.Path(os.environ.get("AIAS_CORPUS") or pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpus" / "n8n")


@pytest.fixture
def tool(tmp_path):
    return Server(tmp_path / "data")


def test_a_file_runs_without_a_server(tool, tmp_path):
    document = line("Local", node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="={{ 1 + 1 }}"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--json").stdout)
    assert out["status"] == "succeeded"
    assert out["nodes"]["Set"][0][0]["json"] == {"a": "2"}


def test_items_are_read_from_a_file(tool, tmp_path):
    document = line("Local", node("Start", "manualTrigger", 1, 0), node("Code", "code", 2, 200, jsCode="return $input.all()"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    (tmp_path / "items.json").write_text(json.dumps([{"json": {"n": 1}}, {"json": {"n": 2}}]))
    out = json.loads(tool.command("run", str(tmp_path / "w.json"), "--input", str(tmp_path / "items.json"), "--json").stdout)
    assert [item["json"]["n"] for item in out["nodes"]["Code"][0]] == [1, 2]


def test_a_failing_run_says_where_and_exits_with_1(tool, tmp_path):
    document = line("Local", node("Start", "manualTrigger", 1, 0), node("Stop", "stopAndError", 1, 200, errorMessage="no more"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    result = tool.command("run", str(tmp_path / "w.json"), "--json", check=False)
    assert result.returncode == 1
    out = json.loads(result.stdout)
    assert out["status"] == "failed" and "no more" in json.dumps(out)


def test_wrong_files_give_one_clear_sentence(tool, tmp_path):
    (tmp_path / "bad.json").write_text("{")
    for arguments in (["run", str(tmp_path / "none.json")], ["run", str(tmp_path / "bad.json")], ["import", "n8n", "--report", str(tmp_path / "bad.json")]):
        result = tool.command(*arguments, check=False)
        assert result.returncode != 0
        assert result.stderr.strip() and "Fatal" not in result.stderr


def test_a_report_reads_the_whole_corpus(tool, tmp_path):
    if not CORPUS.is_dir():
        pytest.skip("no corpus")
    lines = (CORPUS / "hermetic.jsonl").read_text().splitlines()
    files = []
    for number, text in enumerate(lines):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(json.loads(text)["workflow"]))
    out = json.loads(tool.command("import", "n8n", "--report", "--json", *map(str, files)).stdout)
    assert len(out["workflows"]) == len(lines)
    assert sum(one["runs_wholly"] for one in out["workflows"]) >= 24


def test_a_tenant_is_made_before_and_beside_the_server(tool):
    first = tool.create_tenant("before", "starter")
    assert first["tenant"]["subdomain"] == "before" and first["api_key"].startswith("aias_")
    tool.start()
    try:
        second = tool.create_tenant("beside", "professional")
        for made in (first, second):
            assert tool.request("GET", "/v1/tenant", key=made["api_key"])[1]["subdomain"] == made["tenant"]["subdomain"]
        again = tool.command("tenant", "create", "beside", "--owner", "x@example.com", "--data", str(tool.folder), check=False)
        assert again.returncode != 0 and "taken" in again.stderr
    finally:
        tool.stop()


def test_a_second_server_on_the_folder_is_refused(tool):
    tool.start()
    other = Server(tool.folder)
    try:
        with pytest.raises(RuntimeError, match="(?i)in use|another process|locked"):
            other.start()
    finally:
        tool.stop()


def test_import_and_export_beside_the_server_round_trip(tool, tmp_path):
    tool.create_tenant("acme")
    (tmp_path / "w.json").write_text(json.dumps(greeting()))
    tool.start()
    try:
        tool.command("import", "n8n", str(tmp_path / "w.json"), "--tenant", "acme", "--data", str(tool.folder))
        out = json.loads(tool.command("export", "--tenant", "acme", "--format", "n8n", "--data", str(tool.folder), "--json").stdout)
        assert out["workflows"][0] == greeting()
    finally:
        tool.stop()


def test_the_doctor_speaks(tool):
    result = tool.command("doctor", check=False)
    assert "sandbox" in result.stdout.lower()
