// Draws the document: edges in one SVG and nodes as HTML, in one transformed layer. Only what changed since the last drawing is touched.
import { h, s, t } from "./dom.js";
import { icon } from "./icons.js";
import { bounds, curve, portY, size } from "./geometry.js";
import { isGroup } from "./groups.js";
import { load } from "./lazy.js";
import * as views from "./viewport.js";

const HIT = 14;
/// Below this scale nodes are plain boxes: nothing in them could be read.
const DOTS = 0.22;

/// Shows Markdown in an element, at once where it is known how; what cannot be asked for stays as it is written.
async function asMeant(api, element, text) {
  const loading = load("markdown");
  const { learn, shown } = loading instanceof Promise ? await loading : loading;
  const now = shown(text);
  if (!now) await learn(api, [text]);
  element.replaceChildren(...now ?? shown(text) ?? [text]);
}

export class Canvas {
  constructor(root, editor) {
    this.editor = editor;
    this.view = views.initial;
    this.boxes = new Map();
    this.nodes = new Map();
    this.links = new Map();
    this.moved = new Map();
    this.svg = s("svg", { class: "edges", "aria-hidden": "true" });
    this.ghost = s("path", { class: "ghost" });
    this.guideX = h("i.guide.x", { hidden: true });
    this.guideY = h("i.guide.y", { hidden: true });
    this.band = h("i.band", { hidden: true });
    this.svg.append(this.ghost);
    this.world = h("div.world", {}, this.svg, this.guideX, this.guideY);
    this.element = h("div.canvas", { role: "application", "aria-label": t("canvas"), "aria-describedby": "canvas-help", tabindex: "-1" }, this.world, this.band);
    root.append(this.element);
    this.map = h("canvas.minimap", { "aria-hidden": "true", width: 180, height: 120 });
    this.element.append(this.map);
    // Kept, since to ask for it makes the browser lay everything out.
    this.rect = this.element.getBoundingClientRect();
    new ResizeObserver(() => { this.rect = this.element.getBoundingClientRect(); this.drawMap(); }).observe(this.element);
  }

  box(id) {
    const node = this.editor.doc.node(id);
    const place = this.moved.get(id) ?? node.position;
    const known = this.boxes.get(id);
    return { id, x: place[0], y: place[1], width: known.width, height: known.height };
  }

  allBoxes() { return [...this.boxes.keys()].map((id) => this.box(id)); }

  measure(node) {
    const ports = this.editor.kinds.of(node);
    return { ...size(node, ports.inputs.length, ports.outputs.length), inputs: ports.inputs, outputs: ports.outputs };
  }

  port(id, side, index) {
    const box = this.box(id);
    const measured = this.boxes.get(id);
    const count = side === "in" ? measured.inputs.length : measured.outputs.length;
    return [side === "in" ? box.x : box.x + box.width, box.y + portY(box.height, count, index)];
  }

  // MARK: The document

  draw() {
    const { doc } = this.editor;
    let lost = false;
    for (const [id, drawn] of this.nodes) {
      if (doc.node(id)) continue;
      // Keys that follow are for the canvas still.
      lost ||= drawn.element.contains(document.activeElement);
      drawn.element.remove();
      this.nodes.delete(id);
      this.boxes.delete(id);
    }
    const fresh = document.createDocumentFragment();
    for (const node of doc.nodes.values()) {
      const drawn = this.nodes.get(node.id);
      if (drawn?.node === node) continue;
      this.boxes.set(node.id, this.measure(node));
      const element = this.drawNode(node);
      if (drawn) {
        const focused = drawn.element.contains(document.activeElement);
        drawn.element.replaceWith(element);
        if (focused) element.focus({ preventScroll: true });
      } else fresh.append(element);
      this.nodes.set(node.id, { node, element });
    }
    this.world.append(fresh);
    if (lost) (this.nodes.get(this.editor.focusID)?.element ?? this.element).focus({ preventScroll: true });
    this.drawEdges();
    this.drawSelection();
    this.drawMap();
  }

