"""The editor's core without a canvas: documents, undoing, merging, layout and the clipboard, under many random sequences in a real browser."""

import pytest

from editor_desk import scripts

SEEDS = 60
COMMANDS = 200

PRELUDE = """async () => {
  const at = (name) => import(`/assets/editor/${name}.js`);
  const [d, c, l, b, m, g, v, k] = await Promise.all(
    ["document", "commands", "layout", "clipboard", "merge", "geometry", "viewport", "kinds"].map(at));
  // A generator of its own, so that a seed gives the same sequence again.
  const generator = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  const kind = (name, category) => ({ kind: name, category, version: 1, title: name, parameters: [] });
  const start = (random, count) => {
    const ids = Array.from({ length: count }, (_, index) => `n${index}`);
    return { name: "W", settings: { order: "parallel" }, nodes: ids.map((id, index) => ({
      id, type: index ? "action" : "trigger", kind: "set", name: `Node ${index}`, position: [index * 200, 0],
      config: { text: `={{ $('Node ${Math.floor(random() * count)}').item.json.a }}` },
      connections: index + 1 < count ? [{ output: 0, to: ids[index + 1], input: 0, kind: "main" }] : [] })) };
  };
  // One random command on a document; what cannot be done gives no operations.
  const step = (doc, random) => {
    const all = [...doc.nodes.values()];
    const some = () => all[Math.floor(random() * all.length)];
    const many = () => all.filter(() => random() < 0.3).map((node) => node.id);
    const spot = () => [Math.floor(random() * 2000), Math.floor(random() * 2000)];
    const edge = () => doc.edges[Math.floor(random() * doc.edges.length)];
    const fresh = () => c.newNode(kind("set", "action"), spot(), doc.names());
    const [a, z] = [some(), some()];
    const acts = [
      () => c.add(doc, fresh()), () => a && c.add(doc, fresh(), { from: a.id, output: 0 }), () => c.move(doc, new Map(many().map((id) => [id, spot()]))),
      () => a && a !== z && c.connect(doc, a.id, Math.floor(random() * 2), z.id, 0), () => edge() && c.disconnect(doc, [edge()]),
      () => edge() && a && c.reconnect(doc, edge(), { to: a.id }), () => c.remove(doc, many()), () => a && c.remove(doc, [a.id], [], true),
      () => edge() && c.insert(doc, fresh(), edge()), () => a && c.rename(doc, a.id, d.freeName(`Name ${Math.floor(random() * 50)}`, doc.names())),
      () => a && c.change(doc, a.id, { config: { ...a.config, [`k${Math.floor(random() * 4)}`]: Math.floor(random() * 9) } }),
      () => c.toggle(doc, many()), () => a && c.setFields(doc, a.id, { notes: random() < 0.5 ? "n" : "", execute_once: random() < 0.5 }),
      () => a && c.pin(doc, a.name, random() < 0.5 ? [{ json: { x: 1 } }] : undefined), () => c.setMeta(doc, "name", `W${Math.floor(random() * 9)}`),
      () => b.paste(doc, JSON.parse(b.write(doc, many())), random() < 0.5 ? spot() : undefined).ops,
      () => c.move(doc, l.layout(doc, () => ({ width: 200, height: 64 }))),
    ];
    return acts[Math.floor(random() * acts.length)]() || [];
  };
  const text = (doc) => JSON.stringify(doc.toJSON());
  window.core = { d, c, l, b, m, g, v, k, generator, start, step, text, kind };
}"""


@pytest.fixture(scope="module")
def core(server):
    with scripts(server, PRELUDE) as page:
        yield page


def test_undo_to_the_start_gives_the_first_document_and_redo_the_last(core):
    wrong = core.evaluate(
        """([seeds, commands]) => {
          const { d, generator, start, step, text } = core;
          const wrong = [];
          for (let seed = 1; seed <= seeds; seed += 1) {
            const random = generator(seed);
            const doc = new d.Doc(start(random, 1 + Math.floor(random() * 12)));
            const history = new d.History(doc);
            const first = text(doc);
            let done = 0;
            for (let index = 0; index < commands; index += 1) {
              // Some of them with a key, so that they coalesce.
              if (history.run("x", step(doc, random), random() < 0.3 ? "key" : undefined)) done += 1;
              if (random() < 0.1) { history.undo(); if (random() < 0.5) history.redo(); }
            }
            while (history.redo()) { /* what was undone last is done again */ }
            const last = text(doc);
            let steps = 0;
            while (history.undo()) steps += 1;
            // Byte for byte, whatever was put in and taken out between.
            if (text(doc) !== first) wrong.push([seed, "undo", done]);
            while (history.redo()) steps += 1;
            if (text(doc) !== last) wrong.push([seed, "redo", done]);
            if (done < commands / 4 || steps < 20) wrong.push([seed, "little was done", done, steps]);
          }
          return wrong;
        }""", [SEEDS, COMMANDS])
    assert wrong == []


