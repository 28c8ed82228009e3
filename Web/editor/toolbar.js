// The bar above the canvas: name, state of the draft, what can be done, and what there is to say.
import { announce, button, h, t } from "./dom.js";
import * as commands from "./commands.js";
import * as views from "./viewport.js";
import { load, openLazily } from "./lazy.js";

const SAID_MS = 12_000;

const openVersions = (editor) => openLazily(t("versions"), { kind: "wide" }, [load("versions"), editor.api.versions()], (module, rows, box) => module.versions(editor, rows, box));
const publish = (editor) => openLazily(t("publish_title"), {}, [load("versions")], (module, box) => module.publication(editor, box));

export class Toolbar {
  constructor(editor) {
    this.editor = editor;
    const { rights } = editor;
    this.name = h("input.name", { "aria-label": t("workflow_name"), value: editor.doc.meta.name, maxlength: 200, disabled: !editor.mayWrite,
      onchange: () => this.rename() });
    this.saved = h("span.saved", { role: "status" });
    this.undo = button(t("undo"), () => editor.undo(), { title: "Ctrl+Z" });
    this.redo = button(t("redo"), () => editor.redo(), { title: "Ctrl+Shift+Z" });
    this.runButton = rights.run ? button(t("run"), () => editor.runs.start(), { kind: "primary" }) : undefined;
    this.overlay = h("div.run-bar", { hidden: true });
    this.message = h("div.message", { role: "status", hidden: true });
    this.messageText = h("span", {});
    this.messageActs = h("span.acts", {});
    this.message.append(this.messageText, this.messageActs, button(t("close"), () => this.hush()));
    this.outlineButton = button(t("outline"), () => this.toggleOutline(), { "aria-expanded": String(!matchMedia("(max-width: 700px)").matches), "aria-controls": "outline" });
    this.commentsButton = button(t("comments"), () => editor.comments?.toggle(), { "aria-expanded": "false", "aria-controls": "comments" });
    this.commentsButton.classList.add("talks");
    this.endGroup = h("div.group.end", { role: "group", "aria-label": t("running") }, this.runButton, rights.readRuns ? button(t("runs"), () => editor.runs.choose()) : undefined,
      button(t("versions"), () => openVersions(editor)), rights.publish ? button(t("publish"), () => publish(editor)) : undefined);
    this.element = h("div.toolbar", {},
      h("h1.visually-hidden", {}, editor.doc.meta.name),
      h("div.line", {},
        h("a.back", { href: `/workflows/${editor.api.workflow}` }, t("back")), this.name, this.saved,
        h("div.group", { role: "group", "aria-label": t("editing") }, this.outlineButton, this.commentsButton, editor.mayWrite ? button(t("add_node"), () => editor.palette()) : undefined,
          this.undo, this.redo, editor.mayWrite ? button(t("arrange"), () => editor.arrange()) : undefined),
        h("div.group", { role: "group", "aria-label": t("view") }, button("−", () => this.zoom(0.8), { "aria-label": t("zoom_out") }),
          button("+", () => this.zoom(1.25), { "aria-label": t("zoom_in") }), button(t("fit"), () => editor.canvas.fit()),
          button(t("find"), () => editor.search(), { title: "Ctrl+K" })),
        this.endGroup),
      this.overlay, this.message);
  }

  publish() { publish(this.editor); }

  /// Opens the guide to a first workflow.
  async guide(focus = true) {
    const { editor } = this;
    const { Guide } = await load("guide");
    editor.guide ??= new Guide(editor);
    if (focus) editor.guide.focus();
  }

