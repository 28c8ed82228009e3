// Keeps the draft saved. The later save never wins silently: where somebody else has saved since, both changes are joined field by field, and
// what both changed is asked for.
import { same } from "./document.js";
import * as commands from "./commands.js";
import { load } from "./lazy.js";
import { announce, button, dialog, h, t } from "./dom.js";

const PAUSE_MS = 700;
const AGAIN_MS = 4000;
/// Somebody signed out signs in elsewhere, or goes back to the page's tenant there, which takes a while.
const SIGN_IN_MS = 15_000;
const UNANSWERED = 4;

export class Saving {
  constructor(editor, loaded) {
    this.editor = editor;
    this.revision = loaded.workflow.draft_revision;
    this.base = editor.doc.toJSON();
    /// What was sent and may have been saved, though no answer came.
    this.unanswered = [];
    this.set("saved");
    this.source = editor.api.watchDraft();
    this.source.addEventListener("draft", (event) => this.heard(JSON.parse(event.data)));
    // What was told while the connection was away may not have been kept where it is now.
    this.source.addEventListener("open", () => { if (this.connected) this.heard({}); this.connected = true; });
    this.source.addEventListener("refused", () => { this.connected = true; });
    addEventListener("beforeunload", (event) => { if (this.state !== "saved") event.preventDefault(); });
    addEventListener("pagehide", () => this.source.close());
  }

  set(state, detail = "") {
    this.state = state;
    this.detail = detail;
    this.editor.toolbar.drawSaved(state, detail);
  }

  touch() {
    if (!this.editor.mayWrite) return;
    if (this.state !== "asking") this.set("changed");
    this.later(PAUSE_MS);
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), ms);
  }

  /// Resolves to whether the draft as it stands is saved.
  async save() {
    clearTimeout(this.timer);
    if (this.busy) return this.busy.then(() => (this.state === "saved" ? true : this.save()));
    if (this.state === "asking") return false;
    const document = this.editor.doc.toJSON();
    // Also for those who only read: there is nothing of theirs to lose.
    if (same(document, this.base)) { this.set("saved"); return true; }
    if (!this.editor.mayWrite) return false;
    this.set("saving");
    this.busy = this.put(document);
    const done = await this.busy;
    this.busy = undefined;
    return done;
  }

  async put(document) {
    this.unanswered = [document, ...this.unanswered].slice(0, UNANSWERED);
    try {
      const saved = await this.editor.api.save(document, this.revision);
      this.unanswered = [];
      this.revision = saved.draft_revision;
      this.base = document;
      if (same(this.editor.doc.toJSON(), document)) this.set("saved");
      else this.touch();
      return true;
    } catch (error) {
      if (error.status && error.status < 500) this.unanswered.shift();
      if (error.code === "revision_conflict") {
        await this.join();
        // What was loaded may be older than what the other one saved.
        if (this.state === "saving") { this.set("changed"); this.later(AGAIN_MS); }
        return false;
      }
      this.set("failed", error.faults?.[0]?.message ?? error.message);
      if (!error.status || error.status === 429 || error.status >= 500) this.later(AGAIN_MS);
      if (error.status === 401 || error.code === "other_tenant") this.later(SIGN_IN_MS);
      return false;
    }
  }

  heard({ draft_revision: revision }) {
    if (revision <= this.revision || this.state === "asking") return;
    if (this.busy) { this.busy.then(() => this.heard({ draft_revision: revision })); return; }
    this.join();
  }

  /// Takes over what somebody else has saved.
  async join() {
    let loaded;
    let merging;
    try {
      [loaded, merging] = await Promise.all([this.editor.api.load(), load("merge")]);
    } catch (error) {
      this.set("failed", error.message);
      this.later(AGAIN_MS);
      return;
    }
    if (loaded.workflow.draft_revision <= this.revision || this.state === "asking") return;
    const theirs = new this.editor.doc.constructor(loaded.document).toJSON();
    // What this window saved itself, and only the answer was lost, is nobody else's change.
    const base = this.unanswered.some((one) => same(one, theirs)) ? theirs : this.base;
    const mine = merging.apart(base, this.editor.doc.toJSON(), theirs);
    const { document, conflicts } = merging.merge(base, mine, theirs);
    this.revision = loaded.workflow.draft_revision;
    this.base = theirs;
    this.unanswered = [];
    if (conflicts.length) { this.ask(document, conflicts, merging.takeTheirs); return; }
    this.adopt(document);
    this.editor.toolbar.say(t("joined"));
  }

  adopt(document) {
    const { editor } = this;
    const ops = commands.replace(editor.doc, document);
    editor.doc.apply(ops);
    // In the same order too: windows that differ in it alone would save theirs in turn without end.
    editor.doc.order(document.nodes.map((node) => node.id));
    editor.changed({ ops });
    this.set("changed");
    this.later(50);
  }

  ask(document, conflicts, takeTheirs) {
    this.set("asking");
    const chosen = conflicts.map(() => "mine");
    const rows = conflicts.map((conflict, index) => {
      const name = `conflict-${index}`;
      const option = (side, value) => h("label.side", {},
        h("input", { type: "radio", name, value: side, checked: side === "mine", onchange: () => { chosen[index] = side; } }),
        h("strong", {}, t(`side_${side}`)), h("code", {}, value === undefined ? t("removed") : JSON.stringify(value).slice(0, 300)));
      return h("fieldset", {}, h("legend", {}, [conflict.name, ...conflict.path].filter(Boolean).join(" · ")), option("mine", conflict.mine), option("theirs", conflict.theirs));
    });
    let settled = false;
    const settle = () => {
      if (settled) return;
      settled = true;
      let result = document;
      conflicts.forEach((conflict, index) => { if (chosen[index] === "theirs") result = takeTheirs(result, conflict); });
      this.set("changed");
      this.adopt(result);
      announce(t("conflict_settled"));
    };
    const box = dialog(t("conflict_title"), [h("p", {}, t("conflict_hint")), ...rows,
      h("p.buttons", {}, button(t("conflict_save"), () => box.close(), { kind: "primary" }))], { onclose: settle });
  }
}
