# Scripts of Code nodes: a function's body, and what it gives back made into items.
import ast
import builtins
import io
import json
import sys

ITEM_KEYS = {"json", "binary", "pairedItem", "error", "index"}
FILE = "<script>"


class OutputError(Exception):
    pass


class Printed(io.TextIOBase):
    """Keeps what is printed, by lines."""

    def __init__(self, limits):
        self.lines, self.rest = [], ""
        self.most, self.longest = limits.get("logLines", 1000), limits.get("logLineBytes", 8192)

    def writable(self):
        return True

    def write(self, text):
        *whole, self.rest = (self.rest + str(text)).split("\n")
        self.rest = self.rest[:self.longest]
        self.lines += [line[:self.longest] for line in whole[:max(0, self.most - len(self.lines))]]
        return len(text)

    def all(self):
        return (self.lines + [self.rest] if self.rest else self.lines)[:self.most]


def kind(value):
    if value is None:
        return "nothing"
    known = {list: "a list", Array: "a list", dict: "a dictionary", str: "text", bool: "a truth value"}
    return known.get(type(value), f"a value of the type {type(value).__name__}")


def check_item(item, index):
    if not isinstance(item.get("json"), dict):
        raise TypeError(f'item {index}: "json" must be a dictionary, but is {kind(item.get("json"))}')
    if item.get("binary") is not None and not isinstance(item["binary"], dict):
        raise TypeError(f'item {index}: "binary" must be a dictionary, but is {kind(item["binary"])}')
    return {name: member for name, member in item.items() if member is not None}


def many_items(result):
    """Items of `return` in all-items mode: items, bare dictionaries, one dictionary."""
    if isinstance(result, dict):
        result = [result]
    elif not isinstance(result, (list, tuple)):
        raise TypeError(f"the code must return items: a list of dictionaries, one for each item, but returned {kind(result)}")
    for index, item in enumerate(result):
        if not isinstance(item, dict):
            raise TypeError(f"item {index}: an item must be a dictionary, but is {kind(item)}")
    if not any(name in ITEM_KEYS and name not in ("error", "index") for item in result for name in item):
        return [{"json": item} for item in result]
    for index, item in enumerate(result):
        unknown = next((name for name in item if name not in ITEM_KEYS), None)
        if unknown is not None:
            raise TypeError(f'item {index}: unknown key "{unknown}" beside "json"; an item\'s own fields belong under "json"')
    return [check_item(item if "json" in item else {"json": {}, **item}, index) for index, item in enumerate(result)]


def one_item(result, index):
    """The item of `return` in each-item mode; None drops it."""
    if result is None:
        return []
    if not isinstance(result, dict):
        raise TypeError(f"item {index}: the code must return one dictionary for each item, but returned {kind(result)}")
    return [{**many_items(result)[0], "pairedItem": {"item": index}}]


def compiled(source):
    """The script as a function's body, so that it may return; its lines keep their numbers and its texts their spaces.
    Returns the code and the names that it uses."""
    tree = ast.parse(source, FILE)
    waits = any(isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for node in ast.walk(tree))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    shell = ast.parse(f"{'async ' if waits else ''}def script(): pass", FILE)
    shell.body[0].body = tree.body or shell.body[0].body
    return compile(shell, FILE, "exec"), names


def called(function):
    result = function()
    if not hasattr(result, "send") or not hasattr(result, "cr_code"):
        return result
    try:
        result.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("the code waits for something that nothing will ever settle")


def items_of(request):
    native, mode = request["language"] == "pythonNative", request["mode"]
    state["shape"] = (lambda value: value) if native else wrapped
    code, names = compiled(request["source"])
    roots = NATIVE_ROOTS[mode] if native else {**ROOTS, **extra_roots()}
    scope = {"__builtins__": builtins, "__name__": "__main__"}

    def run(index):
        state["index"] = index
        scope.update({name: roots[name]() for name in names if name in roots})
        exec(code, scope)
        return called(scope["script"])

    if mode == "allItems":
        result = run(0)
        return [] if native and result is None else many_items(result)
    goes_on = request.get("continuesOnError") and not native
    return [item for index in range(len(input_items())) for item in one_or_fault(run, index, goes_on)]


def one_or_fault(run, index, goes_on):
    """The item of one run; where the node goes on after errors, a failed one is given as `{fault, pairedItem}`."""
    try:
        return one_item(run(index), index)
    except Exception as error:
        if not goes_on or isinstance(error, MemoryError):
            raise
        return [{"fault": fault(error), "pairedItem": {"item": index}}]


def extra_roots():
    return {f"_{name[1:]}": (lambda value=value: wrapped(value)) for name, value in facts()["extraRoots"].items() if f"_{name[1:]}" not in ROOTS}


def output(value):
    try:
        text = json.dumps(plain(value), ensure_ascii=False)
    except RecursionError:
        raise TypeError("what was given back holds itself, or is nested too deeply") from None
    limit = state["request"]["limits"]["outputBytes"]
    if len(text) > limit:
        raise OutputError(f"more than {limit} bytes were given back")
    return text


def fault_kind(error):
    kinds = [(DataError, "data"), (OutputError, "outputLimit"), (MemoryError, "memoryLimit"), (SyntaxError, "syntax")]
    return next((kind for type_, kind in kinds if isinstance(error, type_)), "runtime")


def fault(error):
    """What went wrong, as the client's ScriptError: `{kind, message, line?, column?}`."""
    told = {"kind": fault_kind(error), "message": str(error)}
    if isinstance(error, MemoryError):
        told["message"] = "the script used more memory than allowed and was stopped"
    elif isinstance(error, SyntaxError) and error.filename == FILE:
        told["message"] = f"{type(error).__name__}: {error.msg}"
        told |= {name: value for name, value in (("line", error.lineno), ("column", error.offset)) if value}
        return told
    elif isinstance(error, SystemExit):
        told["message"] = "the script ended itself; use return"
    elif not isinstance(error, (DataError, OutputError)):
        told["message"] = f"{type(error).__name__}: {error}".removesuffix(": ")
    place = error.__traceback__
    while place:
        if place.tb_frame.f_code.co_filename == FILE:
            told["line"] = place.tb_lineno
        place = place.tb_next
    told["message"] = told["message"][:4000]
    return told


def answer(request):
    state["request"] = request
    begin_time(request["facts"]["now"])
    begin_chance(int(request["facts"]["seed"]))
    stores = {"global": request["staticGlobal"], "node": request["staticNode"]}
    state["static"] = {name: wrapped(store) for name, store in stores.items()}
    printed = Printed(request["limits"])
    sys.stdout = sys.stderr = printed
    try:
        parts = [f'"items":{output(items_of(request))}', f'"logs":{json.dumps(printed.all())}']
        for name, store in state["static"].items():
            if unwrapped(store) != stores[name]:
                parts.append(f'"static{name.capitalize()}":{output(store)}')
        return "{" + ",".join(parts) + "}"
    except BaseException as error:
        return json.dumps({"fault": fault(error)})


def serve():
    request = json.loads(receive(RUN)[4:])
    send(RESULT, answer(request))
