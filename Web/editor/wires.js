// What is done to edges by drawing over them: a node dropped on one is put into it, and a line drawn with Alt cuts those that it crosses.
import * as views from "./viewport.js";
import * as commands from "./commands.js";
import { announce, t } from "./dom.js";

const STEPS = 24;

/// The edge under a pointer that a dragged node would be put into: it has an input and an output, and is connected to nothing yet.
export function spliced(editor, id, event) {
  const { doc, kinds } = editor;
  const node = doc.node(id);
  if (node.type === "trigger" || doc.incoming(id).length || doc.outgoing(id).length) return undefined;
  const ports = kinds.of(node);
  if (!ports.inputs.length || !ports.outputs.length) return undefined;
  const key = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.dataset.edge && one.matches("path"))?.dataset.edge;
  const edge = editor.canvas.links.get(key)?.edge;
  return edge?.kind === "main" ? edge : undefined;
}

/// A line over the canvas; where it ends, the edges that it crosses are taken out in one step.
export function slicing(editor, start) {
  const { canvas } = editor;
  const { left, top } = canvas.rect;
  const world = (event) => views.toWorld(canvas.view, event.clientX - left, event.clientY - top);
  const from = world(start);
  let cut = [];
  const mark = (edges) => {
    for (const edge of cut) canvas.links.get(edge.key)?.group.classList.remove("lifted");
    cut = edges;
    for (const edge of cut) canvas.links.get(edge.key)?.group.classList.add("lifted");
  };
  const clear = () => { mark([]); canvas.showSlice(); };
  return {
    move(event) {
      const to = world(event);
      canvas.showSlice(from, to);
      mark([...canvas.links.values()].filter(({ line }) => crosses(line, from, to)).map(({ edge }) => edge));
    },
    end() {
      const edges = cut;
      clear();
      if (!edges.length) return;
      editor.run(t("do_disconnect"), commands.disconnect(editor.doc, edges));
      announce(t("deleted", { count: edges.length }));
    },
    cancel: clear,
  };
}

/// Whether a drawn path meets the line from a to b, looked at in short straight pieces.
function crosses(path, a, b) {
  const length = path.getTotalLength();
  let before = path.getPointAtLength(0);
  for (let step = 1; step <= STEPS; step += 1) {
    const next = path.getPointAtLength(length * step / STEPS);
    if (meet(a, b, [before.x, before.y], [next.x, next.y])) return true;
    before = next;
  }
  return false;
}

const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
const meet = (a, b, c, d) => side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
