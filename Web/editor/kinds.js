// What the editor knows of kinds of nodes: their ports under their parameters, and which parameters show.
import { same } from "./document.js";

/// As many ports as the server takes at a node.
const PORTS = 64;

export class Kinds {
  constructor(list) {
    this.list = list;
    this.byName = new Map(list.map((kind) => [kind.kind, kind]));
    this.ports = new WeakMap();
  }

  get(name) { return this.byName.get(name); }
  learn(kind) {
    this.byName.set(kind.kind, kind);
    this.list = this.list.map((one) => (one.kind === kind.kind ? kind : one));
    this.ports = new WeakMap();
  }

  /// Names of a node's inputs and outputs; kept as long as the node is the same.
  of(node) {
    let known = this.ports.get(node);
    if (!known) {
      known = this.find(node);
      this.ports.set(node, known);
    }
    return known;
  }

  find(node) {
    const kind = this.get(node.kind);
    // A node of an import that nobody knows here: what its edges use is there.
    if (!kind) {
      const most = Math.max(0, ...node.connections.filter((edge) => edge.kind === "main").map((edge) => edge.output));
      return { inputs: node.type === "trigger" ? [] : ["main"], outputs: Array.from({ length: Math.min(PORTS, most + 1) }, (_, index) => `output ${index}`) };
    }
    const rule = (kind.output_rules ?? []).find((one) => isShown({ show_when: one.show_when }, node.config, kind.parameters ?? [], node));
    const outputs = names(rule?.ports ?? kind.outputs, kind, node);
    if (node.on_error === "error_output") outputs.push("error");
    const inputs = node.type === "trigger" ? [] : names(kind.inputs, kind, node);
    return { inputs, outputs };
  }

  shown(node) {
    const kind = this.get(node.kind);
    return (kind?.parameters ?? []).filter((one) => isShown(one, node.config, kind.parameters, node));
  }
}

function names(ports, kind, node) {
  if (ports.fixed) return [...ports.fixed._0];
  if (ports.count) {
    const given = Number(valueAt(node.config, ports.count.parameter) ?? ports.count.default);
    const count = Math.max(1, Math.min(PORTS, Number.isNaN(given) ? ports.count.default : given));
    return Array.from({ length: count }, (_, index) => `input ${index + 1}`);
  }
  const entry = ports.entries;
  // A switch has one rule where none is written.
  const list = valueAt(node.config, entry.parameter) ?? (entry.parameter === "rules.values" && node.config?.rules === undefined ? [{}] : []);
  const out = (Array.isArray(list) ? list : []).slice(0, PORTS).map((one, index) => String(one?.[entry.name_key] || `output ${index}`));
  if (entry.fallback_parameter && valueAt(node.config, entry.fallback_parameter) === entry.fallback_value) out.push("fallback");
  return out;
}

const valueAt = (config, path) => path.split(".").reduce((value, key) => value?.[key], config);

/// As `Parameter.isShown` decides on the server.
export function isShown(parameter, values, declarations, node) {
  return Object.entries(parameter.show_when ?? {}).every(([name, accepted]) => {
    if (name === "@version") return accepted.some((rule) => versionFits(node.kind_version ?? 1, rule));
    const value = values?.[name] ?? fallback(name, declarations, values, node) ?? node.config?.[name];
    if (value === undefined) return false;
    if (isExpression(value)) return true;
    return accepted.some((one) => same(one, value));
  });
}

function fallback(name, declarations, values, node) {
  const shown = declarations.filter((one) => one.name === name).find((one) =>
    Object.entries(one.show_when ?? {}).every(([key, accepted]) => {
      if (key === "@version") return accepted.some((rule) => versionFits(node.kind_version ?? 1, rule));
      if (key === name) return true;
      const value = values?.[key] ?? declarations.find((other) => other.name === key)?.default_value;
      return value !== undefined && accepted.some((one2) => same(one2, value));
    }));
  return shown?.default_value;
}

function versionFits(version, rule) {
  if (typeof rule === "number") return version === rule;
  const [, sign, bound] = /^([<>=]*)(.*)$/.exec(String(rule));
  const limit = Number(bound);
  if (sign === ">=") return version >= limit;
  if (sign === ">") return version > limit;
  if (sign === "<=") return version <= limit;
  if (sign === "<") return version < limit;
  return version === limit;
}

export const isExpression = (value) => typeof value === "string" && value.startsWith("=");

/// Why an edge cannot be made; undefined where it can.
export function refusal(doc, kinds, from, output, to, input) {
  if (from === to) return "self";
  const [source, target] = [doc.node(from), doc.node(to)];
  if (!source || !target || source.kind === "sticky_note" || target.kind === "sticky_note") return "note";
  if (target.type === "trigger" || !kinds.of(target).inputs.length) return "no_input";
  if (!kinds.of(source).outputs.length) return "no_output";
  if (doc.outgoing(from).some((edge) => edge.kind === "main" && edge.output === output && edge.to === to && edge.input === input)) return "there";
  return undefined;
}