  drawNode(node) {
    const { kinds } = this.editor;
    const kind = kinds.get(node.kind);
    const box = this.boxes.get(node.id);
    const isNote = node.kind === "sticky_note";
    const element = h(`div.node.${isNote ? "sticky" : node.type}`, {
      "data-node": node.id, tabindex: "-1", role: "group", "aria-label": this.label(node), "aria-roledescription": isGroup(node) ? t("group") : isNote ? t("note") : t("node"),
    });
    element.style.width = `${box.width}px`;
    element.style.height = `${box.height}px`;
    element.style.transform = `translate(${node.position[0]}px, ${node.position[1]}px)`;
    if (isNote) {
      element.dataset.color = String(node.config.color ?? 1);
      element.classList.toggle("group", isGroup(node));
      const text = String(node.config.content ?? t("note_text"));
      const words = h("div.text", {}, text);
      if (!isGroup(node)) asMeant(this.editor.api, words, text).catch(() => {});
      element.append(words, h("b.resize", { "data-resize": node.id }));
      return element;
    }
    element.append(
      h("span.picture", {}, icon(kind?.icon)),
      h("span.words", {}, h("span.name", { title: node.name }, node.name), h("span.kind", {}, kind?.title ?? node.kind)),
      h("span.state", { "aria-hidden": "true" }), h("button.talk", { type: "button", tabindex: "-1", hidden: true, onclick: () => this.editor.comments.open(node.id) }));
    if (node.disabled) element.classList.add("off");
    if (!kind) element.classList.add("unknown");
    if (this.editor.doc.pinned(node.name)) element.classList.add("pinned");
    box.inputs.forEach((name, index) => element.append(this.drawPort("in", name, index, box)));
    box.outputs.forEach((name, index) => element.append(this.drawPort("out", name, index, box)));
    return element;
  }

  drawPort(side, name, index, box) {
    const count = side === "in" ? box.inputs.length : box.outputs.length;
    const port = h(`span.port.${side}`, { "data-port": side, "data-index": index, title: name === "main" ? "" : name });
    port.style.top = `${portY(box.height, count, index) - HIT}px`;
    if (count > 1) port.append(h("em", {}, name));
    return port;
  }

  label(node) {
    const kind = this.editor.kinds.get(node.kind)?.title ?? node.kind;
    const state = this.editor.overlay?.states.get(node.name)?.status;
    if (isGroup(node)) return [node.config.content, t("group")].filter(Boolean).join(", ");
    return [node.name, kind, node.disabled && t("disabled"), state && t(`status_${state}`), ...this.people(node)].filter(Boolean).join(", ");
  }

  /// Others who have it chosen or open, and how much they have to say.
  people(node) {
    const talk = this.editor.comments?.openOn(node.id);
    return [...(this.editor.presence?.at(node.id) ?? []).map((one) => t("person_here", { name: one.short })), ...(talk ? [t("comments_open", { count: talk })] : [])];
  }

  redraw(id) {
    const drawn = this.nodes.get(id);
    if (drawn) drawn.node = undefined;
  }

  drawEdges() {
    const { doc } = this.editor;
    const left = new Set(this.links.keys());
    const fresh = document.createDocumentFragment();
    this.around = new Map();
    for (const edge of doc.edges) {
      left.delete(edge.key);
      let drawn = this.links.get(edge.key);
      if (!drawn) {
        const line = s("path", { class: edge.kind === "main" ? "line" : "line part" });
        const reach = s("path", { class: "reach", "data-edge": edge.key });
        const count = s("text", { class: "count", "text-anchor": "middle" });
        const group = s("g", { "data-edge": edge.key }, line, reach, count);
        drawn = { group, line, reach, count };
        this.links.set(edge.key, drawn);
        fresh.append(group);
      }
      drawn.edge = edge;
      for (const id of [edge.from, edge.to]) {
        if (!this.around.has(id)) this.around.set(id, []);
        this.around.get(id).push(drawn);
      }
      this.place(drawn);
    }
    for (const key of left) {
      this.links.get(key).group.remove();
      this.links.delete(key);
    }
    this.svg.append(fresh);
  }

