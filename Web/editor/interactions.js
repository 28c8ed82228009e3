// Pointers on the canvas: each gesture is an object with `move`, `end` and `cancel`; the canvas and the document are told, never asked.
import { align, fromCorners, overlaps, snap } from "./geometry.js";
import * as views from "./viewport.js";
import * as commands from "./commands.js";
import { refusal } from "./kinds.js";
import { slicing, spliced } from "./wires.js";
import { withMembers } from "./groups.js";
import { announce, t } from "./dom.js";

const SLACK = 4;
/// In notes.
const LINK = ".sticky a";

export class Pointers {
  constructor(editor) {
    this.editor = editor;
    this.canvas = editor.canvas;
    this.held = new Map();
    const area = this.canvas.element;
    area.addEventListener("pointerdown", (event) => this.down(event));
    area.addEventListener("pointermove", (event) => this.move(event));
    area.addEventListener("pointerup", (event) => this.up(event));
    area.addEventListener("pointercancel", (event) => this.drop(event));
    area.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    area.addEventListener("dblclick", (event) => this.double(event));
    area.addEventListener("contextmenu", (event) => { if (event.target.closest("[data-node], [data-edge]") && !event.target.closest(LINK)) event.preventDefault(); });
    // A gesture follows it; keys have no gesture.
    area.addEventListener("click", (event) => { if (event.isTrusted && event.detail && event.target.closest(LINK)) event.preventDefault(); });
    addEventListener("keydown", (event) => {
      if (event.key === " " && !typing(event.target)) { this.space = true; area.classList.add("grab"); }
      if (event.key === "Escape" && this.gesture) this.stop();
    });
    addEventListener("keyup", (event) => { if (event.key === " ") { this.space = false; area.classList.remove("grab"); } });
  }

  down(event) {
    const { canvas } = this;
    if (event.target.closest("button") || (event.button === 1 && event.target.closest(LINK))) return;
    this.held.set(event.pointerId, event);
    if (this.held.size === 2) {
      this.stop();
      this.gesture = pinch(canvas, this.held);
      return;
    }
    if (event.target === canvas.map) this.gesture = overview(canvas, event);
    else if (event.button === 1 || this.space) this.gesture = panning(canvas, event);
    else if (event.button !== 0) return;
    else this.gesture = this.begin(event);
    if (!this.gesture) return;
    if (event.target.closest(".edge-tools")) return;
    canvas.element.setPointerCapture(event.pointerId);
    if (event.pointerType !== "touch") event.preventDefault();
    canvas.element.focus({ preventScroll: true });
  }

  begin(event) {
    const { editor } = this;
    const port = event.target.closest("[data-port]");
    const node = event.target.closest("[data-node]");
    const edge = event.target.closest("[data-edge]");
    if (event.target.closest(".edge-tools")) return undefined;
    if (editor.mayWrite && event.target.dataset.resize) return resizing(editor, event.target.dataset.resize, event);
    if (port && editor.mayWrite) return connecting(editor, node.dataset.node, port.dataset.port, Number(port.dataset.index), event);
    if (node) return dragging(editor, node.dataset.node, event);
    if (edge) return edgeGrip(editor, edge.dataset.edge, event);
    if (event.altKey && editor.mayWrite) return slicing(editor, event);
    return event.pointerType === "touch" ? panning(this.canvas, event, () => editor.select([])) : marquee(editor, event);
  }

  move(event) {
    if (!this.held.has(event.pointerId)) return;
    this.held.set(event.pointerId, event);
    this.last = event;
    // One change a frame, however many moves there were.
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = undefined;
      this.gesture?.move(this.last, this.held);
    });
  }

  up(event) {
    this.held.delete(event.pointerId);
    const { gesture } = this;
    if (!gesture) return;
    if (this.frame) { cancelAnimationFrame(this.frame); this.frame = undefined; gesture.move(event, this.held); }
    this.gesture = undefined;
    gesture.end(event);
  }

  drop(event) { this.held.delete(event.pointerId); this.stop(); }
  stop() { this.gesture?.cancel?.(); this.gesture = undefined; }

  wheel(event) {
    event.preventDefault();
    const { canvas } = this;
    const rect = canvas.rect;
    const unit = event.deltaMode === 1 ? 20 : 1;
    if (event.ctrlKey || event.metaKey) {
      canvas.setView(views.zoomAt(canvas.view, Math.exp(-event.deltaY * unit * 0.0022), event.clientX - rect.left, event.clientY - rect.top));
    } else {
      const [dx, dy] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      canvas.setView(views.pan(canvas.view, -dx * unit, -dy * unit));
    }
  }

  double(event) {
    // The canvas holds the pointer, so the event's own target says nothing.
    const target = document.elementFromPoint(event.clientX, event.clientY);
    const node = target?.closest("[data-node]");
    if (target?.closest(`[data-port], [data-edge], .edge-tools, .blank .button, ${LINK}`) || target === this.canvas.map) return;
    if (node) this.editor.open(node.dataset.node);
    else this.editor.palette({ at: this.canvas.at(event) });
  }
}