def test_no_sequence_leaves_a_document_that_the_server_would_refuse(core):
    wrong = core.evaluate(
        """(seeds) => {
          const { d, generator, start, step } = core;
          const wrong = [];
          for (let seed = 1; seed <= seeds; seed += 1) {
            const random = generator(seed * 7);
            const doc = new d.Doc(start(random, 8));
            const history = new d.History(doc);
            for (let index = 0; index < 120; index += 1) {
              history.run("x", step(doc, random));
              if (random() < 0.2) history.undo();
              const names = [...doc.nodes.values()].map((node) => node.name);
              if (new Set(names).size !== names.length) wrong.push([seed, index, "names"]);
              for (const node of doc.nodes.values()) {
                if (node.connections.some((edge) => !doc.node(edge.to))) wrong.push([seed, index, "edges"]);
                const keys = node.connections.map((edge) => d.edgeKey(node.id, edge));
                if (new Set(keys).size !== keys.length) wrong.push([seed, index, "twice"]);
              }
            }
          }
          return wrong.slice(0, 5);
        }""", SEEDS)
    assert wrong == []


def test_two_sides_of_a_merge_lose_nothing_silently(core):
    wrong = core.evaluate(
        """(seeds) => {
          const { d, m, generator, start, step } = core;
          const wrong = [];
          let conflicts = 0;
          for (let seed = 1; seed <= seeds; seed += 1) {
            const random = generator(seed * 13);
            const base = new d.Doc(start(random, 8)).toJSON();
            const side = () => {
              const doc = new d.Doc(base);
              for (let index = 0; index < 6; index += 1) doc.apply(step(doc, random));
              return doc.toJSON();
            };
            const [mine, theirs] = [side(), side()];
            const merged = m.merge(base, mine, theirs);
            const doc = new d.Doc(merged.document);
            conflicts += merged.conflicts.length;
            const named = new Set(merged.conflicts.map((one) => `${one.node} ${one.path[0] ?? ""}`));
            const [B, M, T] = [base, mine, theirs].map((one) => new d.Doc(one));
            for (const [which, S] of [["mine", M], ["theirs", T]]) {
              for (const [id, node] of S.nodes) {
                const was = B.node(id);
                const now = doc.node(id);
                if (!was && !now) wrong.push([seed, which, "an added node is gone", id]);
                if (!was || !now) continue;
                for (const key of ["name", "position", "notes", "disabled"]) {
                  if (!d.same(node[key], was[key]) && !d.same(now[key], node[key]) && !named.has(`${id} ${key}`) && !named.has(`${id} `)) {
                    wrong.push([seed, which, id, key]);
                  }
                }
                for (const edge of node.connections) {
                  const there = (list) => list.some((one) => d.edgeKey("", one) === d.edgeKey("", edge));
                  if (!there(was.connections) && doc.node(edge.to) && !there(now.connections)) wrong.push([seed, which, id, "edge"]);
                }
              }
            }
            // Asked the other way about, it is the same document but for what is in conflict.
            const other = m.merge(base, theirs, mine);
            if (other.conflicts.length !== merged.conflicts.length) wrong.push([seed, "conflicts differ"]);
            if (!merged.conflicts.length && m.difference(other.document, merged.document).length) wrong.push([seed, "sides matter"]);
            let taken = merged.document;
            for (const one of merged.conflicts) taken = m.takeTheirs(taken, one);
            for (const one of merged.conflicts) {
              if (one.node && one.path.length && one.theirs !== undefined) {
                const value = one.path.reduce((object, key) => object?.[key], new d.Doc(taken).node(one.node));
                if (!d.same(value, one.theirs)) wrong.push([seed, "theirs was not taken", one.path]);
              }
            }
          }
          if (conflicts < 10) wrong.push(["too few conflicts to say anything", conflicts]);
          return wrong.slice(0, 5);
        }""", SEEDS)
    assert wrong == []


