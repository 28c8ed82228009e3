"""schemathesis against the running server: no 5xx and no answer that /openapi.json does not describe."""

import pathlib
import subprocess
import sys

PROGRAM = pathlib.Path(sys.executable).with_name("schemathesis")


def test_the_api_keeps_its_own_description(server, tmp_path):
    key = server.create_tenant("contract", owner="cora@example.com")["api_key"]
    command = [
        PROGRAM, "run", f"{server.base}/openapi.json", "--header", f"Authorization: Bearer {key}", "--max-examples", "12", "--seed", "7",
        "--phases", "examples,coverage,fuzzing", "--workers", "1", "--request-timeout", "20", "--no-color", "--suppress-health-check", "all",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--exclude-path-regex", "^/(hooks|t|docs|metrics|v1/events)",
    ]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=tmp_path, timeout=900)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-1000:]
