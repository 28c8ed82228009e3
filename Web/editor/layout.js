// Places nodes in layers from left to right, the same for the same document: layers by the longest way from a start, edges that lead back
// left out; within a layer by the middle of the neighbours, so that few edges cross.
import { snap } from "./geometry.js";

const COLUMN = 280;
const GAP = 36;
const SWEEPS = 6;

export function layout(doc, sizeOf) {
  const nodes = [...doc.nodes.values()].filter((node) => node.kind !== "sticky_note");
  const ids = nodes.map((node) => node.id).sort((a, b) => compare(doc.node(a), doc.node(b)));
  const places = new Map();
  let top = 0;
  for (const part of components(doc, ids)) {
    const layers = order(doc, layered(doc, part));
    let bottom = top;
    layers.forEach((layer, column) => {
      const height = layer.reduce((sum, id) => sum + sizeOf(doc.node(id)).height + GAP, -GAP);
      let y = -height / 2;
      for (const id of layer) {
        places.set(id, [column * COLUMN, y]);
        y += sizeOf(doc.node(id)).height + GAP;
      }
    });
    const least = Math.min(...part.map((id) => places.get(id)[1]));
    for (const id of part) {
      const [x, y] = places.get(id);
      const place = [x, snap(y - least + top)];
      places.set(id, place);
      bottom = Math.max(bottom, place[1] + sizeOf(doc.node(id)).height);
    }
    top = snap(bottom + 2 * GAP);
  }
  return places;
}

const compare = (a, b) => a.position[1] - b.position[1] || a.position[0] - b.position[0] || (a.id < b.id ? -1 : 1);

function components(doc, ids) {
  const seen = new Set();
  const parts = [];
  const known = new Set(ids);
  for (const id of ids) {
    if (seen.has(id)) continue;
    const part = [];
    const open = [id];
    seen.add(id);
    while (open.length) {
      const one = open.pop();
      part.push(one);
      for (const next of [...doc.outgoing(one).map((edge) => edge.to), ...doc.incoming(one).map((edge) => edge.from)]) {
        if (known.has(next) && !seen.has(next)) { seen.add(next); open.push(next); }
      }
    }
    parts.push(ids.filter((one) => part.includes(one)));
  }
  return parts;
}

function layered(doc, part) {
  const state = new Map();
  const finished = [];
  const forward = [];
  // Depth first without recursion: long chains are deeper than the stack.
  const starts = [...part.filter((id) => !doc.incoming(id).length), ...part];
  for (const start of starts) {
    if (state.has(start)) continue;
    const stack = [[start, 0]];
    state.set(start, 1);
    while (stack.length) {
      const top = stack.at(-1);
      const edges = doc.outgoing(top[0]);
      if (top[1] === edges.length) {
        state.set(top[0], 2);
        finished.push(stack.pop()[0]);
        continue;
      }
      const edge = edges[top[1]++];
      if (state.get(edge.to) === 1) continue;
      forward.push([edge.from, edge.to]);
      if (!state.has(edge.to)) { state.set(edge.to, 1); stack.push([edge.to, 0]); }
    }
  }
  const next = new Map();
  for (const [from, to] of forward) next.set(from, [...(next.get(from) ?? []), to]);
  const depth = new Map(part.map((id) => [id, 0]));
  for (const id of finished.reverse()) for (const to of next.get(id) ?? []) depth.set(to, Math.max(depth.get(to), depth.get(id) + 1));
  const layers = [];
  for (const id of part) (layers[depth.get(id)] ??= []).push(id);
  return layers;
}

function order(doc, layers) {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    const at = new Map();
    for (const layer of layers) layer.forEach((id, index) => at.set(id, index - layer.length / 2));
    for (let step = 1; step < layers.length; step += 1) {
      const layer = layers[down ? step : layers.length - 1 - step];
      const weight = new Map(layer.map((id) => {
        const links = down ? doc.incoming(id).map((edge) => [edge.from, edge.output]) : doc.outgoing(id).map((edge) => [edge.to, edge.input]);
        const marks = links.filter(([one]) => at.has(one)).map(([one, port]) => at.get(one) + port / 100);
        return [id, marks.length ? marks.reduce((sum, mark) => sum + mark, 0) / marks.length : at.get(id)];
      }));
      layer.sort((a, b) => weight.get(a) - weight.get(b) || at.get(a) - at.get(b));
      layer.forEach((id, index) => at.set(id, index - layer.length / 2));
    }
  }
  return layers;
}
