"""What hands do at the editor: by mouse and by finger."""


def choose(page, text):
    """Picks the first match of a list to choose from, by typing."""
    page.get_by_role("combobox").fill(text)
    page.keyboard.press("Enter")


def drag(page, start, end, steps=8, **modifiers):
    page.mouse.move(*start)
    page.mouse.down(**modifiers)
    page.mouse.move(*end, steps=steps)
    page.mouse.up(**modifiers)


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def rename(page, name):
    page.get_by_label("Name of the node").fill(name)
    page.keyboard.press("Enter")


def tap(page, locator):
    page.touchscreen.tap(*middle(locator))


def start(name="Start", at=(0, 0), **more):
    return {"id": name.lower(), "type": "trigger", "kind": "manual", "name": name, "position": list(at), **more}


def step(name, at, kind="no_op", **more):
    return {"id": name.lower(), "type": "action", "kind": kind, "name": name, "position": list(at), **more}


def field(name, value):
    """The parameters of "Edit fields" that set one field."""
    return {"assignments": {"assignments": [{"id": name, "name": name, "type": "string", "value": value}]}}