def test_an_undo_beside_somebody_elses_change_keeps_theirs(core):
    found = core.evaluate(
        """() => {
          const { d, c, start, generator } = core;
          const doc = new d.Doc(start(generator(1), 3));
          const history = new d.History(doc);
          history.run("move", c.move(doc, new Map([["n1", [7, 7]]])));
          history.run("text", c.change(doc, "n2", { config: { text: "mine" } }));
          doc.apply(c.change(doc, "n1", { notes: "theirs" }));
          doc.apply(c.change(doc, "n2", { config: { text: "theirs" } }));
          const misfits = [];
          history.onChange = (step) => misfits.push(...(step.misfits ?? []));
          history.undo(); history.undo();
          return { n1: doc.node("n1"), n2: doc.node("n2"), misfits: misfits.length };
        }""")
    assert found["n1"]["notes"] == "theirs" and found["n1"]["position"] == [200, 0]
    assert found["n2"]["config"] == {"text": "theirs"}
    assert found["misfits"] == 1


def test_what_an_undo_brings_back_gives_way_to_who_took_its_name(core):
    found = core.evaluate(
        """() => {
          const { d, c, generator, start, kind } = core;
          const doc = new d.Doc({ ...start(generator(1), 3), pinned_data: { "Node 1": [{ json: { a: 1 } }] } });
          const taking = (name) => doc.apply(c.add(doc, { ...c.newNode(kind("set", "action"), [0, 0], new Set()), name }));
          const history = new d.History(doc);
          history.run("text", c.change(doc, "n2", { config: { text: "={{ $('Node 0').item.json.a }}" } }));
          history.run("rename", c.rename(doc, "n0", "First"));
          history.run("delete", c.remove(doc, ["n1"]));
          taking("Node 1");
          history.undo();
          const pinned = Object.keys(doc.meta.pinned_data);
          taking("Node 0");
          history.undo();
          const names = ["n0", "n1"].map((id) => doc.node(id).name);
          const text = doc.node("n2").config.text;
          history.redo();
          history.redo();
          return { names, text, pinned, all: [...doc.names()].length === doc.nodes.size, gone: doc.node("n1") === undefined };
        }""")
    assert found == {"names": ["Node 4", "Node 3"], "text": "={{ $('Node 4').item.json.a }}", "pinned": ["Node 3"], "all": True, "gone": True}


def test_fields_of_any_name_are_joined_as_others_are(core):
    found = core.evaluate(
        """() => {
          const { m } = core;
          const named = (config) => ({ name: "W", nodes: [{ id: "a", type: "action", kind: "set", name: "A", config: JSON.parse(config), connections: [] }] });
          const written = ({ document }) => JSON.stringify(document.nodes[0].config);
          const base = named('{"x": {"__proto__": 1, "constructor": 1}}');
          const mine = named('{"x": {"__proto__": 1, "constructor": 1, "toString": 2}}');
          const theirs = named('{"x": {"__proto__": {"b": 3}}}');
          const clash = m.merge(base, named('{"x": {"__proto__": 5, "constructor": 1}}'), theirs);
          return [
            written(m.merge(base, mine, theirs)), written(m.merge(named("{}"), named('{"__proto__": 4}'), named('{"y": 1}'))),
            clash.conflicts.map((one) => one.path.join()), JSON.stringify(m.takeTheirs(clash.document, clash.conflicts[0]).nodes[0].config),
          ];
        }""")
    assert found == ['{"x":{"__proto__":{"b":3},"toString":2}}', '{"y":1,"__proto__":4}', ["config,x,__proto__"], '{"x":{"__proto__":{"b":3}}}']