export const typing = (target) => Boolean(target.closest?.("input, textarea, select, [contenteditable], dialog"));
const far = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) > SLACK;

function panning(canvas, start, onTap = () => {}) {
  const { view } = canvas;
  let moved = false;
  return {
    move(event) {
      moved ||= far(start, event);
      if (moved) canvas.setView(views.pan(view, event.clientX - start.clientX, event.clientY - start.clientY));
    },
    end() { if (!moved) onTap(); },
  };
}

function pinch(canvas, held) {
  const span = (map) => {
    const [a, b] = [...map.values()];
    return { x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2, d: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1 };
  };
  const start = span(held);
  const { view, rect } = canvas;
  return {
    move(_, now) {
      if (now.size < 2) return;
      const at = span(now);
      const zoomed = views.zoomAt(view, at.d / start.d, start.x - rect.left, start.y - rect.top);
      canvas.setView(views.pan(zoomed, at.x - start.x, at.y - start.y));
    },
    end() {},
  };
}

function overview(canvas, start) {
  const { whole, k, dx, dy } = canvas.mapScale();
  const go = (event) => {
    const map = canvas.map.getBoundingClientRect();
    const { width, height } = canvas.rect;
    const x = (event.clientX - map.left - dx) / k + whole.x;
    const y = (event.clientY - map.top - dy) / k + whole.y;
    canvas.setView({ ...canvas.view, x: width / 2 - x * canvas.view.k, y: height / 2 - y * canvas.view.k });
  };
  go(start);
  return { move: go, end() {} };
}

function marquee(editor, start) {
  const { canvas } = editor;
  const rect = canvas.rect;
  const before = start.shiftKey ? new Set(editor.selection) : new Set();
  const [x0, y0] = [start.clientX - rect.left, start.clientY - rect.top];
  let moved = false;
  return {
    move(event) {
      moved ||= far(start, event);
      if (!moved) return;
      const [x1, y1] = [event.clientX - rect.left, event.clientY - rect.top];
      canvas.showBand(fromCorners(x0, y0, x1, y1));
      const area = fromCorners(...views.toWorld(canvas.view, x0, y0), ...views.toWorld(canvas.view, x1, y1));
      const inside = canvas.allBoxes().filter((box) => overlaps(box, area)).map((box) => box.id);
      editor.select([...before, ...inside], { quiet: true });
    },
    end() {
      canvas.showBand();
      if (!moved && !start.shiftKey) editor.select([]);
      else if (moved) announce(t("selected", { count: editor.selection.size }));
    },
    cancel() { canvas.showBand(); editor.select(before); },
  };
}

function dragging(editor, id, start) {
  const { canvas } = editor;
  const additive = start.shiftKey || start.ctrlKey || start.metaKey;
  const wasChosen = editor.selection.has(id);
  if (!wasChosen) editor.select(additive ? [...editor.selection, id] : [id], { quiet: true });
  const chosen = [...editor.selection];
  // With Alt a frame moves without what lies in it.
  const ids = start.altKey ? chosen : withMembers(editor, chosen);
  const held = canvas.box(id);
  const from = new Map(ids.map((one) => [one, editor.doc.node(one).position]));
  const others = canvas.allBoxes().filter((box) => !from.has(box.id));
  let moved = false;
  let places = new Map();
  let wire;
  const over = (edge) => {
    canvas.links.get(wire?.key)?.group.classList.remove("chosen");
    wire = edge;
    canvas.links.get(wire?.key)?.group.classList.add("chosen");
  };
  return {
    move(event) {
      moved ||= far(start, event);
      if (!moved || !editor.mayWrite) return;
      // Somebody else may take out what is dragged.
      for (const one of from.keys()) if (!editor.doc.node(one)) from.delete(one);
      if (!from.has(id)) { over(); canvas.preview(new Map()); return; }
      over(ids.length === 1 ? spliced(editor, id, event) : undefined);
      let dx = (event.clientX - start.clientX) / canvas.view.k;
      let dy = (event.clientY - start.clientY) / canvas.view.k;
      if (!event.altKey) {
        const box = { ...held, x: held.x + dx, y: held.y + dy };
        const near = align(box, others, 6 / canvas.view.k);
        dx = near.lineX === undefined ? snap(held.x + dx) - held.x : dx + near.dx;
        dy = near.lineY === undefined ? snap(held.y + dy) - held.y : dy + near.dy;
        canvas.guides(near.lineX, near.lineY);
      }
      places = new Map([...from].map(([one, [x, y]]) => [one, [x + dx, y + dy]]));
      canvas.preview(places);
    },
    end(event) {
      if (!moved) {
        if (!editor.doc.node(id)) return undefined;
        const link = !additive && !editor.tapFrom && start.target.closest(LINK);
        if (link) link.click();
        if (wasChosen) editor.select(additive ? chosen.filter((one) => one !== id) : [id]);
        editor.focusID = id;
        return editor.tapped(id, event);
      }
      const into = wire;
      over();
      if (into && editor.doc.node(id) && editor.doc.edges.some((edge) => edge.key === into.key)) {
        editor.run(t("do_insert"), commands.insert(editor.doc, { ...editor.doc.node(id), position: places.get(id).map(Math.round) }, into));
        canvas.endPreview();
        return announce(t("inserted", { name: editor.doc.node(id).name }));
      }
      const ops = commands.move(editor.doc, places);
      if (ops.length) editor.run(t("do_move"), ops);
      canvas.endPreview();
      return undefined;
    },
    cancel() { over(); canvas.endPreview(); },
  };
}

