// The editor: one document with its history, what is chosen, and the parts that show it. Everything that changes the document goes through
// `run`, so that it can be undone, saved and drawn.
import { Doc, History } from "./document.js";
import * as commands from "./commands.js";
import * as clipboard from "./clipboard.js";
import { group, isGroup, withMembers } from "./groups.js";
import { neighbour } from "./geometry.js";
import { layout } from "./layout.js";
import { refusal } from "./kinds.js";
import { Canvas } from "./canvas.js";
import { Pointers, typing } from "./interactions.js";
import { Outline } from "./outline.js";
import { Saving } from "./saving.js";
import { Runs } from "./runs.js";
import { Toolbar } from "./toolbar.js";
import { pick } from "./picker.js";
import { load, openLazily } from "./lazy.js";
import { announce, button, commit, h, t } from "./dom.js";

const NUDGE = 20;

export class Editor {
  constructor(root, api, kinds, loaded, rights) {
    Object.assign(this, { root, api, kinds, rights });
    this.mayWrite = rights.write;
    this.doc = new Doc(loaded.document);
    this.workflow = loaded.workflow;
    this.history = new History(this.doc, (step) => this.changed(step));
    this.selection = new Set();
    this.edgeSelection = new Set();
    this.focusID = this.doc.nodes.keys().next().value;
    this.toolbar = new Toolbar(this);
    const body = h("div.workbench");
    // It fills the window from now on, so that what is measured stays.
    root.dataset.drawn = "";
    root.replaceChildren(this.toolbar.element, body);
    this.outline = new Outline(body, this);
    this.canvas = new Canvas(body, this);
    this.canvas.element.append(h("p.visually-hidden", { id: "canvas-help" }, t("canvas_help")));
    this.hint = h("div.blank", {}, h("p", {}, t("blank")), button(t("add_trigger"), () => this.palette({ triggers: true }), { kind: "primary" }));
    this.canvas.element.append(this.hint);
    this.saving = new Saving(this, loaded);
    this.runs = new Runs(this);
    new Pointers(this);
    // The view first: what is small is drawn plainly.
    for (const node of this.doc.nodes.values()) this.canvas.boxes.set(node.id, this.canvas.measure(node));
    this.canvas.fit();
    this.canvas.draw();
    this.refresh();
    this.canvas.element.addEventListener("keydown", (event) => this.key(event));
    addEventListener("keydown", (event) => this.globalKey(event), true);
    for (const name of ["copy", "cut", "paste"]) document.addEventListener(name, (event) => this.clip(event, name));
    this.canvas.element.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
    this.canvas.element.addEventListener("drop", (event) => this.dropFile(event));
  }

  // MARK: Changes

  run(label, ops, key) {
    if (!this.mayWrite) return false;
    return this.history.run(label, ops, key);
  }

  changed(step) {
    for (const id of this.selection) if (!this.doc.node(id)) this.selection.delete(id);
    this.edgeSelection.clear();
    this.closeEdgeTools();
    if (!this.doc.node(this.focusID)) this.focusID = this.doc.nodes.keys().next().value;
    if (step.ops.some((op) => op.meta === "pinned_data")) for (const id of this.doc.nodes.keys()) this.canvas.redraw(id);
    this.faults = undefined;
    this.canvas.draw();
    this.refresh();
    this.panel?.refresh();
    this.saving.touch();
    if (step.misfits?.length) this.toolbar.say(t("undo_skipped", { count: step.misfits.length }));
  }

  refresh() {
    this.outline.draw();
    this.toolbar.draw();
    this.canvas.drawOverlay();
    this.hint.hidden = this.doc.nodes.size > 0;
    this.presence?.place();
  }

  undo() {
    const step = this.history.undo();
    announce(step ? t("undone", { name: step.label }) : t("nothing_to_undo"));
  }

  redo() {
    const step = this.history.redo();
    announce(step ? t("redone", { name: step.label }) : t("nothing_to_redo"));
  }

  select(ids, { quiet = false, focus = false } = {}) {
    this.selection = new Set(ids);
    this.edgeSelection.clear();
    this.closeEdgeTools();
    const last = [...this.selection].at(-1);
    if (last) this.focusID = last;
    if (this.selection.size === 1) this.prepare(last);
    this.canvas.drawSelection();
    this.outline.mark();
    this.toolbar.draw();
    this.presence?.touch();
    if (focus && last) this.canvas.nodes.get(last)?.element.focus({ preventScroll: true });
    if (!quiet && last) announce(this.selection.size === 1 ? this.canvas.label(this.doc.node(last)) : t("selected", { count: this.selection.size }));
  }

