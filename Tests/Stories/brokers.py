"""A Redis of its own on loopback, that can be killed and started again on its port."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from server import free_port

START_LIMIT_S = 60


class Broker:
    """Ends with kill -9, starts again with what it had written."""

    def __init__(self, kind):
        self.kind = kind
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"aias-{kind}-"))
        self.process = None
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/1"

    def start(self):
        log = open(self.folder / "log", "ab")
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"{self.kind} did not start: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def kill(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
