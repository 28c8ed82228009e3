// Places and shapes on the canvas; no document, no screen.
const GRID = 20;
/// An import from n8n makes room for it (`N8nStretch`).
const WIDTH = 200;
const HEIGHT = 64;
const PORT_ROOM = 26;

export const snap = (value, step = GRID) => Math.round(value / step) * step;

export const size = (node, inputs, outputs) =>
  node.kind === "sticky_note"
    ? { width: Math.max(80, Number(node.config.width) || 240), height: Math.max(60, Number(node.config.height) || 160) }
    : { width: WIDTH, height: Math.max(HEIGHT, Math.max(inputs, outputs) * PORT_ROOM + 12) };

/// The y of a port below the top of its node.
export const portY = (height, count, index) => (height * (Math.min(index, Math.max(0, count - 1)) + 1)) / (Math.max(1, count) + 1);

/// A curve between two points that leaves and arrives level; one that goes back swings around.
export function curve(x1, y1, x2, y2) {
  const dx = x2 - x1;
  if (dx >= -20) {
    const bend = Math.max(36, dx / 2);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }
  const bend = Math.min(220, 60 - dx / 3);
  const low = Math.max(y1, y2) + 70;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x1 + bend} ${low} ${(x1 + x2) / 2} ${low}S${x2 - bend} ${y2} ${x2} ${y2}`;
}

export function bounds(boxes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  return left === Infinity ? undefined : { x: left, y: top, width: right - left, height: bottom - top };
}

export const overlaps = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

export const fromCorners = (x1, y1, x2, y2) => ({ x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) });

/// Where a dragged box lines up with others: the shift that makes it so, and the lines to show.
export function align(box, others, reach) {
  const find = (edges, marks) => {
    let best;
    for (const edge of edges) {
      for (const mark of marks) {
        const distance = mark - edge;
        if (Math.abs(distance) <= reach && (best === undefined || Math.abs(distance) < Math.abs(best.shift))) best = { shift: distance, at: mark };
      }
    }
    return best;
  };
  const near = others.slice(0, 400);
  const x = find([box.x, box.x + box.width], near.flatMap((one) => [one.x, one.x + one.width]));
  const middle = (one) => one.y + one.height / 2;
  const y = find([box.y, middle(box)], near.flatMap((one) => [one.y, middle(one)]));
  return { dx: x?.shift ?? 0, dy: y?.shift ?? 0, lineX: x?.at, lineY: y?.at };
}

/// The box next in a direction, seen from another: the nearest one with the least turn.
export function neighbour(from, boxes, direction) {
  const [cx, cy] = [from.x + from.width / 2, from.y + from.height / 2];
  const along = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[direction];
  let best;
  for (const box of boxes) {
    const [dx, dy] = [box.x + box.width / 2 - cx, box.y + box.height / 2 - cy];
    const ahead = dx * along[0] + dy * along[1];
    if (ahead <= 1) continue;
    const cost = ahead + 2 * Math.abs(dx * along[1] + dy * along[0]);
    if (!best || cost < best.cost) best = { box, cost };
  }
  return best?.box;
}
