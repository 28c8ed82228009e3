// A node's panel: what comes in, its parameters, what goes out.
import { once } from "./api.js";
import * as commands from "./commands.js";
import { same } from "./document.js";
import { Form } from "./forms.js";
import { DataView } from "./dataview.js";
import { openCredential } from "./credentials.js";
import { advice } from "./advice.js";
import { announce, button, dialog, h, keepingFocus, t, uid } from "./dom.js";

const TYPED = "typed";

/// The content of a node's panel, which stands in `box`.
export function fillPanel(editor, id, box) {
  const node = editor.doc.node(id);
  // Taken out by somebody else while it was loaded.
  if (!node) { box.close(); return []; }
  return node.kind === "sticky_note" ? note(editor, id, box) : new Panel(editor, id, box).content;
}

function note(editor, id, box) {
  const node = editor.doc.node(id);
  const area = h("textarea", { id: uid("note"), rows: 8, disabled: !editor.mayWrite, oninput: () => change({ content: area.value }) });
  area.value = String(node.config.content ?? "");
  const change = (patch) => editor.run(t("do_note"), commands.change(editor.doc, id, { config: { ...editor.doc.node(id).config, ...patch } }), `note ${id}`);
  const color = h("select", { id: uid("color"), disabled: !editor.mayWrite, onchange: () => change({ color: Number(color.value) }) }, ...[1, 2, 3, 4, 5, 6, 7].map((one) => h("option", { value: one }, t(`color_${one}`))));
  color.value = String(node.config.color ?? 1);
  // Changed by undoing or by somebody else: what is written next goes on from there.
  editor.panel = { refresh() {
    const now = editor.doc.node(id)?.config;
    if (!now) { box.close(); return; }
    const content = String(now.content ?? "");
    const { selectionStart, selectionEnd } = area;
    if (area.value !== content) { area.value = content; area.setSelectionRange(selectionStart, selectionEnd); }
    color.value = String(now.color ?? 1);
  } };
  return h("div.form-fields", {}, h("div.field", {}, h("label", { for: area.id }, t("note_content")), area), h("div.field", {}, h("label", { for: color.id }, t("color")), color));
}