def test_nodes_and_fields_named_as_what_every_object_has_of_itself_have_only_what_was_given_to_them(core):
    found = core.evaluate(
        """async () => {
          const { d, c } = core;
          const { DataView } = await import("/assets/editor/dataview.js");
          const names = ["constructor", "__proto__", "toString"];
          const nodes = names.map((name, index) => ({ id: `n${index}`, type: "action", kind: "set", name, config: {}, connections: [] }));
          const doc = new d.Doc({ name: "W", nodes, pinned_data: {} });
          const before = names.filter((name) => doc.pinned(name));
          doc.apply(c.rename(doc, "n0", "Other"));
          const renamed = JSON.stringify(doc.toJSON().pinned_data);
          doc.apply(c.pin(doc, "__proto__", [{ json: { a: 1 } }]));
          const pinned = [doc.pinned("__proto__"), JSON.stringify(doc.toJSON().pinned_data)];
          doc.apply(c.rename(doc, "n1", "Third"));
          const view = new DataView("Output");
          view.show([{ json: { constructor: 1 } }, { json: {} }]);
          const cells = [...view.element.querySelectorAll("tbody td")].map((cell) => cell.textContent);
          return { before, renamed, pinned, last: doc.meta.pinned_data, cells };
        }""")
    items = [{"json": {"a": 1}}]
    assert found == {
        "before": [], "renamed": "{}", "pinned": [items, '{"__proto__":[{"json":{"a":1}}]}'], "last": {"Third": items}, "cells": ["1", ""]}


def test_the_layout_goes_from_left_to_right_without_overlaps_and_is_the_same_each_time(core):
    wrong = core.evaluate(
        """(seeds) => {
          const { d, l, g, generator, start, step, text } = core;
          const wrong = [];
          const size = () => ({ width: 200, height: 64 });
          for (let seed = 1; seed <= seeds; seed += 1) {
            const random = generator(seed * 31);
            const doc = new d.Doc(start(random, 10));
            for (let index = 0; index < 40; index += 1) doc.apply(step(doc, random));
            const places = l.layout(doc, size);
            const again = l.layout(new d.Doc(doc.toJSON()), size);
            if (JSON.stringify([...places].sort()) !== JSON.stringify([...again].sort())) wrong.push([seed, "differs"]);
            const boxes = [...places].map(([id, [x, y]]) => ({ id, x, y, width: 200, height: 64 }));
            if (boxes.length !== doc.nodes.size) wrong.push([seed, "some are missing"]);
            for (let a = 0; a < boxes.length; a += 1) for (let b = 0; b < a; b += 1) if (g.overlaps(boxes[a], boxes[b])) wrong.push([seed, boxes[a].id, boxes[b].id]);
          }
          const chain = new d.Doc(start(generator(5), 9));
          const xs = [...chain.nodes.keys()].map((id) => l.layout(chain, size).get(id)[0]);
          if (xs.some((x, index) => index && x <= xs[index - 1])) wrong.push(["a chain goes back", xs]);
          return wrong.slice(0, 5);
        }""", SEEDS)
    assert wrong == []


def test_zooming_keeps_the_point_under_the_cursor_and_fitting_shows_all(core):
    wrong = core.evaluate(
        """() => {
          const { v, generator } = core;
          const random = generator(3);
          const wrong = [];
          for (let index = 0; index < 500; index += 1) {
            const view = { x: random() * 800 - 400, y: random() * 800 - 400, k: 0.1 + random() * 2 };
            const [sx, sy] = [random() * 1400, random() * 900];
            const before = v.toWorld(view, sx, sy);
            const after = v.toWorld(v.zoomAt(view, 0.3 + random() * 3, sx, sy), sx, sy);
            if (Math.hypot(before[0] - after[0], before[1] - after[1]) > 1e-6) wrong.push(index);
            const box = { x: random() * 5000, y: random() * 5000, width: 100 + random() * 8000, height: 100 + random() * 4000 };
            const fitted = v.fit(box, 1200, 800);
            const [left, top] = v.toScreen(fitted, box.x, box.y);
            const [right, bottom] = v.toScreen(fitted, box.x + box.width, box.y + box.height);
            if (fitted.k > 0.1 && (left < 0 || top < 0 || right > 1200 || bottom > 800)) wrong.push(box);
          }
          return wrong.slice(0, 3);
        }""")
    assert wrong == []


def test_names_in_expressions_follow_a_new_name(core):
    found = core.evaluate(
        """() => {
          const { d } = core;
          const names = new Map([["Old", "It's \\\\new"]]);
          return ["={{ $('Old').item.json.a }}", '={{ $node["Old"].json.a + $("Old").first().json.b }}', "$('Old')", "={{ $('Older').item }}"]
            .map((text) => d.renamed({ a: [text] }, names).a[0]);
        }""")
    assert found == [
        "={{ $('It\\'s \\\\new').item.json.a }}", '={{ $node["It\'s \\\\new"].json.a + $("It\'s \\\\new").first().json.b }}', "$('Old')",
        "={{ $('Older').item }}"]


