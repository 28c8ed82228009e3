"""Builds the shim of unsynced.c and, after a kill, puts back what was never synced."""

import os
import pathlib
import struct
import subprocess

HEAD = struct.Struct("<qqq")


class Unsynced:
    def __init__(self, data: pathlib.Path):
        self.data = data
        self.undo = data.with_name(data.name + "-undo")
        self.undo.mkdir(exist_ok=True)
        self.library = self.undo / "unsynced.so"
        source = pathlib.Path(__file__).with_name("unsynced.c")
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", self.library, source, "-ldl", "-lpthread"], check=True)
        self.undone = 0

    def environment(self):
        return {"LD_PRELOAD": str(self.library), "UNSYNCED_ROOT": str(self.data), "UNSYNCED_UNDO": str(self.undo)}

    def put_back(self):
        """Undoes the unsynced writes in reverse order; returns how many there were."""
        count = 0
        # The latest first: what was written since the last sync began, then what the syncs on their way had to bring.
        logs = sorted(self.undo.glob("*.undo*"), key=lambda log: int(log.suffix[1:]) if log.suffix != ".undo" else 1 << 62, reverse=True)
        for log in logs:
            records = self._records(log.read_bytes())
            target = self.data / log.name.split(".undo")[0]
            if records and target.exists():
                with open(target, "r+b") as file:
                    for offset, length, old in reversed(records):
                        if old:
                            file.seek(offset)
                            file.write(old)
                        file.truncate(length)
            count += len(records)
            log.unlink()
        (self.data / "aias.db-shm").unlink(missing_ok=True)
        self.undone += count
        return count

    @staticmethod
    def _records(data):
        records, place = [], 0
        while place + HEAD.size <= len(data):
            offset, length, kept = HEAD.unpack_from(data, place)
            place += HEAD.size
            if place + kept > len(data):
                break
            records.append((offset, length, data[place:place + kept]))
            place += kept
        return records
