// The first workflow in five minutes, beside the real editor: each step is known from the document or a run itself, so that the guide can be
// left and taken up again, and what somebody does in their own way counts.
import { announce, button, h, t } from "./dom.js";

const KEPT = "aias-guide";
const LOOK_MS = 3000;
const STEPS = ["trigger", "fields", "try", "publish", "call"];

const keep = (value) => { try { if (value) localStorage.setItem(KEPT, value); else localStorage.removeItem(KEPT); } catch { /* Not kept, then. */ } };

export class Guide {
  constructor(editor) {
    this.editor = editor;
    this.done = new Set();
    this.count = h("span.count", {});
    this.list = h("ol", {});
    this.fold = button(t("guide_fold"), () => this.setFolded(!this.folded), { "aria-expanded": "true", "aria-controls": "guide-steps" });
    this.list.id = "guide-steps";
    this.element = h("aside.first-steps", { "aria-labelledby": "guide-title" },
      h("header", {}, h("h2", { id: "guide-title", tabindex: "-1" }, t("guide_title")), this.count, this.fold, button(t("guide_leave"), () => this.leave())), this.list);
    editor.root.querySelector(".workbench").append(this.element);
    keep(editor.api.workflow);
    this.timer = setInterval(() => this.ask(), LOOK_MS);
    this.look(true);
    this.ask();
  }

  focus() { this.element.querySelector("#guide-title").focus(); }

  setFolded(folded) {
    this.folded = folded;
    this.list.hidden = folded;
    this.element.classList.toggle("folded", folded);
    this.fold.textContent = t(folded ? "guide_unfold" : "guide_fold");
    this.fold.setAttribute("aria-expanded", String(!folded));
  }

  leave() {
    clearInterval(this.timer);
    keep();
    this.element.remove();
    this.editor.guide = undefined;
    this.editor.toolbar.say(t("guide_left"));
    this.editor.canvas.element.focus({ preventScroll: true });
  }

  // MARK: What is done

  hook() { return [...this.editor.doc.nodes.values()].find((node) => node.kind === "webhook" && !node.disabled); }

  /// The first "Edit fields" that the webhook leads to.
  fields() {
    const { doc } = this.editor;
    const open = this.hook() ? [this.hook().id] : [];
    const seen = new Set(open);
    while (open.length) {
      for (const { to } of doc.outgoing(open.shift())) {
        if (seen.has(to)) continue;
        seen.add(to);
        if (doc.node(to).kind === "set") return doc.node(to);
        open.push(to);
      }
    }
    return undefined;
  }

  hasField() { return this.fields()?.config?.assignments?.assignments?.some((one) => one.name && one.value !== "" && one.value !== undefined) ?? false; }

  /// Runs of this workflow, those of before too.
  async ask() {
    if (this.asking || (this.done.has("try") && this.done.has("call"))) return;
    if (!this.editor.rights.readRuns) return;
    this.asking = true;
    try {
      const runs = await this.editor.api.runs();
      this.tried = runs.some((run) => !run.version && run.status === "succeeded");
      this.called = runs.some((run) => run.version && run.mode === "webhook");
      this.look();
    } catch (error) {
      // Asked again soon, but for whoever is signed out.
      if (error.status === 401) clearInterval(this.timer);
    }
    this.asking = false;
  }

  state() {
    const run = this.editor.overlay?.run;
    return {
      trigger: Boolean(this.path()), fields: this.hasField(), try: this.tried || (run?.status === "succeeded"), publish: Boolean(this.editor.workflow.published_version),
      call: this.called || this.copied,
    };
  }

