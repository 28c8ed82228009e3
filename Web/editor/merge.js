// Two people's changes to one draft, joined field by field; where both changed the same field, it is a conflict that a person decides.
import { Doc, edgeKey, freeName, own, same, clone } from "./document.js";
import { rename } from "./commands.js";

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/// Gives {document, conflicts}. In the document a conflict stands as `mine`; each is {node?, name?, path, mine, theirs}.
export function merge(base, mine, theirs) {
  const [was, my, their] = [base, mine, theirs].map((one) => new Doc(one));
  const conflicts = [];
  const nodes = [];
  const ids = [...their.nodes.keys(), ...[...my.nodes.keys()].filter((id) => !their.node(id))];
  for (const id of ids) {
    const [b, m, t] = [was.node(id), my.node(id), their.node(id)];
    if (m && t) {
      nodes.push(fields(b ?? {}, m, t, [], (path, one, other) => conflicts.push({ node: id, name: m.name, path, mine: one, theirs: other })));
    } else if (!b) {
      nodes.push(m ?? t);
    } else if (m && !same(b, m)) {
      nodes.push(m);
      conflicts.push({ node: id, name: m.name, path: [], mine: m, theirs: undefined });
    } else if (t && !same(b, t)) {
      conflicts.push({ node: id, name: t.name, path: [], mine: undefined, theirs: t });
    }
  }
  const kept = new Set(nodes.map((node) => node.id));
  for (const node of nodes) node.connections = node.connections.filter((edge) => kept.has(edge.to));
  const meta = fields(was.meta, my.meta, their.meta, [], (path, one, other) => conflicts.push({ path, mine: one, theirs: other }));
  return { document: clone({ schema: 1, ...meta, nodes }), conflicts };
}

/// A field may have any name, also one that every object has of itself, such as `__proto__`: only an object's own are looked at.
function fields(base, mine, theirs, path, clash) {
  const merged = [];
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const [b, m, t] = [base, mine, theirs].map((one) => own(one, key));
    merged.push([key, field(b, m, t, [...path, key], clash)]);
  }
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

function field(base, mine, theirs, path, clash) {
  if (same(mine, theirs) || same(base, theirs)) return mine;
  if (same(base, mine)) return theirs;
  if (path.at(-1) === "connections" && Array.isArray(mine) && Array.isArray(theirs)) return edges(base ?? [], mine, theirs);
  if (isObject(mine) && isObject(theirs)) return fields(isObject(base) ? base : {}, mine, theirs, path, clash);
  clash(path, mine, theirs);
  return mine;
}

function edges(base, mine, theirs) {
  const keys = (list) => new Set(list.map((edge) => edgeKey("", edge)));
  const [was, my, their] = [keys(base), keys(mine), keys(theirs)];
  const all = new Map([...base, ...theirs, ...mine].map((edge) => [edgeKey("", edge), edge]));
  const kept = [...all].filter(([key]) => !was.has(key) || (my.has(key) && their.has(key)));
  // What is new comes in an order that does not ask whose it is.
  const rank = ([key]) => (was.has(key) ? "" : key);
  return kept.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0)).map(([, edge]) => edge);
}

/// My side with other names where both gave one name to different nodes: the server would refuse what is joined from them.
export function apart(base, mine, theirs) {
  const [was, my, their] = [base, mine, theirs].map((one) => new Doc(one));
  const stays = (node) => !my.node(node.id) || my.node(node.id).name === was.node(node.id)?.name;
  const owners = new Map([...their.nodes.values()].filter(stays).map((node) => [node.name, node.id]));
  const names = new Set([...my.names(), ...their.names()]);
  for (const { id, name } of [...my.nodes.values()]) {
    if (name === was.node(id)?.name || (owners.get(name) ?? id) === id) continue;
    const free = freeName(name, names);
    names.add(free);
    my.apply(rename(my, id, free));
  }
  return my.toJSON();
}

/// Takes the other person's side of a conflict.
export function takeTheirs(document, conflict) {
  const next = clone(document);
  if (!conflict.node) {
    put(next, conflict.path, conflict.theirs);
  } else if (!conflict.path.length) {
    next.nodes = next.nodes.filter((node) => node.id !== conflict.node);
    if (conflict.theirs) next.nodes.push(clone(conflict.theirs));
  } else {
    put(next.nodes.find((node) => node.id === conflict.node), conflict.path, conflict.theirs);
  }
  const ids = new Set(next.nodes.map((node) => node.id));
  for (const node of next.nodes) node.connections = node.connections.filter((edge) => ids.has(edge.to ?? edge));
  return next;
}

function put(target, path, value) {
  const holder = path.slice(0, -1).reduce((object, key) => object[key], target);
  if (value === undefined) delete holder[path.at(-1)];
  else Object.defineProperty(holder, path.at(-1), { value, writable: true, enumerable: true, configurable: true });
}

/// What makes two documents differ, for people: nodes added, removed, changed in which fields, moved.
export function difference(before, after) {
  const [a, b] = [new Doc(before), new Doc(after)];
  const changes = [];
  for (const [id, node] of b.nodes) {
    const old = a.node(id);
    if (!old) { changes.push({ id, name: node.name, what: "added" }); continue; }
    const keys = [...new Set([...Object.keys(old), ...Object.keys(node)])].filter((key) => !same(old[key], node[key]));
    const real = keys.filter((key) => key !== "position");
    if (real.length) changes.push({ id, name: node.name, what: "changed", fields: real, before: old, after: node });
    else if (keys.length) changes.push({ id, name: node.name, what: "moved" });
  }
  for (const [id, node] of a.nodes) if (!b.node(id)) changes.push({ id, name: node.name, what: "removed" });
  for (const key of ["name", "settings", "pinned_data"]) {
    if (!same(a.meta[key] ?? {}, b.meta[key] ?? {})) changes.push({ what: "document", fields: [key], before: a.meta[key], after: b.meta[key] });
  }
  return changes;
}
