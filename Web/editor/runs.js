// Runs in the editor: the draft is tried out, followed live on the canvas, and older runs are looked at again.
import * as commands from "./commands.js";
import { announce, moment, t } from "./dom.js";
import { load, openLazily } from "./lazy.js";
import { pick } from "./picker.js";

const PAUSE_MS = 120;
/// A run that is under way is looked at again although nothing was told: what another process tells may be lost.
const LOOK_MS = 3000;
const OVER = new Set(["succeeded", "failed", "cancelled", "uncertain"]);

export class Runs {
  constructor(editor) { this.editor = editor; }

  /// Saves the draft and runs it, whole or up to a node.
  async start({ until, trigger, items } = {}) {
    const { editor } = this;
    if (!editor.rights.run) return;
    if (!(await editor.saving.save())) { editor.toolbar.say(t("save_first")); return; }
    try {
      const { id } = await editor.api.tryOut({ until, trigger, items });
      announce(t("run_started"));
      await this.follow(id);
    } catch (error) {
      editor.toolbar.say(error.message);
    }
  }

  async follow(id) {
    this.source?.close();
    this.id = id;
    this.mark = undefined;
    this.source = this.watch(id);
    try {
      await this.load();
    } catch (error) {
      if (this.id === id) this.editor.toolbar.say(error.message);
    }
  }

  watch(id) {
    const source = this.editor.api.watchRun(id);
    source.addEventListener("run", () => this.again());
    source.addEventListener("open", () => this.again());
    return source;
  }

  /// Asked again after each event, once for many that come together.
  again() {
    if (this.waiting) return;
    this.waiting = setTimeout(async () => {
      this.waiting = undefined;
      try {
        await this.load();
      } catch (error) {
        // The connection may be back at the next event, which the browser asks for by itself.
        if (this.id) this.editor.toolbar.say(error.message);
      }
    }, PAUSE_MS);
  }

  async load() {
    const { editor, id } = this;
    // Left meanwhile.
    if (!id) return;
    const turn = this.turn = (this.turn ?? 0) + 1;
    const run = await editor.api.run(id);
    // An older answer that comes late says nothing new.
    if (this.id !== id || turn < this.shown) return;
    this.shown = turn;
    const first = editor.overlay?.run.id !== id;
    const was = editor.overlay?.run.status;
    this.show(run);
    clearTimeout(this.look);
    if (!OVER.has(run.status)) {
      if (first) this.again();
      this.look = setTimeout(() => this.lookAgain(), LOOK_MS);
      return;
    }
    this.source?.close();
    if (was === run.status && !first) return;
    const failed = run.steps.find((step) => step.status === "failed");
    if (failed) {
      const node = editor.doc.named(failed.node);
      if (node) editor.canvas.reveal(node.id);
      editor.toolbar.say(t("run_failed_at", { name: failed.node, reason: failed.error?.message ?? "" }), node ? [[t("open_node"), () => editor.open(node.id)]] : []);
    } else {
      editor.toolbar.say(run.error?.message ?? t(`run_${run.status}`));
    }
  }

  /// The whole run is asked for only where it has changed since the last look.
  async lookAgain() {
    const { id, turn } = this;
    let mark;
    try {
      ({ mark } = await this.editor.api.runProgress(id));
    } catch (error) {
      // Who is signed out hears no more.
      if (error.status === 401) return;
      mark = this.mark;
    }
    // Left, or loaded meanwhile.
    if (this.id !== id || this.turn !== turn) return;
    if (mark === this.mark) { this.look = setTimeout(() => this.lookAgain(), LOOK_MS); return; }
    this.mark = mark;
    this.again();
  }

  show(run) {
    const states = new Map();
    // The last run of a node counts; a node in a loop has many.
    for (const step of run.steps) states.set(step.node, { ...step, times: (states.get(step.node)?.times ?? 0) + 1 });
    this.editor.overlay = { run, states };
    this.editor.canvas.drawOverlay();
    this.editor.toolbar.draw();
    this.editor.panel?.refresh({ data: true });
  }

  clear() {
    this.source?.close();
    clearTimeout(this.look);
    this.id = undefined;
    this.editor.overlay = undefined;
    this.editor.canvas.drawOverlay();
    this.editor.toolbar.draw();
    this.editor.panel?.refresh({ data: true });
  }

  choose() { this.pickRun(t("runs_title"), (run) => this.follow(run.id)); }

  /// The run that is shown beside another one.
  compare() {
    const { id } = this;
    this.pickRun(t("compare_with"), (other) => openLazily(t("compare_runs"), { kind: "wide" },
      [load("comparison"), this.editor.api.run(id), this.editor.api.run(other.id)], (module, one, two) => module.comparison(one, two)), (run) => run.id !== id);
  }

  pickRun(title, act, fits = () => true) {
    const { editor } = this;
    const items = editor.api.runs().then((rows) => rows.filter(fits).map((run) => ({
      title: moment(run.created_at, "medium"), sub: `${t(`status_${run.status}`)} · ${run.version ? t("version_of", { count: run.version }) : t("draft")}`,
      pick: () => act(run),
    })));
    pick(title, items, { none: t("no_runs") });
  }

  /// Runs again from a step, with the results of those before it.
  async retry(node) {
    const { editor } = this;
    const run = editor.overlay?.run;
    if (!run) return;
    try {
      const { id } = await editor.api.replay(run.id, node ? { node } : {});
      await this.follow(id);
    } catch (error) {
      editor.toolbar.say(error.message);
    }
  }

  /// Pins what the run's triggers gave, so that the draft is tried out with it.
  copyData() {
    const { editor } = this;
    const ops = [...editor.overlay.states.values()].flatMap((step) => {
      const node = editor.doc.named(step.node);
      return node?.type === "trigger" && step.output?.[0]?.length ? commands.pin(editor.doc, node.name, step.output[0]) : [];
    });
    if (editor.run(t("do_copy_data"), ops)) editor.toolbar.say(t("data_copied"));
    else editor.toolbar.say(t("no_data_to_copy"));
  }
}
