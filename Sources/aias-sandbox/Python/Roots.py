# What scripts read of the run: fetched from the client when first asked for.
import json
import zoneinfo

state = {"request": {}, "index": 0, "fetched": {}, "shape": wrapped}


def fetch(**question):
    question = {name: value for name, value in question.items() if value is not None}
    key = json.dumps(question, sort_keys=True)
    if key not in state["fetched"]:
        state["fetched"][key] = state["shape"](ask(question))
    return state["fetched"][key]


def input_items(number=0):
    return fetch(what="input", input=number)


def node_items(name, output=None, run=None):
    return fetch(what="items", node=name, output=output, run=run)


def at(items, index):
    return items[index] if -len(items) <= index < len(items) else None


def facts():
    return state["request"]["facts"]


class NodeReference:
    """`_('Node')`."""

    def __init__(self, name):
        self._name = name

    def pairedItem(self, index=None):
        return fetch(what="paired", node=self._name, index=state["index"] if index is None else index)

    itemMatching = pairedItem
    item = property(pairedItem)
    params = property(lambda self: fetch(what="parameters", node=self._name))
    context = property(lambda self: fetch(what="context", node=self._name))
    isExecuted = property(lambda self: fetch(what="executed", node=self._name))

    def first(self, output=None, run=None):
        return at(node_items(self._name, output, run), 0)

    def last(self, output=None, run=None):
        return at(node_items(self._name, output, run), -1)

    def all(self, output=None, run=None):
        return node_items(self._name, output, run)


class InputReference:
    """`_input`."""

    item = property(lambda self: at(input_items(), state["index"]))
    params = property(lambda self: fetch(what="parameters", node=facts()["prevNode"].get("name") or facts()["nodeName"]))
    context = property(lambda self: fetch(what="context", node=facts()["prevNode"].get("name") or facts()["nodeName"]))

    def first(self, number=0):
        return at(input_items(number), 0)

    def last(self, number=0):
        return at(input_items(number), -1)

    def all(self, number=0):
        return input_items(number)


class LegacyNode:
    """`_node['Node']`: the item with the same index, not the paired one."""

    def __init__(self, name):
        self._name = name

    def _member(self, name):
        item = at(node_items(self._name), state["index"])
        return item.get(name) if item else None

    json = data = property(lambda self: self._member("json"))
    binary = property(lambda self: self._member("binary") or Object())
    parameter = property(lambda self: fetch(what="parameters", node=self._name))
    context = property(lambda self: fetch(what="context", node=self._name))


class LegacyNodes:
    def __getitem__(self, name):
        return LegacyNode(name)

    __getattr__ = __getitem__


class Denied:
    def __init__(self, what):
        object.__setattr__(self, "_what", what)

    def __getattr__(self, name):
        raise DataError(f"{object.__getattribute__(self, '_what')} cannot be read here")

    __getitem__ = get = __getattr__


class Moment(FrozenDatetime):
    """`_now` and `_today`: a datetime in the workflow's time zone, with the commonest of Luxon's methods."""

    def toISO(self):
        return self.isoformat(timespec="milliseconds")

    def toISODate(self):
        return self.date().isoformat()

    def toMillis(self):
        return round(self.timestamp() * 1000)

    def toSeconds(self):
        return self.timestamp()

    def plus(self, amount=None, **amounts):
        return self + datetime.timedelta(**{**(amount or {}), **amounts})

    def minus(self, amount=None, **amounts):
        return self - datetime.timedelta(**{**(amount or {}), **amounts})


def now():
    try:
        zone = zoneinfo.ZoneInfo(facts()["timeZone"])
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = datetime.timezone.utc
    return Moment.fromtimestamp(start["seconds"], zone)


def search(value, query):
    if "jmespath" not in Shelf.code:
        raise DataError("_jmespath needs Debian's package python3-jmespath on the server")
    import jmespath

    return state["shape"](jmespath.search(query, unwrapped(value)))


def static_data(kind="global"):
    if kind not in state["static"]:
        raise DataError(f"static data is kept for 'global' and for 'node', not for '{kind}'")
    return state["static"][kind]


def current_item():
    return at(input_items(), state["index"])


ROOTS = {
    "_": lambda: NodeReference,
    "_input": InputReference,
    "_items": lambda: Items(input_items()),
    "items": input_items,
    "_item": current_item,
    "item": current_item,
    "_json": lambda: (current_item() or {}).get("json"),
    "_binary": lambda: (current_item() or {}).get("binary") or Object(),
    "_node": LegacyNodes,
    "_itemIndex": lambda: state["index"],
    "_position": lambda: state["index"],
    "_runIndex": lambda: facts()["runIndex"],
    "_mode": lambda: facts()["mode"],
    "_prevNode": lambda: wrapped(facts()["prevNode"]),
    "_workflow": lambda: wrapped(facts()["workflow"]),
    "_execution": lambda: wrapped(facts()["execution"]),
    "_executionId": lambda: facts()["execution"].get("id"),
    "_vars": lambda: wrapped(facts()["variables"]),
    "_parameter": lambda: fetch(what="parameters", node=facts()["nodeName"]),
    "_now": now,
    "_today": lambda: now().replace(hour=0, minute=0, second=0, microsecond=0),
    "_jmespath": lambda: search,
    "_getWorkflowStaticData": lambda: static_data,
    "_env": lambda: Denied("the environment"),
    "_secrets": lambda: wrapped(facts()["extraRoots"].get("$secrets")) or Denied("_secrets"),
}

# The two names of n8n's native Python, by mode.
NATIVE_ROOTS = {"allItems": {"_items": input_items}, "eachItem": {"_item": current_item}}