def test_what_is_pasted_is_taken_only_where_it_can_be_drawn(core):
    found = core.evaluate(
        """() => {
          const { b, k } = core;
          const node = { id: "x", kind: "set", name: "X", position: [0, 0], config: {}, connections: ["y", { to: "y" }] };
          const read = (nodes, more = {}) => Boolean(b.read(JSON.stringify({ format: "aias.nodes", nodes, ...more })));
          const wrong = [[null], [{}], ...[{ name: {} }, { position: ["0", 0] }, { position: [1] }, { position: {} }, { config: [] }, { config: null },
            { connections: {} }, { connections: [null] }].map((part) => [{ ...node, ...part }])];
          const many = { kind: "?", type: "action", config: {}, connections: [{ kind: "main", output: 4294967295, to: "y" }] };
          return {
            taken: [read([node]), read([{ kind: "set" }]), read([node], { pinned_data: { X: [] } })],
            refused: [...wrong.map((nodes) => read(nodes)), read([node], { pinned_data: "x" }), read([node], { pinned_data: { X: 1 } })],
            ports: new k.Kinds([]).of(many).outputs.length,
          };
        }""")
    assert found["taken"] == [True] * 3
    assert not any(found["refused"]), found
    assert found["ports"] == 64


def test_an_older_answer_about_a_run_does_not_take_the_place_of_a_newer_one(core):
    found = core.evaluate(
        """async () => {
          const { Runs } = await import("/assets/editor/runs.js");
          const answers = [];
          const nothing = () => {};
          const editor = { api: { run: () => new Promise((done) => answers.push(done)) }, toolbar: { draw: nothing, say: nothing }, canvas: { drawOverlay: nothing } };
          const runs = new Runs(editor);
          runs.id = "r";
          const [first, second] = [runs.load(), runs.load()];
          answers[1]({ id: "r", status: "succeeded", steps: [] });
          await second;
          answers[0]({ id: "r", status: "running", steps: [] });
          await first;
          clearTimeout(runs.look);
          return editor.overlay.run.status;
        }""")
    assert found == "succeeded"


LIVE = """async () => {
  const { Live } = await import("/assets/lib/live.js");
  const pause = () => new Promise((done) => setTimeout(done, 200));
  const made = [];
  class Source extends EventTarget {
    constructor(address) {
      super();
      Object.assign(this, { address, readyState: 0 });
      made.push(this);
      setTimeout(() => { if (!this.readyState) { this.readyState = 1; this.dispatchEvent(new Event("open")); } }, 5);
    }
    close() { this.readyState = 2; }
  }
  Object.assign(Source, { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
  window.EventSource = Source;
  const heard = [];
  const listen = (live, name, key) => {
    const watch = live.watch(key);
    for (const type of ["open", "draft", "run"]) watch.addEventListener(type, () => heard.push(`${name} ${key} ${type}`));
  };
  const open = () => made.filter((one) => one.readyState === 1);
  const send = (watch, event) => open()[0].dispatchEvent(new MessageEvent("live", { data: JSON.stringify({ watch, event, data: {} }) }));
  // Once so many were heard, and no more of them.
  const said = async (count) => {
    for (let looks = 0; heard.length < count && looks < 300; looks += 1) await pause();
    await pause();
    return heard.splice(0).sort();
  };
  window.live = { Live, made, listen, open, send, said };
}"""


@pytest.fixture
def live(core, server):
    context = core.context.browser.new_context(base_url=server.base)
    page = context.new_page()
    page.goto("/sign-in")
    page.evaluate(LIVE)
    yield page
    context.close()


def test_the_windows_of_a_browser_share_one_stream_and_the_next_takes_it_over(live):
    found = live.evaluate(
        """async () => {
          const { Live, listen, open, send, said } = window.live;
          const [one, other] = [new Live(), new Live()];
          const steps = [];
          listen(one, "one", "workflow:a");
          const first = await said(1);
          steps.push([open().map((source) => source.address.split("=")[1]), first]);
          listen(other, "other", "workflow:a");
          listen(other, "other", "run:b");
          steps.push([await said(2), open().length]);
          send("workflow:a", "draft");
          send("run:b", "run");
          steps.push([await said(3), open().length]);
          one.stop();
          steps.push([await said(2), open().length]);
          send("run:b", "run");
          steps.push([await said(1), open().length]);
          other.stop();
          steps.push([await said(0), open().length]);
          return steps;
        }""")
    assert found == [
        [["workflow:a"], ["one workflow:a open"]], [["other run:b open", "other workflow:a open"], 1],
        [["one workflow:a draft", "other run:b run", "other workflow:a draft"], 1], [["other run:b open", "other workflow:a open"], 1],
        [["other run:b run"], 1], [[], 0],
    ]