function resizing(editor, id, start) {
  const { canvas } = editor;
  const box = canvas.box(id);
  let next = box;
  const element = canvas.nodes.get(id).element;
  return {
    move(event) {
      next = {
        width: Math.max(80, snap(box.width + (event.clientX - start.clientX) / canvas.view.k)),
        height: Math.max(60, snap(box.height + (event.clientY - start.clientY) / canvas.view.k)),
      };
      element.style.width = `${next.width}px`;
      element.style.height = `${next.height}px`;
    },
    end() {
      const config = editor.doc.node(id)?.config;
      if (config) editor.run(t("do_resize"), commands.change(editor.doc, id, { config: { ...config, width: next.width, height: next.height } }));
    },
    cancel() { canvas.redraw(id); canvas.draw(); },
  };
}

function under(event) {
  const target = document.elementFromPoint(event.clientX, event.clientY);
  const node = target?.closest("[data-node]");
  return { port: target?.closest("[data-port]"), node: node?.dataset.node, canvas: target?.closest(".canvas") };
}

/// Whether what lies under a pointer completes an edge that was begun at a port; the edge where it does.
function completed(editor, id, side, index, place) {
  if (!place.node || place.node === id) return undefined;
  const wanted = side === "out" ? "in" : "out";
  const port = place.port?.dataset.port === wanted ? Number(place.port.dataset.index) : 0;
  const edge = side === "out" ? [id, index, place.node, port] : [place.node, port, id, index];
  return refusal(editor.doc, editor.kinds, ...edge) ? undefined : edge;
}

/// From a port to another, to a node, or to the open canvas, where the palette opens. A tap on a port waits for a second tap.
function connecting(editor, id, side, index, start, onEmpty) {
  const { canvas } = editor;
  const anchor = canvas.port(id, side, index);
  const fits = (other, otherSide, otherIndex) =>
    otherSide !== side && !refusal(editor.doc, editor.kinds, ...(side === "out" ? [id, index, other, otherIndex] : [other, otherIndex, id, index]));
  let moved = false;
  let over;
  const clear = () => {
    canvas.showGhost();
    canvas.showTargets();
    over?.classList.remove("target", "refused");
  };
  return {
    move(event) {
      if (!moved && !far(start, event)) return;
      if (!moved) canvas.showTargets(fits);
      moved = true;
      const at = canvas.at(event);
      canvas.showGhost(...(side === "out" ? [anchor, at] : [at, anchor]));
      const place = under(event);
      over?.classList.remove("target", "refused");
      over = place.node && place.node !== id ? canvas.nodes.get(place.node)?.element : undefined;
      over?.classList.add(completed(editor, id, side, index, place) ? "target" : "refused");
    },
    end(event) {
      clear();
      if (!moved) return editor.beginTapConnect(id, side, index);
      const place = under(event);
      const edge = completed(editor, id, side, index, place);
      if (onEmpty) return onEmpty(edge);
      if (edge) return editor.connect(...edge);
      if (place.node && place.node !== id) return announce(t("not_possible"));
      if (!place.node && place.canvas && side === "out") return editor.palette({ at: canvas.at(event), link: { from: id, output: index } });
      return undefined;
    },
    cancel: clear,
  };
}

/// An edge is chosen by a tap, and its nearer end is moved elsewhere by a drag; dropped on nothing it goes.
function edgeGrip(editor, key, start) {
  const { canvas } = editor;
  const { edge } = canvas.links.get(key);
  let inner;
  return {
    move(event) {
      if (!inner && far(start, event) && editor.mayWrite && edge.kind === "main") {
        const at = canvas.at(start);
        const ends = [canvas.port(edge.from, "out", edge.output), canvas.port(edge.to, "in", edge.input)];
        const [first, last] = ends.map(([x, y]) => Math.hypot(x - at[0], y - at[1]));
        const keepsSource = last <= first;
        const [id, side, index] = keepsSource ? [edge.from, "out", edge.output] : [edge.to, "in", edge.input];
        canvas.links.get(key).group.classList.add("lifted");
        inner = connecting(editor, id, side, index, start, (found) => {
          if (!found) return editor.run(t("do_disconnect"), commands.disconnect(editor.doc, [edge]));
          const [from, output, to, input] = found;
          return editor.run(t("do_reconnect"), commands.reconnect(editor.doc, edge, { from, output, to, input }));
        });
      }
      inner?.move(event);
    },
    end(event) {
      canvas.links.get(key)?.group.classList.remove("lifted");
      if (inner) inner.end(event);
      else editor.selectEdge(key, canvas.at(event));
    },
    cancel() {
      canvas.links.get(key)?.group.classList.remove("lifted");
      inner?.cancel();
    },
  };
}

