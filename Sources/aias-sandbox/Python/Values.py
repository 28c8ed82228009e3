# Values on their way into a script and out of it.
import datetime
import decimal
import enum
import math
import types
import uuid

# Beyond this a double cannot hold every whole number.
WHOLE_MAXIMUM = 2**53 - 1


class Object(dict):
    """A JSON object whose members are attributes as well, as n8n's Python had them."""

    __slots__ = ()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to_py(self, **_):
        return unwrapped(self)

    def as_object_map(self, **_):
        return self


class Array(list):
    __slots__ = ()

    @property
    def length(self):
        return len(self)

    def to_py(self, **_):
        return unwrapped(self)


class Items(Array):
    """The input items as a list; called with a node's name, that node's items."""

    __slots__ = ()

    def __call__(self, node=None, output=0, run=None):
        return self if node is None else fetch(what="items", node=node, output=output, run=run)


def wrapped(value):
    if isinstance(value, dict):
        return Object((key, wrapped(member)) for key, member in value.items())
    return Array(map(wrapped, value)) if isinstance(value, list) else value


def unwrapped(value):
    if isinstance(value, dict):
        return {key: unwrapped(member) for key, member in value.items()}
    return [unwrapped(member) for member in value] if isinstance(value, list) else value


def plain(value):
    """The value as JSON has it. A whole number that a double cannot hold becomes text; what is no number becomes null."""
    if value is None or isinstance(value, bool) or type(value) is str:
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value) if -WHOLE_MAXIMUM <= value <= WHOLE_MAXIMUM else str(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {member_name(name): plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range, types.GeneratorType, map, filter, zip, type({}.keys()), type({}.values()))):
        return [plain(member) for member in value]
    if isinstance(value, (real_datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return plain(int(value) if value.is_finite() and value == value.to_integral_value() else float(value))
    if isinstance(value, (str, uuid.UUID, datetime.timedelta)):
        return str(value)
    if hasattr(type(value), "__dataclass_fields__"):
        return plain({name: getattr(value, name) for name in type(value).__dataclass_fields__})
    if isinstance(value, (bytes, bytearray)):
        raise TypeError("bytes cannot be given on; give text, such as base64.b64encode(data).decode()")
    raise TypeError(f"a value of the type {type(value).__name__} cannot be given on; give text, numbers, lists and dictionaries")


def member_name(name):
    if isinstance(name, str):
        return str(name)
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    if isinstance(name, (int, float, uuid.UUID, datetime.date, enum.Enum)):
        return str(plain(name))
    raise TypeError(f"a dictionary's key must be text, but is a {type(name).__name__}")
