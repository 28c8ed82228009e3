// What can be done to a document. Each gives operations for `History.run`.
import { Edit, clone, edgeKey, freeName, renamed } from "./document.js";

let counter = 0;
export function freshID() {
  counter += 1;
  return crypto.randomUUID?.() ?? `n${Date.now().toString(36)}${counter}${Math.random().toString(36).slice(2, 8)}`;
}

export function newNode(kind, position, names) {
  return {
    id: freshID(), type: kind.category, kind: kind.kind, kind_version: kind.version, name: freeName(kind.title, names),
    position: position.map(Math.round), config: {}, connections: [],
  };
}

export const add = (doc, node, link) => {
  const edit = new Edit(doc).add(node);
  if (link) joinIn(edit, link.from, { output: link.output ?? 0, to: node.id, input: 0, kind: link.kind ?? "main" });
  return edit.ops();
};

export function move(doc, places) {
  const edit = new Edit(doc);
  // One that somebody else took out meanwhile is not made anew from its place alone.
  for (const [id, position] of places) if (doc.node(id)) edit.set(id, { position: position.map(Math.round) });
  return edit.ops();
}

function joinIn(edit, from, edge) {
  const node = edit.get(from);
  if (node.connections.some((one) => edgeKey(from, one) === edgeKey(from, edge))) return;
  edit.set(from, { connections: [...node.connections, edge] });
}

function part(edit, edge) {
  const node = edit.get(edge.from);
  edit.set(edge.from, { connections: node.connections.filter((one) => edgeKey(edge.from, one) !== edge.key) });
}

export function connect(doc, from, output, to, input, kind = "main") {
  const edit = new Edit(doc);
  joinIn(edit, from, { output, to, input, kind });
  return edit.ops();
}

export function disconnect(doc, edges) {
  const edit = new Edit(doc);
  for (const edge of edges) part(edit, edge);
  return edit.ops();
}

/// Moves an end of an edge elsewhere.
export function reconnect(doc, edge, change) {
  const edit = new Edit(doc);
  part(edit, edge);
  const next = { ...edge, ...change };
  joinIn(edit, next.from, { output: next.output, to: next.to, input: next.input, kind: next.kind });
  return edit.ops();
}

/// Takes nodes and edges out. What a node of one way stood between is joined again.
export function remove(doc, ids, edges = [], heal = false) {
  const edit = new Edit(doc);
  const gone = new Set(ids);
  for (const edge of edges) if (!gone.has(edge.from)) part(edit, edge);
  for (const id of gone) {
    for (const edge of doc.incoming(id)) {
      if (gone.has(edge.from)) continue;
      part(edit, edge);
      const next = doc.outgoing(id).filter((one) => one.kind === "main" && !gone.has(one.to));
      if (heal && gone.size === 1 && edge.kind === "main" && next.length === 1) {
        joinIn(edit, edge.from, { output: edge.output, to: next[0].to, input: next[0].input, kind: "main" });
      }
    }
    edit.remove(id);
  }
  const pinned = doc.meta.pinned_data;
  if (pinned) {
    const names = new Set([...gone].map((id) => doc.node(id)?.name));
    const kept = Object.entries(pinned).filter(([name]) => !names.has(name));
    if (kept.length < Object.keys(pinned).length) edit.setMeta("pinned_data", Object.fromEntries(kept));
  }
  return edit.ops();
}

/// Puts a node into an edge, and moves what follows out of its way.
export function insert(doc, node, edge, room = 280) {
  const edit = new Edit(doc).add(node);
  part(edit, edge);
  joinIn(edit, edge.from, { output: edge.output, to: node.id, input: 0, kind: edge.kind });
  joinIn(edit, node.id, { output: 0, to: edge.to, input: edge.input, kind: edge.kind });
  const [x] = doc.node(edge.to).position;
  if (x < node.position[0] + room) {
    const shift = node.position[0] + room - x;
    for (const id of downstream(doc, edge.to)) {
      if (id === edge.from) continue;
      const [left, top] = doc.node(id).position;
      if (left >= x) edit.set(id, { position: [left + shift, top] });
    }
  }
  return edit.ops();
}

function downstream(doc, id) {
  const seen = new Set([id]);
  const open = [id];
  while (open.length) for (const edge of doc.outgoing(open.pop())) if (!seen.has(edge.to)) { seen.add(edge.to); open.push(edge.to); }
  return seen;
}

export const change = (doc, id, patch) => new Edit(doc).set(id, patch).ops();

/// A field that is false or empty is left out, as the server writes it.
export function setFields(doc, id, fields) {
  const node = { ...doc.node(id) };
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || value === false || value === "") delete node[key];
    else node[key] = value;
  }
  return new Edit(doc).put(id, node).ops();
}

export function toggle(doc, ids) {
  const edit = new Edit(doc);
  const all = ids.every((id) => doc.node(id).disabled);
  for (const id of ids) {
    const { disabled, ...node } = doc.node(id);
    edit.put(id, all ? node : { ...node, disabled: true });
  }
  return edit.ops();
}

/// Gives a node another name, also in the expressions that speak of it.
export function rename(doc, id, name) {
  const old = doc.node(id).name;
  const edit = new Edit(doc);
  edit.set(id, { name });
  const names = new Map([[old, name]]);
  for (const node of doc.nodes.values()) {
    const config = renamed(node.config, names);
    if (config !== node.config) edit.set(node.id, { config });
  }
  const items = doc.pinned(old);
  if (items) {
    const { [old]: _, ...others } = doc.meta.pinned_data;
    edit.setMeta("pinned_data", { ...others, [name]: items });
  }
  return edit.ops();
}

export function pin(doc, name, items) {
  const { [name]: _, ...others } = doc.meta.pinned_data ?? {};
  const next = items ? { ...others, [name]: clone(items) } : others;
  return new Edit(doc).setMeta("pinned_data", next).ops();
}

export const setMeta = (doc, key, value) => new Edit(doc).setMeta(key, value).ops();

/// Makes the document another one, as one step: for rolling back and for merging.
export function replace(doc, json) {
  const edit = new Edit(doc);
  const next = new doc.constructor(json);
  for (const id of doc.nodes.keys()) if (!next.node(id)) edit.remove(id);
  for (const [id, node] of next.nodes) edit.put(id, node);
  for (const key of ["name", "settings", "pinned_data", "origin"]) edit.setMeta(key, next.meta[key]);
  return edit.ops();
}
