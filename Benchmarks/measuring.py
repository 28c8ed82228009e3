"""What the benchmarks share: the programs they start, the load they make, and how they read what came of it."""

import asyncio
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

from server import AIAS, free_port

ROOT = pathlib.Path(__file__).resolve().parents[1]
PEERS = pathlib.Path(os.environ.get("AIAS_PEERS") or ROOT.parent / "shared" / "peers")
OWN_PEERS = pathlib.Path(__file__).resolve().parent / "peers"
CORPUS = pathlib.Path(os.environ.get("AIAS_CORPUS") or ROOT.parent / "shared" / "corpus" / "n8n")
BODY = json.dumps({"text": "x" * 1000})


def wrk(url, seconds, connections, script):
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url], capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {
        "requests_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
        "p50_ms": milliseconds(re.search(r"50%\s+([\d.]+\w+)", out)[1]), "p99_ms": milliseconds(re.search(r"99%\s+([\d.]+\w+)", out)[1]),
        "errors": int(errors[1]) if errors else 0,
    }


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return round(float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit], 3)


def lua(folder, paths, body=BODY, content_type="application/json", name="post"):
    """A script for wrk that posts a body to each of the paths in turn."""
    script = pathlib.Path(folder) / f"{name}.lua"
    content = pathlib.Path(folder) / f"{name}.body"
    content.write_bytes(body if isinstance(body, bytes) else body.encode())
    listed = ", ".join(f'"{path}"' for path in paths)
    script.write_text(
        f'local paths = {{{listed}}}\nlocal n = 0\nlocal body = io.open("{content}", "rb"):read("*a")\n'
        f'local headers = {{["Content-Type"] = "{content_type}"}}\n'
        "request = function()\n  n = n % #paths + 1\n  return wrk.format(\"POST\", paths[n], headers, body)\nend\n")
    return str(script)


def aias(*arguments):
    out = subprocess.run([AIAS, *map(str, arguments)], capture_output=True, text=True)
    if out.returncode:
        raise RuntimeError(out.stdout + out.stderr)
    return json.loads(out.stdout.strip().splitlines()[-1])


class Bare:
    """The HTTP framework alone, answering with a small JSON body; closed by `with`."""

    def __enter__(self):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([AIAS, "bench", "bare", "--port", str(self.port)])
        try:
            wait(self.base + "/")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Slow:
    """A server that lets each request wait before it answers with a small JSON body; closed by `with`."""

    def __init__(self, seconds):
        self.seconds, self.port = seconds, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.loop = asyncio.new_event_loop()

    async def answer(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(self.seconds)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def __enter__(self):
        self.loop.run_until_complete(asyncio.start_server(self.answer, "127.0.0.1", self.port, backlog=1_000))
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)


def peer(script, *arguments):
    """Runs a peer's measurement; its last line as JSON, or why there is none."""
    if not script.exists():
        return "skipped: no peer"
    out = subprocess.run([sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True, timeout=600)
    return json.loads(out.stdout.strip().splitlines()[-1]) if out.returncode == 0 else "failed: " + out.stderr.strip()[-300:]


def resident_megabytes(pid):
    """Of a process and what it has started."""
    return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{one}/status").read_text())[1]) for one in tree(pid)) / 1024


def own_megabytes(pid):
    """The same, with what several processes have in memory together, as the program itself, shared out among them: such parts can be summed up."""
    return sum(int(re.search(r"Pss:\s+(\d+)", pathlib.Path(f"/proc/{one}/smaps_rollup").read_text())[1]) for one in tree(pid)) / 1024


def tree(pid):
    queue = [pid]
    for one in queue:
        for task in pathlib.Path(f"/proc/{one}/task").iterdir():
            queue += map(int, (task / "children").read_text().split())
    return queue


def wait(url, seconds=30, pause=0.02):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(pause)
    raise RuntimeError(f"{url} did not answer")