class Panel {
  constructor(editor, id, box) {
    this.editor = editor;
    this.box = box;
    this.id = id;
    this.input = new DataView(t("input"), { onItem: () => this.form.refreshPreviews(), onPick: (text) => this.insert?.(text) });
    this.output = new DataView(t("output"));
    this.previews = new Previews((value) => this.evaluate(value));
    this.form = new Form(this.kind?.parameters ?? [], {
      node: this.node, disabled: !editor.mayWrite, change: (config) => this.change({ config }, "config"), preview: (text) => this.previews.of(text),
      focus: (insert) => { this.insert = insert; }, scope: () => this.scope(), api: editor.api,
    });
    this.settings = h("details.settings", {}, h("summary", {}, t("settings")));
    this.credentials = h("div.credentials", {});
    this.faultText = h("p.notice.bad", { role: "alert", hidden: true });
    this.name = h("input.node-name", { "aria-label": t("node_name"), value: this.node.name, maxlength: 200, disabled: !editor.mayWrite, onchange: () => this.rename() });
    this.nameFault = h("p.fault", { id: uid("name-fault"), hidden: true });
    this.name.setAttribute("aria-describedby", this.nameFault.id);
    this.previous = h("select", { "aria-label": t("input_from"), onchange: () => this.drawInput() });
    this.branch = h("select", { "aria-label": t("output_of"), onchange: () => this.drawOutput() });
    this.input.extra.append(this.previous);
    this.output.extra.append(this.branch);
    const acts = h("div.buttons", {});
    if (editor.rights.run) acts.append(button(t("run_to_here"), () => editor.runs.start({ until: this.node.name }), { kind: "primary" }));
    if (editor.mayWrite) {
      this.pinButton = button(t("pin"), () => this.togglePin());
      acts.append(this.pinButton, button(t("edit_pinned"), () => this.editPinned()));
    }
    const middle = h("section.parameters", { "aria-label": t("parameters") }, h("header", {}, this.name, this.nameFault, acts), this.faultText, this.credentials, this.form.element, this.settings);
    this.content = h("div.columns", {}, this.input.element, middle, this.output.element);
    editor.panel = this;
    editor.api.resources("variables", "").then(({ data }) => { this.vars = data.map((one) => one.value); }, () => {});
    this.form.draw();
    this.drawnConfig = this.node.config;
    this.drawn = this.node;
    this.drawSettings();
    this.drawCredentials();
    this.refresh({ data: true });
    this.box.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input, textarea")) {
        event.preventDefault();
        if (event.shiftKey) editor.redo(); else editor.undo();
      }
    });
  }

  get node() { return this.editor.doc.node(this.id); }
  get kind() { return this.editor.kinds.get(this.node.kind); }

  change(patch, what) {
    const before = this.node;
    this.changing = true;
    this.editor.run(t("do_change", { name: before.name }), commands.change(this.editor.doc, this.id, patch), `${what} ${this.id}`);
    this.changing = false;
    this.form.context.node = this.node;
    const decides = (this.kind?.parameters ?? []).some((one) => Object.keys(one.show_when ?? {}).some((name) => JSON.stringify(before.config[name]) !== JSON.stringify(this.node.config[name])));
    if (what === "config" && decides) {
      keepingFocus(this.form.element, () => this.form.draw());
      this.drawCredentials();
    }
  }

  rename() {
    const name = this.name.value.trim();
    const other = this.editor.doc.named(name);
    const fault = !name ? t("name_needed") : other && other.id !== this.id ? t("name_taken_of", { name }) : "";
    this.nameFault.hidden = !fault;
    this.nameFault.textContent = fault;
    if (fault) { this.name.value = this.node.name; announce(fault); return; }
    this.editor.run(t("do_rename"), commands.rename(this.editor.doc, this.id, name));
    this.form.context.node = this.node;
  }

  refresh({ data = false } = {}) {
    if (!this.node) { this.box.close(); return; }
    this.form.context.node = this.node;
    // Changed by undoing or by somebody else.
    if (this.drawnConfig !== this.node.config && !this.changing) keepingFocus(this.form.element, () => this.form.draw());
    this.drawnConfig = this.node.config;
    if (this.drawn !== this.node && !this.changing) this.drawRest();
    this.drawn = this.node;
    const state = this.editor.overlay?.states.get(this.node.name);
    const text = state?.error?.message ?? this.editor.faults?.get(this.id);
    this.faultText.hidden = !text;
    this.faultText.textContent = text ? `${text} ${advice(state?.error)}` : "";
    if (this.pinButton) this.pinButton.textContent = this.pinned ? t("unpin") : t("pin");
    if (data) this.drawData();
    else this.drawOutput();
  }

  /// What stands beside the parameters.
  drawRest() {
    if (document.activeElement !== this.name) this.name.value = this.node.name;
    keepingFocus(this.settings, () => this.drawSettings());
    if (!same(this.drawn.credentials ?? {}, this.node.credentials ?? {})) this.drawCredentials();
  }

  // MARK: Data

  get pinned() { return this.editor.doc.pinned(this.node.name); }

  drawData() {
    const edges = this.editor.doc.incoming(this.id).filter((edge) => edge.kind === "main");
    const chosen = this.previous.value;
    this.sources = edges;
    this.previous.hidden = edges.length < 2;
    this.previous.replaceChildren(...edges.map((edge, index) => h("option", { value: index }, this.editor.doc.node(edge.from).name)));
    if (chosen) this.previous.value = chosen;
    const { outputs } = this.editor.kinds.of(this.node);
    this.branch.hidden = outputs.length < 2;
    this.branch.replaceChildren(...outputs.map((name, index) => h("option", { value: index }, name)));
    this.drawInput();
    this.drawOutput();
  }

  get source() { return this.sources?.[Number(this.previous.value) || 0]; }

  drawInput() {
    const edge = this.source;
    if (!edge) { this.input.show([], this.node.type === "trigger" ? t("trigger_no_input") : t("not_connected")); return; }
    const from = this.editor.doc.node(edge.from);
    const pinned = this.editor.doc.pinned(from.name);
    const items = pinned ?? this.editor.overlay?.states.get(from.name)?.output?.[edge.output];
    if (!items && this.isAwaited(from)) this.input.wait();
    else this.input.show(items, t("run_for_input"));
    this.form.refreshPreviews();
  }

  drawOutput() {
    const state = this.editor.overlay?.states.get(this.node.name);
    if (!this.pinned && !state?.output && this.isAwaited(this.node)) { this.output.wait(); return; }
    this.output.show(this.pinned ?? state?.output?.[Number(this.branch.value) || 0], state?.status === "failed" ? t("failed_no_output") : t("run_for_output"));
  }

  /// Whether a run is under way in which a node has not ended yet.
  isAwaited(node) {
    const { overlay } = this.editor;
    return ["queued", "running"].includes(overlay?.run.status) && ["running", undefined].includes(overlay.states.get(node.name)?.status);
  }

  /// What an expression can speak of: the item that is looked at, and the nodes before this one.
  scope() {
    const { doc } = this.editor;
    const before = new Set([this.id]);
    const open = [this.id];
    while (open.length) for (const edge of doc.incoming(open.pop())) if (!before.has(edge.from)) { before.add(edge.from); open.push(edge.from); }
    before.delete(this.id);
    const item = this.input.items[this.input.item];
    const items = (name) => (doc.pinned(name) ?? this.editor.overlay?.states.get(name)?.output?.[0])?.map((one) => one?.json ?? one);
    return { json: item?.json ?? item, nodes: [...before].map((id) => doc.node(id).name), vars: this.vars, items };
  }

  /// What a value gives for the item that is looked at.
  async evaluate(value) {
    const edge = this.source;
    const from = edge && this.editor.doc.node(edge.from);
    const pinned = from && this.editor.doc.pinned(from.name);
    const run = this.editor.overlay?.run.id;
    // A run that had the same knows the nodes before it too.
    const given = from && this.editor.overlay?.states.get(from.name)?.output?.[edge.output];
    const asPinned = pinned && given && same(given.map((item) => item.json), pinned.map((item) => item.json));
    const place = pinned && !asPinned ? { items: pinned, ...(run ? { execution_id: run } : {}) } : run && from ? { execution_id: run, node: from.name, output: edge.output } : {};
    try {
      return await this.editor.api.evaluate({ value, item: this.input.item, ...place });
    } catch (error) {
      return { error };
    }
  }

  togglePin() {
    const items = this.pinned ? undefined : this.editor.overlay?.states.get(this.node.name)?.output?.[0];
    if (!this.pinned && !items) { this.editPinned(); return; }
    this.editor.run(items ? t("do_pin") : t("do_unpin"), commands.pin(this.editor.doc, this.node.name, items));
    announce(items ? t("pinned") : t("unpinned"));
    this.drawData();
  }

  editPinned() {
    const area = h("textarea.mono", { id: uid("pinned"), rows: 14, spellcheck: "false" });
    const items = this.pinned ?? this.editor.overlay?.states.get(this.node.name)?.output?.[0] ?? [{ json: {} }];
    area.value = JSON.stringify(items.map((item) => item.json ?? item), null, 2);
    const fault = h("p.fault", { role: "alert" });
    const box = dialog(t("edit_pinned"), [h("div.field", {}, h("label", { for: area.id }, t("pinned_items")), area), fault, h("p.buttons", {}, button(t("pin"), () => {
      try {
        const list = [JSON.parse(area.value)].flat();
        if (list.some((item) => item === null || typeof item !== "object")) throw new Error(t("items_are_objects"));
        this.editor.run(t("do_pin"), commands.pin(this.editor.doc, this.node.name, list.map((item) => ({ json: item }))));
        box.close();
        this.drawData();
      } catch (error) { fault.textContent = error.message; }
    }, { kind: "primary" }))]);
  }

  // MARK: Settings and credentials

  drawSettings() {
    const { node } = this;
    const disabled = !this.editor.mayWrite;
    const set = (fields) => {
      this.changing = true;
      this.editor.run(t("do_change", { name: this.node.name }), commands.setFields(this.editor.doc, this.id, fields), `${TYPED} ${Object.keys(fields)} ${this.id}`);
      this.changing = false;
    };
    const tick = (key, label) => h("label.tick", {}, h("input", { type: "checkbox", disabled, checked: node[key] === true, onchange: (event) => set({ [key]: event.target.checked }) }), h("span", {}, label));
    const onError = h("select", { id: uid("on-error"), disabled, onchange: () => set({ on_error: onError.value === "stop" ? undefined : onError.value }) },
      ...["stop", "continue", "error_output"].map((one) => h("option", { value: one }, t(`on_error_${one}`))));
    onError.value = node.on_error ?? "stop";
    const attempts = h("input", { type: "number", id: uid("attempts"), min: 1, max: 20, disabled, value: node.retry?.attempts ?? 1,
      onchange: () => {
        // What the server would refuse is never saved.
        const count = Math.max(1, Math.min(20, Math.round(Number(attempts.value)) || 1));
        attempts.value = count;
        set({ retry: count > 1 ? { wait_milliseconds: 1000, backoff: "fixed", jitter: false, ...this.node.retry, attempts: count } : undefined });
      } });
    const notes = h("textarea", { id: uid("notes"), rows: 3, disabled, oninput: () => set({ notes: notes.value }) });
    notes.value = node.notes ?? "";
    this.settings.replaceChildren(this.settings.firstChild,
      h("div.field", {}, h("label", { for: onError.id }, t("on_error")), onError), h("div.field", {}, h("label", { for: attempts.id }, t("attempts")), attempts),
      tick("execute_once", t("execute_once")), tick("always_output", t("always_output")), tick("disabled", t("disabled")),
      h("div.field", {}, h("label", { for: notes.id }, t("notes")), notes));
  }

  /// The types that the node uses: those it names, and the one its parameters choose.
  wanted() {
    const { node } = this;
    const accepted = this.kind?.credentials ?? [];
    const config = node.config;
    const chosen = config.authentication === "predefinedCredentialType" ? config.nodeCredentialType : config.authentication === "genericCredentialType" ? config.genericAuthType : { basicAuth: "httpBasicAuth", headerAuth: "httpHeaderAuth", jwtAuth: "jwtAuth", oAuth2: "oAuth2Api" }[config.authentication];
    const types = new Set(Object.keys(node.credentials ?? {}));
    if (chosen) types.add(chosen);
    const chooses = (this.kind?.parameters ?? []).some((one) => one.name === "authentication");
    const signs = node.kind !== "respond_to_webhook" || config.respondWith === "jwt";
    if (!chooses && signs && accepted.length === 1) types.add(accepted[0]);
    return [...types].filter((type) => !type.startsWith("="));
  }

  async drawCredentials() {
    const types = this.wanted();
    if (!types.length || !this.editor.rights.readCredentials) { this.credentials.replaceChildren(); return; }
    let known;
    try {
      known = await once(this.editor, "credentialList", () => this.editor.api.credentials());
    } catch (error) {
      this.credentials.replaceChildren(h("p.fault", { role: "alert" }, error.message));
      return;
    }
    // Taken out by somebody else meanwhile.
    if (!this.node) return;
    this.credentials.replaceChildren(...types.map((type) => {
      const reference = this.node.credentials?.[type];
      const fitting = known.filter((one) => one.type === type);
      const select = h("select", { id: uid("credential"), disabled: !this.editor.mayWrite, onchange: () => this.useCredential(type, known.find((one) => one.id === select.value)) },
        h("option", { value: "" }, reference && !reference.id ? t("credential_missing", { name: reference.name }) : t("choose_credential")), ...fitting.map((one) => h("option", { value: one.id }, one.name)));
      select.value = reference?.id ?? "";
      const create = this.editor.mayWrite && this.editor.rights.writeCredentials
        ? button(t("new_credential"), () => openCredential(this.editor, type, reference?.name, (made) => { this.editor.credentialList = undefined; this.useCredential(type, made); this.drawCredentials(); })) : undefined;
      return h("div.field", {}, h("label", { for: select.id }, t("credential_of", { name: type })), h("div.with-button", {}, select, create));
    }));
  }

  useCredential(type, credential) {
    const { [type]: _, ...others } = this.node.credentials ?? {};
    const credentials = credential ? { ...others, [type]: { id: credential.id, name: credential.name } } : others;
    this.changing = true;
    this.editor.run(t("do_credential"), commands.change(this.editor.doc, this.id, { credentials }));
    this.changing = false;
  }
}

