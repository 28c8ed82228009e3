// Groups: a named, coloured frame on the canvas, kept as a note of its own kind. What lies in it goes along where it is moved or copied; nothing
// else has to be kept in step when nodes come and go.
import { Edit } from "./document.js";
import { newNode } from "./commands.js";
import { bounds, snap } from "./geometry.js";

const MARGIN = 40;
const HEAD = 60;
const COLOR = 5;

export const isGroup = (node) => node?.kind === "sticky_note" && node.config.group === true;

/// What is chosen, and what lies in the groups among it; also in groups within groups.
export function withMembers(editor, ids) {
  const all = new Set(ids);
  for (const id of all) {
    if (!isGroup(editor.doc.node(id))) continue;
    const frame = editor.canvas.box(id);
    for (const box of editor.canvas.allBoxes()) if (box.id !== id && lies(box, frame)) all.add(box.id);
  }
  return [...all];
}

const lies = (box, frame) =>
  box.x >= frame.x && box.y >= frame.y && box.x + box.width <= frame.x + frame.width && box.y + box.height <= frame.y + frame.height;

/// A frame around boxes: the operations, and its id.
export function group(editor, ids, name) {
  const area = bounds(ids.map((id) => editor.canvas.box(id)));
  const [x, y] = [snap(area.x - MARGIN), snap(area.y - HEAD)];
  const node = {
    ...newNode(editor.kinds.get("sticky_note"), [x, y], editor.doc.names()),
    config: { group: true, content: name, color: COLOR, width: snap(area.x + area.width + MARGIN - x), height: snap(area.y + area.height + MARGIN - y) },
  };
  return { id: node.id, ops: new Edit(editor.doc).add(node).ops() };
}
