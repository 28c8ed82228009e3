// What people write on the workflow and its nodes: threads beside the canvas, with answers, mentions of members, and what is resolved.
import { announce, button, h, moment, t, uid } from "./dom.js";
import { initials, hue, shortName } from "./presence.js";

const LENGTH = 4000;
const OFFERED = 6;

export class Comments {
  constructor(editor) {
    Object.assign(this, { editor, rows: [], counts: new Map(), changing: new Set(), isOpen: false });
    this.button = editor.toolbar.commentsButton;
    this.threads = h("div.threads", {});
    this.about = h("select", { "aria-label": t("comment_about"), onchange: () => this.draw() });
    this.resolved = h("input", { type: "checkbox", onchange: () => this.draw() });
    this.element = h("aside.comments", { id: "comments", "aria-labelledby": "comments-title", hidden: true, onkeydown: (event) => this.key(event) },
      h("header", {}, h("h2", { id: "comments-title" }, t("comments")), button(t("close"), () => this.toggle(false))),
      h("div.filters", {}, this.about, h("label.tick", {}, this.resolved, t("comments_resolved"))), this.threads);
    editor.canvas.element.after(this.element);
    editor.saving.source.addEventListener("comments", () => this.load());
    editor.saving.source.addEventListener("open", () => this.load());
    this.load();
  }

  async load() {
    if (this.loading) { this.again = true; return; }
    this.loading = true;
    try {
      this.rows = await this.editor.api.comments();
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
    }
    this.loading = false;
    if (this.again) { this.again = false; this.load(); return; }
    this.changed();
    this.visit();
  }

  /// The page was opened at a comment.
  visit() {
    const id = /^#comment-([0-9a-f-]+)$/.exec(location.hash)?.[1];
    const row = id && this.rows.find((one) => one.id === id);
    if (!row || this.visited) return;
    this.visited = true;
    this.open(row.node, row.thread);
  }

  // MARK: What there is

  firsts() { return this.rows.filter((row) => row.thread === row.id); }
  answers(first) { return this.rows.filter((row) => row.thread === first.id && row !== first); }
  openOn(node) { return this.counts.get(node) ?? 0; }
  name(node) { return node === undefined ? t("comment_on_workflow") : this.editor.doc.node(node)?.name ?? t("comment_node_gone"); }

  changed() {
    const { editor } = this;
    const open = this.firsts().filter((row) => !row.resolved_at);
    const count = open.length;
    this.counts = new Map();
    for (const row of open) this.counts.set(row.node, (this.counts.get(row.node) ?? 0) + 1);
    this.button.textContent = count ? t("comments_of", { count }) : t("comments");
    editor.outline.draw();
    editor.canvas.drawOverlay();
    if (this.isOpen) this.draw();
  }

  // MARK: The panel

  toggle(shown = !this.isOpen) {
    this.isOpen = shown;
    this.element.hidden = !shown;
    this.button.setAttribute("aria-expanded", String(shown));
    if (!shown) { this.button.focus(); return; }
    this.draw();
    (this.element.querySelector(".new textarea") ?? this.about).focus();
  }

  /// Shows what was written on a node, or on the workflow; `thread` is shown first.
  open(node, thread) {
    this.isOpen = true;
    this.element.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    if (this.rows.find((row) => row.id === thread)?.resolved_at) this.resolved.checked = true;
    this.fillAbout(node === undefined ? (thread ? "workflow" : "") : `node ${node}`);
    this.draw();
    if (node && this.editor.doc.node(node)) { this.editor.select([node], { quiet: true }); this.editor.canvas.reveal(node); }
    const shown = thread && this.threads.querySelector(`[data-thread="${CSS.escape(thread)}"]`);
    shown?.scrollIntoView({ block: "nearest" });
    (shown?.querySelector("textarea") ?? this.element.querySelector(".new textarea") ?? this.about).focus();
  }

  key(event) {
    event.stopPropagation();
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    this.toggle(false);
  }

  fillAbout(value = this.about.value) {
    const nodes = [...this.editor.doc.nodes.values()].filter((node) => node.kind !== "sticky_note");
    const gone = [...new Set(this.firsts().map((row) => row.node).filter((id) => id && !this.editor.doc.node(id)))];
    this.about.replaceChildren(h("option", { value: "" }, t("comments_all")), h("option", { value: "workflow" }, t("comment_on_workflow")),
      ...nodes.map((node) => h("option", { value: `node ${node.id}` }, node.name)), ...gone.map((id) => h("option", { value: `node ${id}` }, t("comment_node_gone"))));
    this.about.value = value;
    if (this.about.selectedIndex < 0) this.about.value = "";
  }

  /// The node that the panel is about: undefined for the workflow.
  target() { return this.about.value.startsWith("node ") ? this.about.value.slice(5) : undefined; }

