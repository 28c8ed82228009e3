// Nodes as text, to and from the clipboard of the system: ours, and n8n's.
import { Edit, clone, freeName, renamed } from "./document.js";
import { freshID } from "./commands.js";

const MARK = "aias.nodes";

/// As many nodes as the server takes in a workflow.
export const MOST = 2000;

export function write(doc, ids) {
  const chosen = new Set(ids);
  const nodes = [...doc.nodes.values()].filter((node) => chosen.has(node.id)).map((node) => ({
    ...clone(node), connections: node.connections.filter((edge) => chosen.has(edge.to)),
  }));
  const names = new Set(nodes.map((node) => node.name));
  const pinned = Object.fromEntries(Object.entries(doc.meta.pinned_data ?? {}).filter(([name]) => names.has(name)));
  return JSON.stringify({ format: MARK, version: 1, nodes, pinned_data: pinned }, null, 2);
}

/// {ours: {nodes, pinned_data}, count}, {n8n: json, count}, or undefined for a text that holds no nodes.
export function read(text) {
  let json;
  try { json = JSON.parse(text); } catch { return undefined; }
  if (!json || !Array.isArray(json.nodes)) return undefined;
  const count = json.nodes.length;
  if (json.nodes.every(isNode) && Object.values(json.pinned_data ?? {}).every(Array.isArray)) return { ours: json, count };
  if (json.nodes.every((node) => typeof node?.type === "string" && typeof node?.name === "string")) return { n8n: json, count };
  return undefined;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/// Whether it can be drawn at all; what else is wrong with it, the server says.
function isNode(node) {
  const { kind, name = "", position = [0, 0], config = {}, connections = [] } = node ?? {};
  return typeof kind === "string" && typeof name === "string" && isObject(config) && Array.isArray(position) && position.length === 2
    && position.every(Number.isFinite) && Array.isArray(connections) && connections.every((edge) => typeof edge === "string" || isObject(edge));
}

/// Operations that put copies of nodes in, the middle of them at `center`, and the ids they have now.
export function paste(doc, part, center) {
  const edit = new Edit(doc);
  const names = edit.names();
  const ids = new Map();
  const newNames = new Map();
  for (const node of part.nodes) {
    const name = freeName(node.name ?? node.kind, names);
    names.add(name);
    ids.set(node.id, freshID());
    if (name !== node.name) newNames.set(node.name, name);
  }
  const xs = part.nodes.map((node) => node.position?.[0] ?? 0);
  const ys = part.nodes.map((node) => node.position?.[1] ?? 0);
  const shift = center
    ? [Math.round(center[0] - (Math.min(...xs) + Math.max(...xs)) / 2), Math.round(center[1] - (Math.min(...ys) + Math.max(...ys)) / 2)]
    : [40, 40];
  for (const node of part.nodes) {
    edit.add({
      ...clone(node), id: ids.get(node.id), name: newNames.get(node.name) ?? node.name, config: renamed(clone(node.config ?? {}), newNames),
      position: [(node.position?.[0] ?? 0) + shift[0], (node.position?.[1] ?? 0) + shift[1]],
      connections: (node.connections ?? []).map((edge) => (typeof edge === "string" ? { to: edge } : edge)).filter((edge) => ids.has(edge.to))
        .map((edge) => ({ output: edge.output ?? 0, to: ids.get(edge.to), input: edge.input ?? 0, kind: edge.kind ?? "main" })),
    });
  }
  const pinned = Object.entries(part.pinned_data ?? {});
  if (pinned.length) {
    const more = Object.fromEntries(pinned.map(([name, items]) => [newNames.get(name) ?? name, items]));
    edit.setMeta("pinned_data", { ...doc.meta.pinned_data, ...more });
  }
  return { ops: edit.ops(), ids: [...ids.values()] };
}
