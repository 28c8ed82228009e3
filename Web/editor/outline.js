// The workflow as a list in the order of its data: beside the canvas, and enough to do everything without it.
import { announce, button, h, t, uid } from "./dom.js";
import { icon } from "./icons.js";
import { isGroup } from "./groups.js";

export class Outline {
  constructor(root, editor) {
    this.editor = editor;
    this.list = h("ul", { "aria-labelledby": "outline-title" });
    this.element = h("aside.outline", { id: "outline", "aria-labelledby": "outline-title" },
      h("header", {}, h("h2", { id: "outline-title" }, t("outline")), editor.mayWrite ? button(t("add"), () => editor.palette(), { "aria-label": t("add_node") }) : undefined), this.list);
    root.append(this.element);
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.rows = new Map();
  }

  /// Triggers first, then along the edges.
  order() {
    const { doc } = this.editor;
    const seen = new Set();
    const rows = [];
    const starts = [...doc.nodes.values()].sort((a, b) =>
      (b.type === "trigger") - (a.type === "trigger") || doc.incoming(a.id).length - doc.incoming(b.id).length || a.position[1] - b.position[1]);
    for (const start of starts) {
      const open = [start.id];
      while (open.length) {
        const id = open.pop();
        if (seen.has(id)) continue;
        seen.add(id);
        rows.push(doc.node(id));
        open.push(...doc.outgoing(id).map((edge) => edge.to).reverse());
      }
    }
    return rows;
  }

  draw() {
    const { doc, kinds } = this.editor;
    const active = document.activeElement?.closest?.("[data-row], [data-menu]")?.dataset;
    const rows = this.order().map((node) => {
      const edges = doc.outgoing(node.id);
      const known = this.rows.get(node.id);
      const people = this.editor.presence?.at(node.id) ?? [];
      const talk = this.editor.comments?.openOn(node.id) ?? 0;
      const mark = `${talk} ${people.map((one) => one.session).join()} ${edges.map((edge) => `${edge.output}${doc.node(edge.to).name}`).join("|")} ${this.editor.faults?.get(node.id) ?? ""}`;
      if (known && known.node === node && known.mark === mark) return [node.id, known];
      const targets = edges.length ? h("span.to", {}, `→ ${edges.map((edge) => doc.node(edge.to).name).join(", ")}`) : undefined;
      const fault = this.editor.faults?.get(node.id);
      const main = h("button.row", { type: "button", "data-row": node.id, tabindex: "-1", onclick: () => this.choose(node.id) },
        icon(kinds.get(node.kind)?.icon), h("span.name", {}, (isGroup(node) && node.config.content) || node.name), people.length || talk ? h("span.who", {}, talk ? h("span.talk", { title: t("comments_open", { count: talk }) }, String(talk), h("span.visually-hidden", {}, ` ${t("comments_open", { count: talk })}`)) : undefined, ...people.map((one) => h(`span.dot.hue-${one.hue}`, { title: one.name }, h("span.visually-hidden", {}, t("person_here", { name: one.short }))))) : undefined, targets, fault ? h("span.fault", {}, fault) : undefined);
      const menu = h("button.more", { type: "button", tabindex: "-1", "data-menu": node.id, "aria-haspopup": "menu", "aria-label": t("actions_of", { name: node.name }), onclick: (event) => this.menu(node.id, event.currentTarget) }, "⋯");
      return [node.id, { node, mark, main, element: h("li", {}, main, menu) }];
    });
    this.rows = new Map(rows);
    this.list.replaceChildren(...rows.map(([, row]) => row.element));
    this.mark();
    if (!active) return;
    const { main, element } = this.rows.get(active.row ?? active.menu) ?? {};
    (active.row ? main : element?.lastChild)?.focus({ preventScroll: true });
  }

  mark() {
    const focus = this.editor.focusID;
    for (const [id, row] of this.rows) {
      row.main.setAttribute("aria-current", String(this.editor.selection.has(id)));
      row.main.tabIndex = id === focus ? 0 : -1;
      row.element.lastChild.tabIndex = id === focus ? 0 : -1;
    }
  }

  choose(id) {
    this.editor.select([id]);
    this.editor.canvas.reveal(id);
  }

  key(event) {
    const button = event.target.closest("[data-row], [data-menu]");
    if (!button) return;
    const id = button.dataset.row ?? button.dataset.menu;
    const ids = [...this.rows.keys()];
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -ids.length, End: ids.length }[event.key];
    const { editor } = this;
    if (step) {
      event.preventDefault();
      event.stopPropagation();
      const next = ids[Math.max(0, Math.min(ids.length - 1, ids.indexOf(id) + step))];
      this.choose(next);
      this.rows.get(next).main.focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!button.dataset.row) return;
    const act = {
      Enter: () => editor.open(id), Delete: () => this.remove(id), Backspace: () => this.remove(id), c: () => editor.connectFrom(id),
      a: () => editor.addAfter(id), x: () => editor.disconnectFrom(id), m: () => editor.comments?.open(id), d: () => editor.toggle([id]), n: () => editor.palette(),
    }[event.key];
    if (act) { event.preventDefault(); if (!event.repeat) act(); }
  }

  remove(id) {
    const ids = [...this.rows.keys()];
    const at = ids.indexOf(id);
    this.editor.select([id], { quiet: true });
    this.editor.deleteSelection();
    const next = ids[at + 1] ?? ids[at - 1];
    if (!next) return;
    this.choose(next);
    this.rows.get(next)?.main.focus();
  }

  /// What can be done with a node, as a menu.
  menu(id, opener) {
    const { editor } = this;
    const acts = [[t("open"), () => editor.open(id)]];
    if (editor.mayWrite) {
      acts.push(
        [t("connect_to"), () => editor.connectFrom(id)], [t("disconnect"), () => editor.disconnectFrom(id)], [t("add_after"), () => editor.addAfter(id)],
        [t("duplicate"), () => editor.duplicate([id])], [editor.doc.node(id).disabled ? t("enable") : t("disable"), () => editor.toggle([id])],
        [t("delete"), () => this.remove(id)]);
    }
    if (editor.comments) acts.push([t("comments"), () => editor.comments.open(id)]);
    if (editor.rights.run) acts.push([t("run_to_here"), () => editor.runs.start({ until: editor.doc.node(id).name })]);
    if (editor.rights.run && editor.overlay?.states.get(editor.doc.node(id).name)) acts.push([t("retry_from_here"), () => editor.runs.retry(editor.doc.node(id).name)]);
    const menu = h("div.menu", { role: "menu", id: uid("menu"), popover: "auto", "aria-label": t("actions_of", { name: editor.doc.node(id).name }) },
      ...acts.map(([label, act]) => h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => { menu.hidePopover(); act(); } }, label)));
    // Within the page's main part, for those who go by landmarks.
    editor.root.append(menu);
    menu.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      menu.remove();
      if (document.activeElement === document.body) opener.focus();
    });
    menu.addEventListener("keydown", (event) => {
      const all = [...menu.children];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      event.stopPropagation();
      if (step) { event.preventDefault(); all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus(); }
    });
    menu.showPopover();
    const rect = opener.getBoundingClientRect();
    menu.style.left = `${Math.min(rect.left, innerWidth - menu.offsetWidth - 8)}px`;
    menu.style.top = `${Math.min(rect.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
    menu.firstChild.focus();
    announce(t("menu_of", { name: editor.doc.node(id).name }));
  }
}
