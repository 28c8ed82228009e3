// The document as the editor holds it: nodes by id in their order, and the rest by key. Nodes are never changed in place: a change puts a
// new object in the node's stead, so whoever draws compares by identity.

export const clone = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
export const same = (a, b) => a === b || JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/// What an object has under a name that people chose: `constructor` and the like, which every object has of itself, count where it has its own.
export const own = (object, key) => (object !== null && object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined);

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

const META = ["name", "settings", "pinned_data", "origin"];

const FIRST = ["id", "type", "kind", "kind_version", "name", "position", "config", "connections"];

/// The fields of a node in an order that does not depend on when each came.
function ordered(node) {
  const rest = Object.keys(node).filter((key) => !FIRST.includes(key)).sort();
  return Object.fromEntries([...FIRST.filter((key) => key in node), ...rest].map((key) => [key, node[key]]));
}

export class Doc {
  constructor(json = {}) {
    this.meta = {};
    for (const key of META) if (json[key] !== undefined) this.meta[key] = clone(json[key]);
    this.meta.name ??= "";
    this.nodes = new Map((json.nodes ?? []).map((node) => [node.id, normal(node)]));
    this.version = 0;
    this.links = undefined;
  }

  toJSON() {
    const meta = Object.fromEntries(META.filter((key) => this.meta[key] !== undefined).map((key) => [key, this.meta[key]]));
    return clone({ schema: 1, ...meta, nodes: [...this.nodes.values()].map(ordered) });
  }

  node(id) { return this.nodes.get(id); }
  named(name) { for (const node of this.nodes.values()) if (node.name === name) return node; return undefined; }
  /// The items that stand in for a node.
  pinned(name) { return own(this.meta.pinned_data, name); }
  names() { return new Set([...this.nodes.values()].map((node) => node.name)); }

  /// Every edge once: {key, from, output, to, input, kind}.
  get edges() {
    if (!this.links) this.index();
    return this.links;
  }

  incoming(id) { this.edges; return this.into.get(id) ?? []; }
  outgoing(id) { this.edges; return this.outof.get(id) ?? []; }

  index() {
    this.links = [];
    this.into = new Map();
    this.outof = new Map();
    for (const node of this.nodes.values()) {
      for (const edge of node.connections) {
        if (!this.nodes.has(edge.to)) continue;
        const link = { key: edgeKey(node.id, edge), from: node.id, ...edge };
        this.links.push(link);
        push(this.into, edge.to, link);
        push(this.outof, node.id, link);
      }
    }
  }

  /// Carries out operations made by an `Edit`; with `back` undoes them, the last one first.
  /// Only the fields that an operation changed are touched: what somebody else changed beside them stays.
  /// Returns the operations that no longer fit.
  apply(ops, back = false) {
    const misfits = [];
    for (const op of back ? [...ops].reverse() : ops) {
      const [before, after] = back ? [op.after, op.before] : [op.before, op.after];
      if (!(op.meta ? this.applyMeta(op.meta, before, after) : this.applyNode(op, before, after))) misfits.push(op);
    }
    for (const op of ops) if (op.id && op.before?.name !== op.after?.name) this.settleName(op.id, ops, back);
    this.version += 1;
    this.links = undefined;
    return misfits;
  }

  /// Somebody else may have given the name to another node meanwhile, and the server refuses two of one name: the one that operations
  /// brought takes a free one, in the expressions that they brought too, and with it the items that they pinned to it.
  settleName(id, ops, back) {
    const { name: taken } = this.nodes.get(id) ?? {};
    if (![...this.nodes.values()].some((other) => other.id !== id && other.name === taken)) return;
    const name = freeName(taken, this.names());
    this.nodes.set(id, { ...this.nodes.get(id), name });
    for (const op of ops) {
      const [before, after] = back ? [op.after, op.before] : [op.before, op.after];
      const node = op.id && this.nodes.get(op.id);
      if (node && !same(before?.config, after?.config)) this.nodes.set(op.id, { ...node, config: renamed(node.config, new Map([[taken, name]])) });
      const items = op.meta === "pinned_data" && !own(before, taken) && own(after, taken);
      if (!items || this.pinned(taken) !== items) continue;
      const { [taken]: _, ...others } = this.meta.pinned_data;
      this.meta.pinned_data = { ...others, [name]: items };
    }
  }

  applyMeta(key, before, after) {
    if (!same(this.meta[key], before)) return false;
    if (after === undefined) delete this.meta[key];
    else this.meta[key] = after;
    return true;
  }

  applyNode(op, before, after) {
    const current = this.nodes.get(op.id);
    if (after === undefined) return current !== undefined && this.nodes.delete(op.id);
    if (before === undefined) {
      if (current) return false;
      this.insert(after, op.at);
      return true;
    }
    if (!current) return false;
    const next = { ...current };
    let fits = true;
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (before[key] === after[key] || same(before[key], after[key])) continue;
      if (!same(current[key], before[key])) fits = false;
      else if (after[key] === undefined) delete next[key];
      else next[key] = after[key];
    }
    this.nodes.set(op.id, next);
    return fits;
  }

  /// Puts the nodes in the order of ids; what they do not name follows as it is.
  order(ids) {
    const named = ids.filter((id) => this.nodes.has(id));
    this.nodes = new Map([...named, ...this.nodes.keys()].map((id) => [id, this.nodes.get(id)]));
    this.version += 1;
    this.links = undefined;
  }

  insert(node, at) {
    if (at === undefined || at >= this.nodes.size) return void this.nodes.set(node.id, node);
    const all = [...this.nodes];
    all.splice(at, 0, [node.id, node]);
    this.nodes = new Map(all);
  }
}

