// The names of nodes: no two have the same, and expressions speak of nodes by them.
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