  place(drawn) {
    const { edge } = drawn;
    const [x1, y1] = this.port(edge.from, "out", edge.output);
    const [x2, y2] = this.port(edge.to, "in", edge.input);
    const d = curve(x1, y1, x2, y2);
    if (drawn.d === d) return;
    drawn.d = d;
    drawn.line.setAttribute("d", d);
    drawn.reach.setAttribute("d", d);
    if (drawn.count.textContent) this.placeCount(drawn, x1, y1, x2, y2);
  }

  placeCount(drawn, x1, y1, x2, y2) {
    drawn.count.setAttribute("x", (x1 + x2) / 2);
    drawn.count.setAttribute("y", (y1 + y2) / 2 - 8);
  }

  // MARK: While something is dragged

  /// Shows nodes elsewhere without changing the document.
  preview(places) {
    this.moved = places;
    const touched = new Set();
    for (const [id, [x, y]] of places) {
      this.nodes.get(id).element.style.transform = `translate(${x}px, ${y}px)`;
      for (const drawn of this.around.get(id) ?? []) touched.add(drawn);
    }
    for (const drawn of touched) this.place(drawn);
  }

  endPreview() {
    const touched = new Set();
    for (const id of this.moved.keys()) for (const drawn of this.around.get(id) ?? []) touched.add(drawn);
    const ids = [...this.moved.keys()];
    this.moved = new Map();
    for (const id of ids) {
      const node = this.editor.doc.node(id);
      if (node) this.nodes.get(id).element.style.transform = `translate(${node.position[0]}px, ${node.position[1]}px)`;
    }
    for (const drawn of touched) if (this.editor.doc.node(drawn.edge.from) && this.editor.doc.node(drawn.edge.to)) this.place(drawn);
    this.guides();
    this.drawMap();
  }

  guides(x, y) {
    this.guideX.hidden = x === undefined;
    this.guideY.hidden = y === undefined;
    if (x !== undefined) this.guideX.style.transform = `translate(${x}px, -5000px)`;
    if (y !== undefined) this.guideY.style.transform = `translate(-5000px, ${y}px)`;
  }

  showGhost(from, to) {
    this.ghost.setAttribute("d", from ? curve(from[0], from[1], to[0], to[1]) : "");
  }

  showSlice(from, to) { this.ghost.setAttribute("d", from ? `M${from[0]} ${from[1]}L${to[0]} ${to[1]}` : ""); }