export const edgeKey = (from, edge) => `${from} ${edge.kind} ${edge.output} ${edge.to} ${edge.input}`;

function push(map, key, value) {
  if (map.has(key)) map.get(key).push(value);
  else map.set(key, [value]);
}

function normal(node) {
  const connections = (node.connections ?? []).map((one) =>
    typeof one === "string" ? { output: 0, to: one, input: 0, kind: "main" }
      : { output: one.output ?? 0, to: one.to, input: one.input ?? 0, kind: one.kind ?? "main" });
  const tidy = { ...clone(node), position: node.position ?? [0, 0], config: clone(node.config) ?? {}, connections };
  // The server writes out what is as usual.
  for (const key of ["execute_once", "always_output", "disabled"]) if (tidy[key] === false) delete tidy[key];
  if (tidy.on_error === "stop") delete tidy.on_error;
  return tidy;
}

// MARK: Names, of which no two nodes have the same, and by which expressions speak of them

export function freeName(wanted, names) {
  if (!names.has(wanted)) return wanted;
  const stem = wanted.replace(/ \d+$/, "");
  for (let number = 2; ; number += 1) {
    const name = `${stem} ${number}`;
    if (!names.has(name)) return name;
  }
}

const REFERENCE = /(\$\(\s*|\$node\[\s*|\$items\(\s*)(["'])((?:\\.|(?!\2).)*)\2/g;

/// The same value with other names in `$('…')`; the very same where none occurs.
export function renamed(value, names) {
  if (typeof value === "string") {
    if (!value.startsWith("=")) return value;
    return value.replace(REFERENCE, (whole, open, quote, written) => {
      const name = names.get(written.replace(/\\(.)/g, "$1"));
      return name === undefined ? whole : open + quote + name.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`) + quote;
    });
  }
  if (value === null || typeof value !== "object") return value;
  const list = Array.isArray(value);
  let changed = false;
  const entries = Object.entries(value).map(([key, one]) => {
    const next = renamed(one, names);
    if (next !== one) changed = true;
    return [key, next];
  });
  if (!changed) return value;
  return list ? entries.map(([, one]) => one) : Object.fromEntries(entries);
}

/// Gathers a change as operations, without touching the document.
export class Edit {
  constructor(doc) {
    this.doc = doc;
    this.changed = new Map();
    this.meta = new Map();
  }

  get(id) { return this.changed.has(id) ? this.changed.get(id) : this.doc.node(id); }
  all() {
    const known = [...this.doc.nodes.keys()].map((id) => this.get(id)).filter(Boolean);
    return known.concat([...this.changed.values()].filter((node) => node && !this.doc.node(node.id)));
  }
  names() { return new Set(this.all().map((node) => node.name)); }
  set(id, patch) { this.changed.set(id, { ...this.get(id), ...patch }); return this; }
  put(id, node) { this.changed.set(id, node); return this; }
  add(node) { this.changed.set(node.id, normal(node)); return this; }
  remove(id) { this.changed.set(id, undefined); return this; }
  setMeta(key, value) { this.meta.set(key, value); return this; }

  ops() {
    const ops = [];
    let end = this.doc.nodes.size;
    const order = [...this.doc.nodes.keys()];
    // Those that go, go from the last on, so that undoing puts each back to its place.
    const gone = order.map((id, at) => [id, at]).filter(([id]) => this.changed.has(id) && !this.changed.get(id));
    for (const [id, after] of this.changed) {
      const before = this.doc.node(id);
      if (before && after && !same(before, after)) ops.push({ id, before, after });
    }
    for (const [id, at] of gone.reverse()) { ops.push({ id, before: this.doc.node(id), at }); end -= 1; }
    for (const [id, after] of this.changed) {
      if (!this.doc.node(id) && after) ops.push({ id, after, at: end++ });
    }
    for (const [key, after] of this.meta) {
      if (!same(this.doc.meta[key], after)) ops.push({ meta: key, before: this.doc.meta[key], after });
    }
    return ops;
  }
}

/// What was done and can be undone, without end. Steps with the same key that follow at once are one: typing, nudging.
export class History {
  constructor(doc, onChange = () => {}) {
    this.doc = doc;
    this.onChange = onChange;
    this.done = [];
    this.undone = [];
  }

  run(label, ops, key) {
    if (!ops.length) return false;
    this.doc.apply(ops);
    const last = this.done.at(-1);
    const now = Date.now();
    if (key && last?.key === key && now - last.at < 1500 && !this.undone.length) {
      last.ops = last.ops.concat(ops);
      last.at = now;
    } else {
      this.done.push({ label, ops, key, at: now });
    }
    this.undone = [];
    this.onChange({ label, ops });
    return true;
  }

  undo() { return this.move(this.done, this.undone, true); }
  redo() { return this.move(this.undone, this.done, false); }

  move(from, to, back) {
    const step = from.pop();
    if (!step) return undefined;
    step.key = undefined;
    const misfits = this.doc.apply(step.ops, back);
    to.push(step);
    this.onChange({ label: step.label, ops: step.ops, misfits });
    return step;
  }
}
