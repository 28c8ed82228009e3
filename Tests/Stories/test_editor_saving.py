"""Several windows on one draft, each with the editor's own saving, and a server in memory that can be made to fail: nothing is lost, and all come to rest."""

import pytest

from editor_desk import scripts

PRELUDE = """async () => {
  const at = (name) => import(`/assets/editor/${name}.js`);
  const [d, c, s, a] = await Promise.all(["document", "commands", "saving", "api"].map(at));
  const node = (id, name = id) => ({ id, type: "action", kind: "set", kind_version: 1, name, position: [0, 0], config: {}, connections: [] });
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const refused = (status, code) => new a.Refused(status, { code, detail: code, faults: [] });
  // `answer` may be exchanged by a test: it stands between a save and the one who made it.
  const desk = (document) => {
    const draft = { document, revision: 1, saves: 0, windows: [], answer: (save) => save() };
    draft.save = (next, revision, from) => {
      if (revision !== draft.revision) throw refused(409, "revision_conflict");
      if (new Set(next.nodes.map((one) => one.name)).size < next.nodes.length) throw refused(422, "invalid_workflow");
      Object.assign(draft, { document: d.clone(next), revision: revision + 1, saves: draft.saves + 1 });
      const data = JSON.stringify({ draft_revision: draft.revision });
      for (const one of draft.windows) if (one !== from) one.saving.source.dispatchEvent(new MessageEvent("draft", { data }));
      return { draft_revision: draft.revision };
    };
    draft.load = () => ({ document: d.clone(draft.document), workflow: { draft_revision: draft.revision } });
    draft.open = (mayWrite = true) => {
      const editor = { mayWrite, doc: new d.Doc(draft.document), toolbar: { drawSaved() {}, say(text) { editor.said = text; } }, changed() { editor.saving.touch(); } };
      editor.api = {
        watchDraft: () => Object.assign(new EventTarget(), { close() {} }), load: async () => draft.load(),
        save: async (next, revision) => { await pause(1); return draft.answer(() => draft.save(next, revision, editor)); },
      };
      editor.run = (ops) => { editor.doc.apply(ops); editor.changed(); };
      editor.saving = new s.Saving(editor, draft.load());
      draft.windows.push(editor);
      return editor;
    };
    return draft;
  };
  // Waits until no window has had anything to save for a while, however long the browser is held up.
  const rest = async (draft) => {
    for (let quiet = 0, looks = 0; quiet < 15 && looks < 600; looks += 1) {
      await pause(100);
      quiet = draft.windows.every((one) => one.saving.state === "saved") ? quiet + 1 : 0;
    }
  };
  window.saving = { c, d, desk, node, refused, rest };
}"""


@pytest.fixture(scope="module")
def windows(server):
    with scripts(server, PRELUDE) as page:
        yield page


def test_two_who_add_at_once_come_to_rest_in_the_same_order(windows):
    found = windows.evaluate(
        """async () => {
          const { c, desk, node, rest } = saving;
          const draft = desk({ name: "W", nodes: [node("a"), node("b")] });
          const [one, other] = [draft.open(), draft.open()];
          one.run(c.add(one.doc, node("x")));
          other.run(c.add(other.doc, node("y")));
          await Promise.all([one.saving.save(), other.saving.save()]);
          await rest(draft);
          // What is put back where it was, in the middle, too.
          const ops = c.remove(one.doc, ["b"]);
          one.run(ops);
          await one.saving.save();
          await rest(draft);
          one.doc.apply(ops, true);
          one.changed();
          await one.saving.save();
          await rest(draft);
          const order = (editor) => [...editor.doc.nodes.keys()].join();
          return { saves: draft.saves, states: draft.windows.map((editor) => editor.saving.state), orders: draft.windows.map(order) };
        }""")
    assert found["states"] == ["saved", "saved"]
    assert found["orders"][0] == found["orders"][1] and set(found["orders"][0].split(",")) == {"a", "b", "x", "y"}
    assert found["saves"] <= 6, found


