"""A Redis or RabbitMQ of its own on loopback, that can be killed and started again on its port."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from server import free_port

START_LIMIT_S = 120
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


class Broker:
    """Ends with kill -9, starts again with what it had written."""

    def __init__(self, kind):
        self.kind = kind
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"aias-{kind}-"))
        self.process = None
        self.names = None
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        return f"amqp://127.0.0.1:{self.port}" if self.kind == "rabbitmq" else f"redis://127.0.0.1:{self.port}/1"

    def _command(self):
        """The program and what it is told by its environment."""
        if self.kind == "redis":
            return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes"], {}
        if not self.names:
            # Keeps the names of Erlang's nodes, and stays when the broker is killed.
            self.names_port = free_port()
            self.names = subprocess.Popen(
                ["epmd", "-port", str(self.names_port), "-address", "127.0.0.1"], stdin=subprocess.DEVNULL, start_new_session=True)
            self.peers_port = free_port()
        return [RABBITMQ], {
            # As under systemd the script becomes the server, so that a kill ends that.
            "RUNNING_UNDER_SYSTEMD": "1", "HOME": str(self.folder), "ERL_EPMD_PORT": str(self.names_port),
            "RABBITMQ_NODENAME": f"aias{self.port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.peers_port), "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"), "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"), "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def start(self):
        log = open(self.folder / "log", "ab")
        command, environment = self._command()
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
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
        if self.names:
            self.names.kill()
            self.names.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