  /// An edge is chosen: what can be done with it stands beside it.
  selectEdge(key, at) {
    const { edge } = this.canvas.links.get(key) ?? {};
    if (!edge) return;
    this.select([], { quiet: true });
    this.edgeSelection.add(key);
    this.canvas.drawSelection();
    announce(t("edge_chosen", { name: this.doc.node(edge.from).name, other: this.doc.node(edge.to).name }));
    if (!this.mayWrite) return;
    const tools = h("div.edge-tools", {},
      edge.kind === "main" ? button(t("insert_here"), () => this.palette({ edge, at })) : undefined,
      button(t("delete"), () => this.deleteSelection()));
    tools.style.transform = `translate(${at[0]}px, ${at[1] + 10}px)`;
    this.edgeTools = tools;
    this.canvas.world.append(tools);
  }

  closeEdgeTools() { this.edgeTools?.remove(); this.edgeTools = undefined; }

  // MARK: What people do

  /// Chooses also all that leads to what is chosen, or all that follows it.
  selectAlong(way) {
    const seen = new Set(this.selection);
    const open = [...seen];
    while (open.length) {
      for (const edge of this.doc[way](open.pop())) {
        const next = way === "incoming" ? edge.from : edge.to;
        if (!seen.has(next)) { seen.add(next); open.push(next); }
      }
    }
    // The one that was chosen last stays the one that keys act on.
    this.select([...seen].reverse(), { focus: true });
  }

  /// The palette of kinds; what is chosen is put at a place, behind a node, or into an edge.
  palette({ at, link, edge, triggers = false } = {}) {
    if (!this.mayWrite) return;
    const groups = { trigger: t("group_trigger"), action: t("group_action"), condition: t("group_condition"), ai_processing: t("group_ai") };
    const order = Object.keys(groups);
    const fitting = this.kinds.list.filter((kind) => (link || edge ? kind.category !== "trigger" && kind.kind !== "sticky_note" : !triggers || kind.category === "trigger"));
    const items = fitting.sort((a, b) => order.indexOf(a.category) - order.indexOf(b.category)).map((kind) => ({
      title: kind.title, sub: kind.summary, group: groups[kind.category], words: kind.kind, pick: () => this.addKind(kind, { at, link, edge }),
    }));
    pick(link || edge ? t("add_next") : t("add_node"), items);
  }

  addKind(kind, { at, link, edge } = {}) {
    const place = this.placeFor({ at, link, edge });
    const node = commands.newNode(kind, place, this.doc.names());
    if (edge) this.run(t("do_insert"), commands.insert(this.doc, node, edge));
    else this.run(t("do_add"), commands.add(this.doc, node, link));
    this.select([node.id], { quiet: true, focus: true });
    this.canvas.reveal(node.id);
    announce(t("added", { name: node.name }));
    return node;
  }

  placeFor({ at, link, edge }) {
    const snap = (value) => Math.round(value / NUDGE) * NUDGE;
    if (edge) {
      const [x, y] = this.doc.node(edge.from).position;
      return [x + 280, this.doc.node(edge.to).position[1] === y ? y : Math.round((y + this.doc.node(edge.to).position[1]) / 2)];
    }
    if (at) return [snap(at[0]), snap(at[1] - 32)];
    let place;
    if (link) {
      const [x, y] = this.doc.node(link.from).position;
      place = [x + 280, y + (link.output ?? 0) * 120];
    } else {
      const [x, y] = this.canvas.center();
      place = [snap(x - 100), snap(y - 32)];
    }
    const taken = (x, y) => this.canvas.allBoxes().some((box) => Math.abs(box.x - x) < 180 && Math.abs(box.y - y) < 80);
    while (taken(...place)) place = [place[0], place[1] + 100];
    return place;
  }

  connect(from, output, to, input) {
    const why = refusal(this.doc, this.kinds, from, output, to, input);
    if (why) return announce(t(`refused_${why}`));
    if (!this.run(t("do_connect"), commands.connect(this.doc, from, output, to, input))) return undefined;
    return announce(t("connected", { name: this.doc.node(from).name, other: this.doc.node(to).name }));
  }

