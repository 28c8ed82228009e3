# Time and chance of a run: the clock stands at the step's start and chance is drawn from the step's seed, so that a repeat of the step sees
# the same. Time zones are read here, since no file can be opened later.
import datetime
import hashlib
import io
import os
import random
import sys
import time
import zoneinfo

ZONES = "/usr/share/zoneinfo"
real_datetime = datetime.datetime
start = {"seconds": 0.0}


def read_zones(folder=ZONES, prefix=""):
    zones = {}
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name not in ("posix", "right"):
                zones |= read_zones(entry.path, f"{prefix}{entry.name}/")
        else:
            with open(entry.path, "rb", 0) as file:
                data = file.read()
            if data.startswith(b"TZif"):
                zones[prefix + entry.name] = data
    return zones


def load_zone(key):
    if key not in zones:
        raise zoneinfo.ZoneInfoNotFoundError(f"there is no time zone {key}")
    return io.BytesIO(zones[key])


class FrozenType(type):
    def __instancecheck__(cls, value):
        return isinstance(value, real_datetime) if cls is FrozenDatetime else type.__instancecheck__(cls, value)


class FrozenDatetime(real_datetime, metaclass=FrozenType):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(start["seconds"], tz)

    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(start["seconds"], datetime.timezone.utc).replace(tzinfo=None)


FrozenDatetime.__name__ = FrozenDatetime.__qualname__ = "datetime"
FrozenDatetime.__module__ = "datetime"


def begin_time(milliseconds):
    start["seconds"] = milliseconds / 1000


def begin_chance(seed):
    random.seed(seed)
    chance = random.Random(hashlib.sha256(str(seed).encode()).digest())
    os.urandom = random._urandom = chance.randbytes


def frozen(function):
    return lambda *given: function(*(given or (start["seconds"],)))


def freeze():
    datetime.datetime = FrozenDatetime
    real_format = time.strftime
    time.time = lambda: start["seconds"]
    time.time_ns = lambda: round(start["seconds"] * 1000) * 1_000_000
    time.gmtime, time.localtime, time.ctime = frozen(time.gmtime), frozen(time.localtime), frozen(time.ctime)
    time.strftime = lambda form, moment=None: real_format(form, time.gmtime() if moment is None else moment)
    # Nothing here has a reason to wait.
    time.sleep = lambda seconds: None


zones = read_zones() if os.path.isdir(ZONES) else {}
zoneinfo.reset_tzpath(to=[])
zoneinfo._common.load_tzdata = load_zone
for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
    hashlib.new(name, b"").hexdigest()
freeze()
close_library()
os.environ.clear()
# For the C library alone, which would look for the machine's own zone.
os.putenv("TZ", "UTC")
sys.argv = [""]