  draw() {
    if (!this.isOpen) return;
    const written = new Map([...this.threads.querySelectorAll("textarea")].map((area) => [area.dataset.key, { value: area.value, caret: area.selectionStart, focus: area === document.activeElement }]));
    const held = this.threads.contains(document.activeElement) ? document.activeElement : undefined;
    const { id, dataset } = held?.closest(".comment, .thread") ?? {};
    this.fillAbout();
    const about = this.about.value;
    const shown = this.firsts().filter((row) => (about === "" || (about === "workflow" ? row.node === undefined : row.node === this.target())) && (this.resolved.checked || !row.resolved_at));
    const may = this.editor.rights.comment;
    this.threads.replaceChildren(
      ...(may && !(this.target() && !this.editor.doc.node(this.target())) ? [this.form("new", t("comment_new_on", { name: this.name(this.target()) }), (text, mentions) => this.editor.api.comment({ text, mentions, node: this.target() }), ".new")] : []),
      ...(this.failure ? [h("p.fault", { role: "alert" }, this.failure.message)] : []),
      ...shown.map((row) => this.thread(row)),
      ...(shown.length || this.failure ? [] : [h("p.hint", {}, t("comments_none"))]));
    for (const id of this.changing) {
      const row = this.rows.find((one) => one.id === id);
      const element = this.threads.querySelector(`#comment-${CSS.escape(id)}`);
      if (!row) this.changing.delete(id);
      else if (element) this.rewrite(row, element);
    }
    for (const area of this.threads.querySelectorAll("textarea")) {
      const before = written.get(area.dataset.key);
      if (!before) continue;
      area.value = before.value || area.value;
      if (before.focus) { area.focus({ preventScroll: true }); area.setSelectionRange(before.caret, before.caret); }
    }
    if (!held || this.threads.contains(document.activeElement)) return;
    // Whoever goes by keys stays at what they acted on, or where one goes on where that is gone.
    const buttons = id || dataset ? [...this.threads.querySelectorAll(`${id ? `#${CSS.escape(id)}` : `[data-thread="${CSS.escape(dataset.thread)}"] > header`} button`)] : [];
    (buttons.find((one) => one.textContent === held.textContent) ?? buttons.at(-1) ?? this.element.querySelector(".new textarea") ?? this.about).focus({ preventScroll: true });
  }

  thread(first) {
    const { editor } = this;
    const may = editor.rights.comment;
    const isResolved = Boolean(first.resolved_at);
    const name = this.name(first.node);
    const act = (ask, said) => async () => { await this.attempt(ask); announce(said); };
    return h(`article.thread${isResolved ? ".resolved" : ""}`, { "data-thread": first.id, "aria-label": t("comment_thread_on", { name }) },
      h("header", {},
        first.node && editor.doc.node(first.node) ? h("button.plain", { type: "button", onclick: () => { editor.select([first.node], { focus: true }); editor.canvas.reveal(first.node); } }, name) : h("span.about", {}, name),
        isResolved ? h("span.status", { title: first.resolved_by_name ? t("comment_resolved_by", { name: shortName(first.resolved_by_name) }) : "" }, t("comment_is_resolved")) : undefined,
        may ? button(t(isResolved ? "comment_reopen" : "comment_resolve"), act(() => editor.api.resolveComment(first.id, !isResolved), t(isResolved ? "comment_reopened" : "comment_is_resolved"))) : undefined),
      this.comment(first), ...this.answers(first).map((row) => this.comment(row)),
      may && !isResolved ? this.form(first.id, t("comment_answer"), (text, mentions) => editor.api.comment({ text, mentions, thread: first.id })) : undefined);
  }

  comment(row) {
    const name = shortName(row.author_name);
    const text = h("p.text", {}, ...this.marked(row.text));
    const element = h("div.comment", { id: `comment-${row.id}` },
      h(`span.avatar.hue-${hue(row.author)}`, { "aria-hidden": "true" }, initials(row.author_name)),
      h("div", {},
        h("p.by", {}, h("strong", { title: row.author_name }, name), " ", h("time", { datetime: row.created_at }, moment(row.created_at)), row.edited_at ? ` · ${t("comment_edited")}` : ""),
        text,
        row.mine && this.editor.rights.comment ? h("p.own", {},
          h("button.plain", { type: "button", "aria-label": t("comment_edit_own"), onclick: () => this.edit(row, element) }, t("comment_edit")),
          h("button.plain", { type: "button", "aria-label": t("comment_delete_own"), onclick: () => this.remove(row, element) }, t("delete"))) : undefined));
    return element;
  }

  /// The text with its mentions marked.
  marked(text) {
    return text.split(/(@[\p{L}\p{N}][\p{L}\p{N}.\-_]*)/u).map((part, at) => (at % 2 ? h("b.mention", {}, part) : part));
  }

  edit(row, element) {
    this.changing.add(row.id);
    this.rewrite(row, element).querySelector("textarea").focus();
  }

  /// A form in the text's place. It is there until it is done, however often all is drawn again.
  rewrite(row, element) {
    const done = () => { this.changing.delete(row.id); this.draw(); };
    const form = this.form(`edit ${row.id}`, t("comment_edit_own"), (text) => this.editor.api.editComment(row.id, text), "", row.text, done);
    element.querySelector(".text").replaceWith(form);
    element.querySelector(".own").remove();
    return form;
  }

  /// Asks in its own words first.
  remove(row, element) {
    const own = element.querySelector(".own");
    const again = button(t("comment_delete_sure"), async () => { await this.attempt(() => this.editor.api.deleteComment(row.id)); announce(t("comment_deleted")); }, { kind: "danger" });
    own.replaceChildren(again, button(t("cancel"), () => this.draw()));
    again.focus();
  }

  async attempt(ask) {
    try {
      await ask();
      await this.load();
    } catch (error) {
      this.editor.toolbar.say(error.message);
    }
  }

  // MARK: Writing

  form(key, label, send, kind = "", value = "", done) {
    const area = h("textarea", { rows: key === "new" ? 3 : 2, maxlength: LENGTH, value, "data-key": key, "aria-label": label, placeholder: label });
    const fault = h("p.fault", { role: "alert" });
    const list = h("ul.completions", { role: "listbox", id: uid("members"), hidden: true, "aria-label": t("comment_members") });
    area.setAttribute("aria-controls", list.id);
    const submit = button(t(key.startsWith("edit") ? "comment_save" : "comment_send"), async () => {
      if (!area.value.trim()) { area.focus(); return; }
      submit.disabled = true;
      const written = area.value;
      try {
        await send(written.trim(), this.mentioned(written));
        // The field may have been drawn again meanwhile.
        for (const one of [area, ...this.threads.querySelectorAll("textarea")]) if (one.dataset.key === key && one.value === written) one.value = "";
        announce(t("comment_sent"));
        await this.load();
        if (done) done();
      } catch (error) {
        fault.textContent = error.message;
      } finally {
        submit.disabled = false;
      }
    }, { kind: "primary" });
    this.complete(area, list);
    area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit.click(); } });
    return h(`div.write${kind}`, {}, h("div.with-list", {}, area, list), fault, h("p.buttons", {}, submit, done ? button(t("cancel"), done) : undefined));
  }

  /// The handles by which a text names members: @ and what stands before the @ of their address.
  handle(member) { return member.email.split("@")[0]; }

  mentioned(text) {
    const named = new Set([...text.matchAll(/@([\p{L}\p{N}][\p{L}\p{N}.\-_]*)/gu)].map((match) => match[1].replace(/[.\-_]+$/, "").toLowerCase()));
    return (this.members ?? []).filter((member) => named.has(this.handle(member).toLowerCase())).map((member) => member.user_id);
  }

  /// Offers members while an @ is written.
  complete(area, list) {
    let found = [];
    let current = 0;
    const hide = () => { list.hidden = true; area.removeAttribute("aria-activedescendant"); };
    const show = async () => {
      const word = /(?:^|\s)@([\p{L}\p{N}.\-_]*)$/u.exec(area.value.slice(0, area.selectionStart))?.[1];
      if (word === undefined) { hide(); return; }
      this.members ??= await this.editor.api.members().catch(() => []);
      found = this.members.filter((member) => `${member.name} ${member.email}`.toLowerCase().includes(word.toLowerCase())).slice(0, OFFERED);
      if (!found.length) { hide(); return; }
      list.hidden = false;
      mark(0);
    };
    const mark = (at) => {
      current = (at + found.length) % found.length;
      list.replaceChildren(...found.map((member, index) => h("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": String(index === current), onpointerdown: (event) => { event.preventDefault(); take(index); } },
        h("strong", {}, member.name || shortName(member.email)), ` ${member.email}`)));
      area.setAttribute("aria-activedescendant", `${list.id}-${current}`);
    };
    const take = (index) => {
      const start = area.value.lastIndexOf("@", area.selectionStart - 1);
      area.setRangeText(`@${this.handle(found[index])} `, start, area.selectionStart, "end");
      hide();
    };
    area.addEventListener("focus", () => { if (!this.members) this.editor.api.members().then((all) => { this.members ??= all; }, () => {}); });
    area.addEventListener("input", show);
    area.addEventListener("blur", hide);
    area.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const act = { ArrowDown: () => mark(current + 1), ArrowUp: () => mark(current - 1), Enter: () => take(current), Tab: () => take(current), Escape: hide }[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act();
    });
  }
}