  /// "Connect to…": a list in place of dragging.
  connectFrom(id) {
    const node = this.doc.node(id);
    const { outputs } = this.kinds.of(node);
    const items = [];
    outputs.forEach((name, output) => {
      for (const other of this.doc.nodes.values()) {
        this.kinds.of(other).inputs.forEach((inputName, input, all) => {
          if (refusal(this.doc, this.kinds, id, output, other.id, input)) return;
          const title = all.length > 1 ? `${other.name} · ${inputName}` : other.name;
          items.push({ title, sub: outputs.length > 1 ? t("from_output", { name }) : undefined, pick: () => this.connect(id, output, other.id, input) });
        });
      }
    });
    if (!items.length) return announce(t("no_targets"));
    return pick(t("connect_title", { name: node.name }), items);
  }

  /// The edges of a node, to be taken out one by one.
  disconnectFrom(id) {
    const edges = [...this.doc.outgoing(id), ...this.doc.incoming(id)];
    if (!edges.length) return announce(t("no_edges"));
    return pick(t("disconnect_title", { name: this.doc.node(id).name }), edges.map((edge) => ({
      title: `${this.doc.node(edge.from).name} → ${this.doc.node(edge.to).name}`,
      pick: () => { if (this.run(t("do_disconnect"), commands.disconnect(this.doc, [edge]))) announce(t("disconnected")); },
    })));
  }

  addAfter(id) {
    const { outputs } = this.kinds.of(this.doc.node(id));
    if (outputs.length < 2) return this.palette({ link: { from: id, output: 0 } });
    return pick(t("which_output"), outputs.map((name, output) => ({ title: name, pick: () => this.palette({ link: { from: id, output } }) })));
  }

  /// The first of two taps that connect; the second is on a node, or on nothing for the palette.
  beginTapConnect(id, side, index) {
    if (side !== "out") return;
    this.tapFrom = { id, index };
    this.canvas.showTargets((other, otherSide, input) => otherSide === "in" && !refusal(this.doc, this.kinds, id, index, other, input));
    this.toolbar.say(t("tap_target"), [
      [t("add_next"), () => { this.endTapConnect(); this.palette({ link: { from: id, output: index } }); }], [t("cancel"), () => this.endTapConnect()],
    ]);
  }

  endTapConnect() {
    this.tapFrom = undefined;
    this.canvas.showTargets();
    this.toolbar.hush();
  }

  tapped(id, event) {
    if (this.tapFrom && this.tapFrom.id !== id) {
      const { id: from, index } = this.tapFrom;
      const port = event.target?.closest?.("[data-port=in]");
      this.endTapConnect();
      return this.connect(from, index, id, port ? Number(port.dataset.index) : 0);
    }
    this.canvas.drawSelection();
    if (event.pointerType === "touch" && this.lastTap === id && Date.now() - this.tapAt < 450) this.open(id);
    this.lastTap = id;
    this.tapAt = Date.now();
    return undefined;
  }

  deleteSelection() {
    const ids = [...this.selection];
    const edges = [...this.edgeSelection].map((key) => this.canvas.links.get(key)?.edge).filter(Boolean);
    if (!this.mayWrite || (!ids.length && !edges.length)) return;
    const next = ids.length ? neighbour(this.canvas.box(ids[0]), this.canvas.allBoxes().filter((box) => !this.selection.has(box.id)), "left") : undefined;
    this.run(t("do_delete"), commands.remove(this.doc, ids, edges, true));
    announce(t("deleted", { count: ids.length + edges.length }));
    if (next) this.select([next.id], { quiet: true, focus: [document.body, this.canvas.element].includes(document.activeElement) });
  }

  duplicate(ids = [...this.selection]) {
    if (ids.length) this.insertPart(JSON.parse(clipboard.write(this.doc, withMembers(this, ids))), undefined, t("do_duplicate"));
  }

  insertPart(part, center, label) {
    const { ops, ids } = clipboard.paste(this.doc, part, center);
    if (!this.run(label, ops)) return;
    this.select(ids, { quiet: true, focus: true });
    announce(t("pasted", { count: ids.length }));
  }

  toggle(ids = [...this.selection]) { if (ids.length) this.run(t("do_disable"), commands.toggle(this.doc, ids)); }

