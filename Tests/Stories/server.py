"""Starts the built program and a PostgreSQL of its own, and talks to both as somebody outside would."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
AIAS = str(ROOT / "bin" / "aias")
# Generous: a busy machine may be held up for seconds.
START_LIMIT_S = 120
STOP_LIMIT_S = 60


def free_port() -> int:
    """For a server that is started later: none of the ports that the system gives by itself, so that nobody else gets it meanwhile."""
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Postgres:
    """A cluster in a temporary folder on a free loopback port, run as `postgres` where we are root."""

    def __init__(self, address=None):
        """`address` is one more to listen on beside loopback, for whoever may reach it."""
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aias-pg-"))
        self.bin = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.as_user = []
        # What stands in its surroundings beside ours.
        self.environment = {}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        data = self.folder / "data"
        self._run([self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
        self.data = data
        if address:
            with open(data / "pg_hba.conf", "a") as rules:
                rules.write(f"host all all {address}/24 trust\n")
        addresses = ",".join(filter(None, ["127.0.0.1", address]))
        self.options = f"-p {self.port} -c listen_addresses={addresses} -c unix_socket_directories={self.folder} -c max_connections=200"
        self.start()

    def start(self):
        self._run([self.bin / "pg_ctl", "-D", self.data, "-o", self.options, "-l", self.folder / "log", "-w", "start"])

    def kill(self):
        """As a crash: no checkpoint, no word to anybody."""
        self._run([self.bin / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop"])

    def _run(self, command):
        surroundings = ["env", *(f"{name}={value}" for name, value in self.environment.items())]
        result = subprocess.run([*self.as_user, *surroundings, *map(str, command)], capture_output=True, text=True, cwd="/")
        if result.returncode:
            raise RuntimeError(result.stdout + result.stderr)

    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def create(self, name: str) -> str:
        """A new database; returns the URL of its owner, with which `aias migrate` makes the role that serves."""
        self._run([self.bin / "createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", name])
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def run_sql(self, name: str, text: str):
        self._run([self.bin / "psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-d", name, "-v", "ON_ERROR_STOP=1", "-c", text])

    def number(self, name: str, query: str) -> int:
        """The one number that a query gives, asked by the superuser."""
        command = [self.bin / "psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-d", name, "-tAc", query]
        return int(subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout)

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """One `aias serve` on a folder, restartable after a kill."""

    def __init__(self, folder=None, database_url=None, environment=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="aias-data-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, **(environment or {})}
        self.environment["AIAS_LOG_LEVEL"] = self.environment.get("AIAS_LOG_LEVEL", "warning")
        if database_url:
            self.environment["AIAS_DATABASE_URL"] = database_url
        self.process = None
        # A command in whose surroundings it runs: a network of its own.
        self.within = []
        self.log = self.folder / "server.log"

    def start(self, extra=None, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.within, AIAS, "serve", "--data", str(self.folder), "--port", str(self.port)],
                env={**self.environment, **(extra or {})}, stdout=log, stderr=log, start_new_session=True)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.tail()}")
            try:
                with urllib.request.urlopen(self.base + "/readyz", timeout=5):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server was not ready within {START_LIMIT_S} s: {self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def kill(self):
        """kill -9 of the whole group: the program and its sandbox workers."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self, within_s=STOP_LIMIT_S):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=within_s)
            except subprocess.TimeoutExpired:
                self.kill()
                raise RuntimeError(f"the server did not stop within {within_s} s of SIGTERM")

    def command(self, *arguments, check=True):
        result = subprocess.run([AIAS, *arguments], env=self.environment, capture_output=True, text=True, timeout=120)
        if check and result.returncode:
            raise RuntimeError(f"aias {' '.join(arguments)}: {result.stdout}{result.stderr}")
        return result

    def create_tenant(self, subdomain="acme", plan="custom", owner="ana@example.com"):
        out = self.command(
            "tenant", "create", subdomain, "--plan", plan, "--owner", owner, "--data", str(self.folder), "--json").stdout
        return json.loads(out)

    def request(self, method, path, body=None, key=None, headers=None, timeout=60):
        """Returns (status, parsed body or text, headers)."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, _parse(answer), dict(answer.headers)
        except urllib.error.HTTPError as answer:
            return answer.code, _parse(answer), dict(answer.headers)

    def import_workflow(self, key, document, publish=True):
        status, answer, _ = self.request(
            "POST", "/v1/workflow-imports", {"format": "n8n", "publish": publish, "document": document}, key=key)
        assert status in (200, 201), answer
        return answer


def _parse(answer):
    data = answer.read()
    if "json" in (answer.headers.get("Content-Type") or ""):
        return json.loads(data)
    return data.decode(errors="replace")