def test_windows_that_cannot_speak_to_each_other_have_a_stream_each(live):
    found = live.evaluate(
        """async () => {
          const { Live, listen, open, said } = window.live;
          Object.defineProperty(navigator, "locks", { value: undefined, configurable: true });
          const [one, other] = [new Live(), new Live()];
          listen(one, "one", "workflow:a");
          listen(other, "other", "workflow:a");
          return [await said(2), open().length];
        }""")
    assert found == [["one workflow:a open", "other workflow:a open"], 2]


def test_a_run_that_waits_is_fetched_again_only_where_it_has_changed(core):
    found = core.evaluate(
        """async () => {
          const { Runs } = await import("/assets/editor/runs.js");
          const nothing = () => {};
          const pause = () => new Promise((done) => setTimeout(done, 300));
          const count = { whole: 0, mark: "one" };
          const api = {
            run: async () => { count.whole += 1; return { id: "r", status: "waiting", steps: [] }; },
            runProgress: async () => ({ mark: count.mark }),
          };
          const runs = new Runs({ api, toolbar: { draw: nothing, say: nothing }, canvas: { drawOverlay: nothing } });
          runs.id = "r";
          await runs.load();
          await pause();
          const seen = [];
          for (const mark of ["one", "one", "one", "two", "two"]) {
            clearTimeout(runs.look);
            count.mark = mark;
            const before = count.whole;
            await runs.lookAgain();
            await pause();
            seen.push(count.whole - before);
          }
          clearTimeout(runs.look);
          return seen;
        }""")
    assert found == [1, 0, 0, 1, 0]


def test_who_is_signed_out_is_not_told_of_and_asks_for_nothing_any_more(core):
    found = core.evaluate(
        """async () => {
          const { Presence } = await import("/assets/editor/presence.js");
          const { Refused } = await import("/assets/editor/api.js");
          if (!customElements.get("notification-bell")) await import("/assets/components/notification-bell.js");
          for (const own of document.querySelectorAll("notification-bell")) own.remove();
          const pause = () => new Promise((done) => setTimeout(done, 50));
          let told = 0;
          const api = { tellPresence: async () => { told += 1; throw new Refused(401, {}); } };
          const presence = Object.assign(Object.create(Presence.prototype), { editor: { api, selection: new Set() }, others: new Map(), number: 0, told: 0 });
          presence.tell();
          await pause();
          presence.told = 0;
          presence.beat();
          presence.tell();
          await pause();
          let asked = 0;
          const { fetch } = window;
          window.fetch = async () => { asked += 1; return new Response("{}", { status: 401 }); };
          const bell = document.createElement("notification-bell");
          bell.dataset.source = "/v1/notifications/unread";
          document.body.append(bell);
          await pause();
          document.dispatchEvent(new Event("visibilitychange"));
          await pause();
          bell.remove();
          window.fetch = fetch;
          return [told, asked];
        }""")
    assert found == [1, 1]


def test_what_is_asked_for_once_is_asked_for_again_where_it_did_not_come(core):
    found = core.evaluate(
        """async () => {
          const { once } = await import("/assets/editor/api.js");
          const holder = {};
          let count = 0;
          const ask = async () => { count += 1; if (count === 1) throw new Error("away"); return count; };
          const first = await once(holder, "list", ask).catch((error) => error.message);
          return [first, await once(holder, "list", ask), await once(holder, "list", ask)];
        }""")
    assert found == ["away", 2, 2]


def test_texts_of_one_moment_are_tried_in_one_question(core):
    found = core.evaluate(
        """async () => {
          const { Previews } = await import("/assets/editor/panel.js");
          const asked = [];
          const ask = async (value) => { asked.push(value); return [value].flat().includes("=bad") ? { value: null, error: "no" } : { value }; };
          const previews = new Previews(ask);
          const look = async (...texts) => [await Promise.all(texts.map((text) => previews.of(text))), asked.splice(0)];
          return [await look("=a", "=b", "=a"), await look("=a"), await look("=a", "=bad"), await look("=a", "=b", "=bad")];
        }""")
    [a, b], bad = [{"value": "=a"}, {"value": "=b"}], {"value": None, "error": "no"}
    assert found == [
        [[a, b, a], [["=a", "=b"]]], [[a], ["=a"]], [[a, bad], [["=a", "=bad"], "=a", "=bad"]], [[a, b, bad], ["=bad", ["=a", "=b"]]]]