  arrange() {
    if (!this.mayWrite) return;
    this.run(t("do_arrange"), commands.move(this.doc, layout(this.doc, (node) => this.canvas.boxes.get(node.id))));
    this.canvas.fit();
    announce(t("arranged"));
  }

  /// Puts a frame around what is chosen, and asks for its name.
  group() {
    if (!this.selection.size || !this.mayWrite) return;
    const { id, ops } = group(this, [...this.selection], t("group"));
    this.run(t("do_group"), ops);
    this.select([id], { quiet: true, focus: true });
    this.open(id);
  }

  /// Takes the frames away that are chosen; what lay in them stays and is chosen.
  ungroup() {
    const frames = [...this.selection].filter((id) => isGroup(this.doc.node(id)));
    if (!frames.length) return;
    const members = withMembers(this, frames).filter((id) => !frames.includes(id));
    this.run(t("do_ungroup"), commands.remove(this.doc, frames));
    this.select(members, { focus: true });
  }

  addNote() {
    if (!this.mayWrite) return;
    this.open(this.addKind(this.kinds.get("sticky_note"), {}).id);
  }

  /// - first: names where in the panel the first field is looked for.
  open(id, first = ":scope .form-fields") {
    const node = this.doc.node(id);
    if (this.panel || !node) return;
    const kind = this.kinds.get(node.kind);
    const isNote = node.kind === "sticky_note";
    const whole = isNote || !kind || kind.parameters || this.learn(node.kind);
    // Until it is filled there is nothing in it to draw again.
    this.panel = { refresh() {} };
    this.openID = id;
    this.presence?.touch();
    openLazily(isGroup(node) ? t("group") : isNote ? t("note") : kind?.title ?? node.kind, {
      kind: isNote ? "" : "node-panel",
      onclose: () => { this.panel = undefined; this.openID = undefined; this.presence?.touch(); this.saving.touch(); this.canvas.nodes.get(id)?.element.focus({ preventScroll: true }); },
    }, [load("panel"), whole], (module, _, box) => module.fillPanel(this, id, box), first);
  }

  /// The whole declaration of a kind, asked for once.
  learn(name) {
    this.learning ??= new Map();
    if (!this.learning.has(name)) {
      const asked = this.api.kind(name).then((kind) => this.kinds.learn(kind));
      this.learning.set(name, asked);
      asked.catch(() => {}).then(() => this.learning.delete(name));
    }
    return this.learning.get(name);
  }

  /// Fetches what a panel of the chosen node would need.
  prepare(id) {
    const kind = this.kinds.get(this.doc.node(id)?.kind);
    if (kind && !kind.parameters && kind.kind !== "sticky_note") this.learn(kind.kind).catch(() => {});
  }

  search() {
    const acts = this.toolbar.commands().map(([title, pickIt]) => ({ title, group: t("group_commands"), pick: pickIt }));
    const nodes = [...this.doc.nodes.values()].map((node) => ({
      title: node.name, sub: this.kinds.get(node.kind)?.title ?? node.kind, group: t("group_nodes"), words: JSON.stringify(node.config),
      pick: () => { this.select([node.id], { focus: true }); this.canvas.reveal(node.id); },
    }));
    pick(t("search_title"), [...nodes, ...acts], { placeholder: t("search_nodes") });
  }

  // MARK: Keys

  globalKey(event) {
    const command = event.ctrlKey || event.metaKey;
    const name = event.key.toLowerCase();
    if (command && name === "k") { event.preventDefault(); if (!document.querySelector("dialog[open]")) this.search(); return; }
    if (command && name === "s") { event.preventDefault(); commit(); this.saving.save(); return; }
    if (typing(event.target)) return;
    if (command && name === "z") { event.preventDefault(); if (event.shiftKey) this.redo(); else this.undo(); }
    if (command && name === "y") { event.preventDefault(); this.redo(); }
  }