/// What texts give for an item. Those of one moment are asked for together, since each question reads the draft and the run anew.
export class Previews {
  /// `ask(value)` → Promise<{value, error}>, of one text or of a list of them.
  constructor(ask) {
    this.ask = ask;
    this.waiting = new Map();
    this.failed = new Set();
  }

  of(text) {
    if (!this.waiting.size) setTimeout(() => this.go());
    if (!this.waiting.has(text)) {
      let settle;
      const given = new Promise((resolve) => { settle = resolve; });
      this.waiting.set(text, { given, settle });
    }
    return this.waiting.get(text).given;
  }

  async go() {
    const asked = [...this.waiting].map(([text, { settle }]) => ({ text, settle }));
    this.waiting.clear();
    // One that fails takes a list with it: it is asked for alone until it fails no more.
    const alone = asked.filter(({ text }) => this.failed.has(text));
    const together = asked.filter(({ text }) => !this.failed.has(text));
    for (const one of alone) this.single(one);
    if (together.length < 2) { together.forEach((one) => this.single(one)); return; }
    const { value, error } = await this.ask(together.map(({ text }) => text));
    if (error) together.forEach((one) => this.single(one));
    else together.forEach(({ settle }, index) => settle({ value: value[index] }));
  }

  async single({ text, settle }) {
    const answer = await this.ask(text);
    if (answer.error) this.failed.add(text);
    else this.failed.delete(text);
    settle(answer);
  }
}