  /// Draws anew what is done and what is next.
  look(first = false) {
    const state = this.state();
    const fresh = STEPS.filter((step) => state[step] && !this.done.has(step));
    this.done = new Set(STEPS.filter((step) => state[step]));
    const next = STEPS.find((step) => !state[step]);
    const mark = JSON.stringify([state, Boolean(this.hook()), Boolean(this.fields()), this.called, this.copied, this.path()]);
    if (this.mark === mark) return;
    this.mark = mark;
    const held = this.list.contains(document.activeElement);
    this.count.textContent = t("guide_count", { count: this.done.size, all: STEPS.length });
    this.list.replaceChildren(...STEPS.map((step, at) => h(`li${state[step] ? ".done" : step === next ? ".next" : ""}`, { "aria-current": step === next ? "step" : undefined },
      h("span.mark", { "aria-hidden": "true" }, state[step] ? "✓" : String(at + 1)),
      h("div", {}, h("h3", {}, t(`guide_${step}`), state[step] ? h("span.visually-hidden", {}, ` – ${t("guide_done")}`) : undefined), ...(step === next || (step === "call" && state.publish && !this.called) ? this.help(step) : [])))),
    ...(next ? [] : [h("li.end", {}, h("span.mark", { "aria-hidden": "true" }, "★"), h("div", {}, h("h3", {}, t("guide_end")), this.called ? h("p", {}, t("guide_called")) : undefined, h("p", {}, t("guide_end_hint")), h("p.buttons", {}, button(t("guide_finish"), () => this.leave(), { kind: "primary" }))))]));
    const shown = this.list.querySelector(".next, .end");
    if (shown) this.element.scrollTop = shown.offsetTop - this.list.offsetTop;
    if (held) this.list.querySelector(".next button, .end button")?.focus();
    if (fresh.length && !first) announce(next ? t("guide_next", { name: t(`guide_${fresh.at(-1)}`), other: t(`guide_${next}`) }) : t("guide_end"));
  }

  path() { return this.hook()?.config?.path ?? ""; }

  // MARK: Help with a step

  help(step) {
    const { editor } = this;
    switch (step) {
      case "trigger":
        if (this.hook()) return [h("p", {}, t("guide_trigger_open")), h("p.buttons", {}, button(t("guide_open", { name: this.hook().name }), () => editor.open(this.hook().id), { kind: "primary" }))];
        return [h("p", {}, t("guide_trigger_hint")), h("p.buttons", {}, button(t("add_trigger"), () => editor.palette({ triggers: true }), { kind: "primary" }))];
      case "fields":
        return this.fields()
          ? [h("p", {}, t("guide_fields_open", { value: "Hello {{ $json.body.name }}" })), h("p.buttons", {}, button(t("guide_open", { name: this.fields().name }), () => editor.open(this.fields().id), { kind: "primary" }))]
          : [h("p", {}, t("guide_fields_hint")), h("p.buttons", {}, button(t("guide_add_after", { name: this.hook()?.name ?? t("group_trigger") }), () => (this.hook() ? editor.addAfter(this.hook().id) : editor.palette()), { kind: "primary" }))];
      case "try":
        return [h("p", {}, t("guide_try_hint")), h("p.buttons", {}, button(t("guide_try_it"), () => editor.runs.start({ trigger: this.hook()?.name, items: [{ headers: {}, params: {}, query: {}, body: { name: "Ana" } }] }), { kind: "primary" }))];
      case "publish":
        return [h("p", {}, t("guide_publish_hint")), h("p.buttons", {}, button(t("publish"), () => editor.toolbar.publish(), { kind: "primary" }))];
      default: return this.calling();
    }
  }

  calling() {
    const method = this.hook()?.config?.httpMethod ?? "GET";
    const address = `${this.editor.root.dataset.hooks}/${this.path().replace(/^\/+/, "")}`;
    const body = method === "GET" ? [address] : [`-H 'Content-Type: application/json'`, `-d '{"name": "Ana"}'`, address];
    const code = h("code", { id: "guide-curl", tabindex: "0" }, `curl ${method === "GET" ? "" : `-X ${method} `}${body.join(" ")}`);
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        // Closed to the page, as without TLS: the text is selected for the person to copy.
        getSelection().selectAllChildren(code);
        document.execCommand("copy");
      }
      this.copied = true;
      this.editor.toolbar.say(t("guide_copied"));
      this.look();
    };
    return [h("p", {}, t("guide_call_hint")), h("pre", {}, code), h("p.buttons", {}, button(t("guide_copy"), copy, { kind: this.copied ? "" : "primary" }))];
  }
}
