"""Small n8n documents that the stories import."""


def node(name, kind, version, x, **parameters):
    return {
        "id": f"id-{name}", "name": name, "type": f"n8n-nodes-base.{kind}", "typeVersion": version, "position": [x, 0],
        "parameters": parameters,
    }


def line(name, *nodes, **settings):
    """The nodes one after another."""
    links = {
        a["name"]: {"main": [[{"node": b["name"], "type": "main", "index": 0}]]} for a, b in zip(nodes, nodes[1:])
    }
    return {"name": name, "nodes": list(nodes), "connections": links, "settings": {"executionOrder": "v1", **settings}}


def hook(path, mode="lastNode", **options):
    return node("Hook", "webhook", 2, 0, path=path, httpMethod="POST", responseMode=mode, options=options)


def keep(name, x, **values):
    assignments = [
        {"id": key, "name": key, "type": "string", "value": value} for key, value in values.items()]
    return node(name, "set", 3.4, x, assignments={"assignments": assignments}, options={})


def greeting(path="hello"):
    return line("Greeting", hook(path), keep("Greet", 200, greeting="=Hello {{ $json.body.name }}"))


def code(path, source):
    return line("Code", hook(path), node("Code", "code", 2, 200, jsCode=source))
