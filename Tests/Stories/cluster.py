"""Starts a gateway, a scheduler and so many workers on a PostgreSQL of their own, and keeps them until told to stop."""

import argparse
import base64
import os
import pathlib
import signal
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from brokers import Broker
from server import Postgres, Server


class Cluster:
    """The processes of one deployment; each has a folder of its own and shares key and payloads with the others."""

    def __init__(self, url, folder, workers, environment=None, gateway=None):
        shared = {
            "AIAS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(), "AIAS_BLOBS": str(folder / "blobs"), **(environment or {})}
        self.gateway = Server(folder / "gateway", url, {**shared, "AIAS_ROLES": "gateway", **(gateway or {})})
        self.gateway.command("migrate", "--data", str(self.gateway.folder))
        self.workers = [Server(folder / f"worker-{number}", url, {**shared, "AIAS_ROLES": "worker"}) for number in range(1, workers + 1)]
        self.scheduler = Server(folder / "scheduler", url, {**shared, "AIAS_ROLES": "scheduler"})
        self.watching, self.supervisor = threading.Event(), None

    @property
    def all(self):
        return [self.gateway, *self.workers, self.scheduler]

    def supervise(self):
        """Starts again whatever ends, as systemd does, until it is told to stop."""

        def watch():
            while not self.watching.wait(0.5):
                for one in self.all:
                    if one.process.poll() is not None:
                        one.start(wait=False)

        self.supervisor = threading.Thread(target=watch, daemon=True)
        self.supervisor.start()

    def start(self):
        try:
            for one in (*self.workers, self.scheduler):
                one.start(wait=False)
            self.gateway.start()
        except BaseException:
            self.stop()
            raise
        return self

    def _end_watch(self):
        self.watching.set()
        if self.supervisor:
            self.supervisor.join()

    def stop(self):
        self._end_watch()
        for one in self.all:
            one.stop()

    def kill(self):
        self._end_watch()
        for one in self.all:
            one.kill()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("workers", type=int, nargs="?", default=2)
    options.add_argument("--broker", choices=["notify", "redis", "rabbitmq"], default="notify", help="what carries wakes between the processes")
    options = options.parse_args()
    postgres = Postgres()
    cluster = broker = None
    try:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="aias-cluster-"))
        broker = None if options.broker == "notify" else Broker(options.broker)
        cluster = Cluster(postgres.create("aias"), folder, options.workers, {"AIAS_BROKER": broker.url} if broker else None)
        tenant = cluster.gateway.create_tenant("demo")
        cluster.start()
        print(f"A gateway on {cluster.gateway.base}, {options.workers} workers and a scheduler, in {folder}.")
        print(f"The API key of the tenant demo: {tenant['api_key']}")
        print("Ctrl-C ends them all.", flush=True)
        done = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: done.set())
        done.wait()
    finally:
        if cluster:
            cluster.stop()
        if broker:
            broker.stop()
        postgres.stop()


if __name__ == "__main__":
    main()