  /// What Ctrl-K offers beside the nodes.
  commands() {
    const { editor } = this;
    const all = [[t("add_node"), () => editor.palette()], [t("fit"), () => editor.canvas.fit()], [t("versions"), () => openVersions(editor)]];
    if (editor.mayWrite) {
      all.push([t("arrange"), () => editor.arrange()], [t("add_note"), () => editor.addNote()], [t("group_chosen"), () => editor.group()], [t("ungroup"), () => editor.ungroup()], [t("undo"), () => editor.undo()], [t("redo"), () => editor.redo()],
        [t("select_all"), () => editor.select([...editor.doc.nodes.keys()])]);
    }
    if (editor.comments) all.push([t("comments"), () => editor.comments.open()]);
    if (editor.rights.run) all.push([t("run"), () => editor.runs.start()]);
    if (editor.rights.readRuns) all.push([t("runs"), () => editor.runs.choose()]);
    if (editor.rights.publish) all.push([t("publish"), () => publish(editor)]);
    if (editor.mayWrite) all.push([t("guide_title"), () => this.guide()]);
    all.push([t("go_workflows"), () => { location.href = "/workflows"; }], [t("go_executions"), () => { location.href = "/executions"; }], [t("go_settings"), () => { location.href = "/settings"; }]);
    return all;
  }

  rename() {
    const name = this.name.value.trim();
    if (name) this.editor.run(t("do_rename"), commands.setMeta(this.editor.doc, "name", name));
    else this.name.value = this.editor.doc.meta.name;
  }

  zoom(factor) {
    const { canvas } = this.editor;
    const { width, height } = canvas.rect;
    canvas.setView(views.zoomAt(canvas.view, factor, width / 2, height / 2));
  }

  toggleOutline() {
    const { element } = this.editor.outline;
    // Where there is little room it is shut to begin with.
    const shown = element.offsetParent === null;
    element.classList.toggle("shut", !shown);
    element.classList.toggle("shown", shown);
    this.outlineButton.setAttribute("aria-expanded", String(shown));
    if (shown) element.querySelector("[tabindex='0']")?.focus();
  }

  draw() {
    const { editor } = this;
    this.undo.disabled = !editor.history.done.length;
    this.redo.disabled = !editor.history.undone.length;
    if (document.activeElement !== this.name) this.name.value = editor.doc.meta.name;
    this.drawRun();
    editor.guide?.look();
  }

  drawRun() {
    const { editor } = this;
    const run = editor.overlay?.run;
    this.overlay.hidden = !run;
    if (!run) { this.overlay.replaceChildren(); this.drawn = undefined; return; }
    const mark = `${run.id} ${run.status}`;
    if (this.drawn === mark) return;
    this.drawn = mark;
    const over = ["succeeded", "failed", "cancelled", "uncertain"].includes(run.status);
    const may = editor.rights.run;
    this.overlay.replaceChildren(
      h(`span.status.${run.status}`, {}, t(`status_${run.status}`)),
      h("a", { href: `/executions/${run.id}` }, t("run_page")),
      may && over ? button(run.status === "failed" ? t("retry") : t("run_again"), () => editor.runs.retry()) : "",
      may && !over ? button(t("cancel_run"), () => editor.api.cancel(run.id).catch((error) => this.say(error.message))) : "",
      editor.mayWrite && over ? button(t("copy_data"), () => editor.runs.copyData()) : "",
      editor.rights.readRuns && over ? button(t("compare_with"), () => editor.runs.compare()) : "",
      button(t("leave_run"), () => editor.runs.clear()));
  }

  drawSaved(state, detail) {
    this.saved.textContent = t(`saved_${state}`);
    this.saved.dataset.state = state;
    this.saved.title = detail;
    if (state === "failed") this.say(t("save_failed", { reason: detail }));
  }

  /// Says something that stays for a while, with what to do about it.
  say(text, acts = []) {
    // What stands there still is not read out again, as where something is tried again and again.
    if (this.message.hidden || this.messageText.textContent !== text) announce(text);
    this.messageText.textContent = text;
    this.messageActs.replaceChildren(...acts.map(([label, act]) => button(label, act)));
    this.message.hidden = false;
    clearTimeout(this.timer);
    if (!acts.length) this.timer = setTimeout(() => this.hush(), SAID_MS);
  }

  hush() { this.message.hidden = true; }
}