  key(event) {
    if (typing(event.target) || event.target.closest("button") || (event.key === "Enter" && event.target.closest("a"))) return;
    const command = event.ctrlKey || event.metaKey;
    const id = this.focusID;
    const direction = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
    const act = {
      Delete: () => this.deleteSelection(), Backspace: () => this.deleteSelection(), Enter: () => id && this.open(id), F2: () => id && this.open(id, ":scope .parameters > header"),
      Escape: () => { this.endTapConnect(); this.select([], { quiet: true }); },
    }[event.key] ?? (command ? {
      a: () => this.select([...this.doc.nodes.keys()]), d: () => this.duplicate(), g: () => (event.shiftKey ? this.ungroup() : this.group()),
    } : event.altKey ? {} : {
      n: () => this.palette(), a: () => id && this.addAfter(id), c: () => id && this.connectFrom(id), x: () => id && this.disconnectFrom(id),
      d: () => this.toggle(), l: () => this.arrange(), f: () => this.canvas.fit(), "1": () => this.canvas.fit(), "0": () => this.toolbar.zoom(1 / this.canvas.view.k), s: () => this.addNote(),
      "+": () => this.toolbar.zoom(1.25), "-": () => this.toolbar.zoom(0.8), "=": () => this.toolbar.zoom(1.25), "/": () => this.search(), "[": () => this.selectAlong("incoming"), "]": () => this.selectAlong("outgoing"), m: () => this.comments?.open([...this.selection].length === 1 ? id : undefined),
    })[event.key.toLowerCase()];
    if (direction) { event.preventDefault(); this.arrow(direction, event); return; }
    if (!act) return;
    event.preventDefault();
    // A key that is held does its work once: where the machine is slow, it would go on in what it opened.
    if (!event.repeat || "+-=".includes(event.key)) act();
  }

  /// With Alt to the next node, else what is chosen moves.
  arrow(direction, event) {
    if (event.altKey || !this.selection.size) {
      const from = this.focusID && this.canvas.box(this.focusID);
      const next = from && neighbour(from, this.canvas.allBoxes(), direction);
      if (!next) return;
      this.select([next.id], { focus: true });
      this.canvas.reveal(next.id);
      return;
    }
    const step = event.shiftKey ? 5 * NUDGE : NUDGE;
    const [dx, dy] = { left: [-step, 0], right: [step, 0], up: [0, -step], down: [0, step] }[direction];
    const places = new Map(withMembers(this, this.selection).map((id) => [id, this.doc.node(id).position.map((value, axis) => value + (axis ? dy : dx))]));
    if (!this.run(t("do_move"), commands.move(this.doc, places), `nudge ${[...this.selection].join()}`)) return;
    const [x, y] = places.values().next().value;
    announce(t("moved_to", { name: String(Math.round(x)), other: String(Math.round(y)) }));
  }

  // MARK: The clipboard

  clip(event, name) {
    if (typing(event.target) || typing(document.activeElement)) return;
    if (name === "paste") {
      const text = event.clipboardData.getData("text/plain");
      if (text) { event.preventDefault(); this.pasteText(text); }
      return;
    }
    if (!this.selection.size || !getSelection().isCollapsed) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", clipboard.write(this.doc, withMembers(this, this.selection)));
    announce(t("copied", { count: withMembers(this, this.selection).length }));
    if (name !== "cut") return;
    this.select(withMembers(this, this.selection), { quiet: true });
    this.deleteSelection();
  }

  async pasteText(text) {
    if (!this.mayWrite) return;
    const found = clipboard.read(text);
    if (!found) { this.toolbar.say(t("no_nodes")); return; }
    if (found.count > clipboard.MOST - this.doc.nodes.size) { this.toolbar.say(t("paste_too_many", { count: found.count, most: clipboard.MOST })); return; }
    try {
      if (found.ours) { this.insertPart(found.ours, this.doc.nodes.size ? this.canvas.center() : undefined, t("do_paste")); return; }
      const { document, report } = await this.api.convert(found.n8n);
      const settings = !this.doc.nodes.size && document.settings;
      this.insertPart(document, this.doc.nodes.size ? this.canvas.center() : undefined, t("do_paste"));
      if (settings) this.history.run(t("do_paste"), commands.setMeta(this.doc, "settings", settings));
      this.canvas.fit();
      this.toolbar.say(report.credentials?.length ? t("pasted_missing", { count: report.credentials.length }) : t("pasted", { count: document.nodes.length }));
    } catch (error) {
      this.toolbar.say(t("paste_failed", { reason: error.message }));
    }
  }

  async dropFile(event) {
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    await file.text().then((text) => this.pasteText(text), (error) => this.toolbar.say(t("paste_failed", { reason: error.message })));
  }
}