def test_two_who_give_one_name_at_once_both_keep_their_node(windows):
    found = windows.evaluate(
        """async () => {
          const { c, desk, node, rest } = saving;
          const draft = desk({ name: "W", nodes: [node("a")] });
          const [one, other] = [draft.open(), draft.open()];
          one.run(c.add(one.doc, node("x", "Set")));
          other.run(c.add(other.doc, node("y", "Set")));
          other.run(c.add(other.doc, { ...node("z"), config: { text: "={{ $('Set').item.json.a }}" } }));
          await one.saving.save();
          await other.saving.save();
          await rest(draft);
          const names = (editor) => Object.fromEntries([...editor.doc.nodes.values()].map((one) => [one.id, one.name]));
          return { states: draft.windows.map((editor) => editor.saving.state), names: draft.windows.map(names), text: one.doc.node("z")?.config.text };
        }""")
    assert found["states"] == ["saved", "saved"]
    assert found["names"] == [{"a": "a", "x": "Set", "y": "Set 2", "z": "z"}] * 2
    assert found["text"] == "={{ $('Set 2').item.json.a }}"


def test_a_save_whose_answer_was_lost_is_no_conflict_with_oneself(windows):
    found = windows.evaluate(
        """async () => {
          const { c, desk, node, rest } = saving;
          const draft = desk({ name: "W", nodes: [node("a")] });
          const one = draft.open();
          one.run(c.change(one.doc, "a", { notes: "first" }));
          draft.answer = (save) => { draft.answer = (again) => again(); save(); throw new TypeError("Failed to fetch"); };
          await one.saving.save();
          one.run(c.change(one.doc, "a", { notes: "first and more" }));
          await one.saving.save();
          const { state } = one.saving;
          await rest(draft);
          return { state, after: one.saving.state, kept: draft.document.nodes[0].notes };
        }""")
    assert found == {"state": "changed", "after": "saved", "kept": "first and more"}


def test_a_refusal_that_is_no_conflict_is_told_and_one_that_passes_is_tried_again(windows):
    found = windows.evaluate(
        """async () => {
          const { c, desk, node, refused, rest } = saving;
          const draft = desk({ name: "W", nodes: [node("a")] });
          const one = draft.open();
          one.run(c.change(one.doc, "a", { notes: "mine" }));
          draft.answer = () => { throw refused(409, "workflow_archived"); };
          await one.saving.save();
          const archived = [one.saving.state, one.saving.detail];
          draft.answer = () => { throw refused(429, "rate_limited"); };
          await one.saving.save();
          const limited = one.saving.state;
          draft.answer = (save) => save();
          await rest(draft);
          return { archived, limited, after: one.saving.state, kept: draft.document.nodes[0].notes };
        }""")
    assert found == {"archived": ["failed", "workflow_archived"], "limited": "failed", "after": "saved", "kept": "mine"}


def test_who_signs_in_again_elsewhere_has_the_draft_saved(windows):
    found = windows.evaluate(
        """async () => {
          const { c, desk, node, refused } = saving;
          const draft = desk({ name: "W", nodes: [node("a")] });
          const one = draft.open();
          one.run(c.change(one.doc, "a", { notes: "mine" }));
          draft.answer = () => { throw refused(401, "unauthenticated"); };
          const waits = [];
          one.saving.later = (ms) => waits.push(ms);
          await one.saving.save();
          const state = one.saving.state;
          draft.answer = (save) => save();
          return { state, waits, again: await one.saving.save(), kept: draft.document.nodes[0].notes };
        }""")
    assert found["state"] == "failed" and found["again"] and found["kept"] == "mine"
    assert len(found["waits"]) == 1 and found["waits"][0] > 5000


def test_one_who_only_reads_has_nothing_unsaved_when_others_save(windows):
    found = windows.evaluate(
        """async () => {
          const { c, desk, node, rest } = saving;
          const draft = desk({ name: "W", nodes: [node("a")] });
          const [one, reader] = [draft.open(), draft.open(false)];
          one.run(c.add(one.doc, node("x")));
          await one.saving.save();
          await rest(draft);
          return { state: reader.saving.state, there: Boolean(reader.doc.node("x")), may: await reader.saving.save() };
        }""")
    assert found == {"state": "saved", "there": True, "may": True}