def test_notes_are_shown_as_the_platform_reads_them_and_load_nothing(core):
    found = core.evaluate(
        """async () => {
          const { learn, shown } = await import("/assets/editor/markdown.js");
          const asked = [];
          const html = {
            "# a": "<h2>Made <em>of</em> data</h2>", "[b](c)": '<p><a href="https://a.example">Watch</a> <a href="#">this</a></p>', "[![](p)](e)": '<p><a href="https://e.example/w"></a></p>', "`d`": '<pre tabindex="0"><code>d</code></pre>',
          };
          const api = { markdown: async (texts) => { asked.push(texts); return { html: texts.map((text) => html[text] ?? "<p>more</p>") }; } };
          const broken = { markdown: async () => { throw new Error("away"); } };
          const look = (text) => { const box = document.createElement("div"); box.append(...shown(text) ?? ["unknown"]); return box.innerHTML; };
          const failed = await learn(broken, ["# a"]).catch((error) => error.message);
          const before = look("# a");
          await Promise.all([learn(api, ["# a", "[b](c)", "[![](p)](e)"]), learn(api, ["`d`", "# a"])]);
          await learn(api, ["# a", "x".repeat(20001)]);
          await learn(api, Array.from({ length: 30 }, (_, index) => `many ${index}`));
          return { failed, before, asked: asked.map((texts) => texts.length), looks: Object.keys(html).map(look), long: look("x".repeat(20001)) };
        }""")
    assert found == {
        "failed": "away", "before": "unknown", "asked": [4, 20, 10], "long": "unknown",
        "looks": [
            '<div class="heading level-1">Made <em>of</em> data</div>',
            '<p><a href="https://a.example" target="_blank" rel="noopener noreferrer" draggable="false" tabindex="-1">Watch</a> <u>this</u></p>',
            '<p><a href="https://e.example/w" target="_blank" rel="noopener noreferrer" draggable="false" tabindex="-1">e.example</a></p>',
            "<pre><code>d</code></pre>"]}


def test_items_are_written_as_json_no_further_than_they_are_shown(core):
    found = core.evaluate(
        """async () => {
          const { written } = await import("/assets/editor/dataview.js");
          const items = [{ a: [1, { b: "x" }] }, {}, { c: null }];
          let asked = 0;
          const many = Array.from({ length: 1000 }, () => ({ toJSON() { asked += 1; return { text: "long".repeat(100) }; } }));
          const cut = written(many, 1000);
          return { same: written(items) === JSON.stringify(items, null, 2), length: cut.length, end: cut.at(-1), asked };
        }""")
    assert found["same"] and found["length"] == 1001 and found["end"] == "…"
    assert found["asked"] < 5


def test_a_dialog_closes_by_a_press_beside_it_and_by_none_that_began_or_ended_within(core):
    box = core.evaluate(
        """async () => {
          const { dialog, h } = await import("/assets/editor/dom.js");
          window.sheet = dialog("Written", h("textarea", {}, "much that was written"));
          window.sheet.style.padding = "40px";
          const { left, top, right, bottom } = window.sheet.getBoundingClientRect();
          return { left, top, right, bottom };
        }""")
    inside, beside = (box["left"] + 100, box["bottom"] - 60), (box["left"] - 10, box["top"] - 10)

    def press(start, end):
        core.mouse.move(*start)
        core.mouse.down()
        core.mouse.move(*end)
        core.mouse.up()
        return core.evaluate("window.sheet.isConnected")

    assert press((box["left"] + 8, box["top"] + 8), (box["left"] + 8, box["top"] + 8)), "the blank space within"
    assert press(inside, beside) and press(beside, inside)
    assert not press(beside, beside)