  showBand(box) {
    this.band.hidden = !box;
    if (!box) return;
    Object.assign(this.band.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` });
  }

  /// Marks the ports that a new edge may end at.
  showTargets(fits) {
    this.element.classList.toggle("connecting", Boolean(fits));
    for (const [id, { element }] of this.nodes) {
      for (const port of element.querySelectorAll(".port")) port.classList.toggle("fits", Boolean(fits?.(id, port.dataset.port, Number(port.dataset.index))));
    }
  }

  // MARK: What is chosen and what ran

  drawSelection() {
    const { selection, edgeSelection } = this.editor;
    for (const [id, { element }] of this.nodes) {
      element.classList.toggle("chosen", selection.has(id));
      element.tabIndex = id === this.editor.focusID ? 0 : -1;
      // Those who come by keys find the links of a note once it is chosen.
      if (element.matches(".sticky")) for (const link of element.querySelectorAll("a")) link.tabIndex = selection.has(id) ? 0 : -1;
    }
    for (const [key, { group }] of this.links) group.classList.toggle("chosen", edgeSelection.has(key));
  }

  drawOverlay() {
    const { overlay, doc, faults } = this.editor;
    for (const [id, { element, node }] of this.nodes) {
      if (node?.kind === "sticky_note") continue;
      const state = overlay?.states.get(doc.node(id).name);
      element.dataset.status = state?.status ?? "";
      element.classList.toggle("faulty", Boolean(faults?.has(id)));
      element.setAttribute("aria-label", this.label(doc.node(id)));
      const talk = element.querySelector(".talk");
      const count = this.editor.comments?.openOn(id) ?? 0;
      if (talk && talk.textContent !== String(count)) {
        Object.assign(talk, { hidden: !count, textContent: String(count) });
        talk.setAttribute("aria-label", t("comments_open", { count }));
      }
      const mark = element.querySelector(".state");
      if (mark) mark.textContent = state ? { succeeded: "✓", failed: "!", uncertain: "?", running: "", waiting: "…" }[state.status] ?? "" : faults?.has(id) ? "!" : "";
      element.title = state?.error?.message ?? faults?.get(id) ?? "";
    }
    for (const drawn of this.links.values()) {
      const { edge } = drawn;
      const state = overlay?.states.get(doc.node(edge.from)?.name);
      const count = state?.output?.[edge.output]?.length;
      const went = count > 0 && edge.kind === "main";
      drawn.group.classList.toggle("went", went);
      drawn.count.textContent = went ? (count === 1 ? t("one_item") : t("items", { count })) : "";
      if (went) this.placeCount(drawn, ...this.port(edge.from, "out", edge.output), ...this.port(edge.to, "in", edge.input));
    }
  }

  // MARK: The view

  setView(view) {
    this.view = view;
    this.world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.k})`;
    this.element.style.backgroundPosition = `${view.x}px ${view.y}px`;
    this.element.style.backgroundSize = `${20 * view.k * (view.k < 0.5 ? 4 : 1)}px ${20 * view.k * (view.k < 0.5 ? 4 : 1)}px`;
    this.element.classList.toggle("far", view.k < 0.45);
    this.element.classList.toggle("dots", view.k < DOTS);
    this.drawMap();
    this.editor.onView?.(view);
  }

  fit(ids) {
    const { width, height } = this.rect;
    const boxes = ids?.length ? ids.map((id) => this.box(id)) : this.allBoxes();
    this.setView(views.fit(bounds(boxes), width, height));
  }

  reveal(id) {
    const { width, height } = this.rect;
    this.setView(views.reveal(this.view, this.box(id), width, height));
  }

  /// The place at the middle of what is seen, in the document.
  center() {
    const { width, height } = this.rect;
    return views.toWorld(this.view, width / 2, height / 2);
  }

  at(event) {
    const rect = this.rect;
    return views.toWorld(this.view, event.clientX - rect.left, event.clientY - rect.top);
  }

  mapScale() {
    const { width, height } = this.rect;
    const [x, y] = views.toWorld(this.view, 0, 0);
    const seen = { x, y, width: width / this.view.k, height: height / this.view.k };
    const whole = bounds([...this.allBoxes(), seen]);
    const k = Math.min(this.map.width / whole.width, this.map.height / whole.height) * 0.92;
    return { seen, whole, k, dx: (this.map.width - whole.width * k) / 2, dy: (this.map.height - whole.height * k) / 2 };
  }

  drawMap() {
    if (this.mapWaits) return;
    this.mapWaits = true;
    requestAnimationFrame(() => {
      this.mapWaits = false;
      if (this.moved.size || !this.map.offsetParent) return;
      const pen = this.map.getContext("2d");
      const style = getComputedStyle(this.map);
      const { seen, whole, k, dx, dy } = this.mapScale();
      pen.lineWidth = 1;
      pen.clearRect(0, 0, this.map.width, this.map.height);
      pen.fillStyle = style.color;
      pen.strokeStyle = style.color;
      for (const box of this.allBoxes()) {
        const shape = [(box.x - whole.x) * k + dx, (box.y - whole.y) * k + dy, Math.max(2, box.width * k), Math.max(2, box.height * k)];
        // A frame does not hide what lies in it.
        if (this.editor.doc.node(box.id).kind === "sticky_note") pen.strokeRect(...shape);
        else pen.fillRect(...shape);
      }
      pen.strokeStyle = style.borderTopColor;
      pen.lineWidth = 1.5;
      pen.strokeRect((seen.x - whole.x) * k + dx, (seen.y - whole.y) * k + dy, seen.width * k, seen.height * k);
    });
  }
}