def test_a_list_that_does_not_come_says_why_and_waits_no_more(core):
    found = core.evaluate(
        """async () => {
          const { pick } = await import("/assets/editor/picker.js");
          const box = pick("Runs", Promise.reject(new Error("away")), { none: "It has not run yet." });
          await new Promise((done) => setTimeout(done));
          const input = box.querySelector("input");
          const look = () => [box.querySelector("[role=status]").textContent, box.querySelectorAll(".skeleton").length];
          const found = [look()];
          input.value = "x";
          input.dispatchEvent(new Event("input"));
          found.push(look());
          box.close();
          return found;
        }""")
    assert found == [["away", 0], ["away", 0]]


def test_a_credential_is_made_in_place_with_switches_as_switches_and_by_enter(core):
    found = core.evaluate(
        """async () => {
          const { openCredential } = await import("/assets/editor/credentials.js");
          const fields = [
            { name: "host", label: "Host", kind: "text", required: true }, { name: "port", label: "Port", kind: "number", default_value: "465" },
            { name: "secure", label: "TLS", kind: "boolean", default_value: "true" }, { name: "lax", label: "Lax", kind: "boolean" }];
          const sent = [];
          const api = {
            credentialTypes: async () => [{ type: "smtp", title: "SMTP", fields }], credentials: async () => [],
            createCredential: async (body) => { sent.push(body); return body; },
          };
          await openCredential({ api, toolbar: { say() {} } }, "smtp", "Mail", () => {});
          const box = document.querySelector("dialog[open]");
          const [, host] = box.querySelectorAll("input");
          host.value = "mail.example.com";
          const ticks = [...box.querySelectorAll("[type=checkbox]")];
          const switches = ticks.map((one) => one.checked);
          ticks[0].click();
          host.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
          await new Promise((done) => setTimeout(done, 20));
          return { switches, sent, open: box.isConnected };
        }""")
    fields = {"host": "mail.example.com", "port": 465, "secure": False}
    assert found == {"switches": [True, False], "sent": [{"type": "smtp", "name": "Mail", "fields": fields}], "open": False}


def test_a_server_that_does_not_answer_or_knows_nobody_is_told_of_in_words_that_say_what_to_do(core):
    found = core.evaluate(
        """async () => {
          const { API } = await import("/assets/editor/api.js");
          const { fetch } = window;
          const answers = [
            () => Promise.reject(new TypeError("Failed to fetch")), async () => new Response("<h1>Bad Gateway</h1>", { status: 502 }),
            async () => new Response('{"detail": "Sign in, or send an API key."}', { status: 401 }), async () => new Response('{"detail": "Gone."}', { status: 404 })];
          const said = [];
          for (const answer of answers) {
            window.fetch = answer;
            said.push(await new API("w").load().catch((error) => [error.message, error.status ?? 0]));
          }
          window.fetch = fetch;
          return said;
        }""")
    assert found == [["unreachable", 0], ["server_failed", 502], ["signed_out", 401], ["Gone.", 404]]


def test_what_the_editor_asks_says_whose_page_it_is(core):
    sent = core.evaluate(
        """async () => {
          document.documentElement.dataset.tenant = "of-the-page";
          const { API } = await import("/assets/editor/api.js?of-a-page");
          const { fetch } = window;
          const sent = [];
          window.fetch = async (path, { headers }) => { sent.push(headers["Page-Tenant"]); return new Response("{}"); };
          await new API("w").load();
          await new API("w").save({}, 1);
          window.fetch = fetch;
          delete document.documentElement.dataset.tenant;
          return sent;
        }""")
    assert sent == ["of-the-page", "of-the-page"]


def test_numbers_in_texts_are_written_as_the_language_writes_them(core):
    found = core.evaluate(
        """async () => {
          const { setStrings, t } = await import("/assets/editor/dom.js");
          setStrings({ items: "{count} items", at: "{name}, {other}" });
          const said = [t("items", { count: 12345 }), t("items", { count: 3 }), t("at", { name: "1234" }), t("none")];
          setStrings({});
          return said;
        }""")
    assert found == ["12,345 items", "3 items", "1234, {other}", "none"]


def test_a_run_that_cannot_be_shown_is_told_of(core):
    said = core.evaluate(
        """async () => {
          const { Runs } = await import("/assets/editor/runs.js");
          const said = [];
          const source = Object.assign(new EventTarget(), { close() {} });
          const api = { run: async () => { throw new Error("away"); }, watchRun: () => source };
          await new Runs({ api, toolbar: { say: (text) => said.push(text) } }).follow("r");
          return said;
        }""")
    assert said == ["away"]
