// What can be written next in an expression: names of variables and of nodes, fields of the item that is looked at, and what the value before a
// dot can do.
import { h, t, uid } from "./dom.js";

const SHOWN = 40;
const ROOTS = ["$json", "$('')", "$input", "$now", "$today", "$vars", "$execution", "$workflow", "$itemIndex", "$runIndex", "$binary", "$if()", "$ifEmpty()", "$min()", "$max()"];
const INPUT = ["all()", "first()", "last()", "item"];
const NODE = ["item", "first()", "last()", "all()"];
const ITEM = ["json", "binary"];
const BY_TYPE = {
  string: ["length", "trim()", "toLowerCase()", "toUpperCase()", "split()", "replace()", "replaceAll()", "slice()", "includes()", "startsWith()", "endsWith()", "indexOf()", "padStart()", "padEnd()", "concat()"],
  array: ["length", "map()", "filter()", "find()", "join()", "includes()", "slice()", "some()", "every()", "reduce()"],
  number: ["toFixed()", "toString()"],
};

/// The value at a path of keys within an item.
const follow = (value, path) => path.reduce((one, key) => (one === null || one === undefined ? undefined : one[key]), value);

/// `before` is the text up to the caret, `scope` {json, nodes}. Gives {from, words}: where the word begun starts, and what it may become.
export function complete(before, scope) {
  const open = before.lastIndexOf("{{");
  if (open < 0 || before.indexOf("}}", open) >= 0) return undefined;
  const text = before.slice(open + 2);
  const node = /\$\(\s*(["'])([^"']*)$/.exec(text);
  if (node) return words(before, node[2], scope.nodes);
  const member = /((?:\$\(\s*(?:"[^"]*"|'[^']*')\s*\)|\$?[A-Za-z_][\w$]*)(?:\.[A-Za-z_$][\w$]*(?:\(\))?|\[(?:\d+|"[^"]*"|'[^']*')\])*)\.([\w$]*)$/.exec(text);
  if (member) return words(before, member[2], members(member[1], scope));
  const root = /(?:^|[^\w$.'"])(\$[\w]*)$/.exec(text);
  return root ? words(before, root[1], ROOTS) : undefined;
}

function words(before, begun, all) {
  const low = begun.toLowerCase();
  const fitting = [...new Set(all)].filter((one) => one.toLowerCase().startsWith(low) && one !== begun);
  return fitting.length ? { from: before.length - begun.length, words: fitting.slice(0, SHOWN) } : undefined;
}

function members(chain, { json, vars, items }) {
  if (/^\$input$/.test(chain)) return INPUT;
  if (/^\$\([^)]*\)$/.test(chain)) return NODE;
  if (/^\$(?:input|\([^)]*\))\.(?:item|first\(\)|last\(\))$/.test(chain)) return ITEM;
  if (chain === "$vars") return vars ?? [];
  // The fields of what another node gave: its pinned items, or those of the run that is looked at.
  const other = /^\$\(\s*["']([^"']*)["']\s*\)\.(?:item|first\(\)|last\(\))\.json((?:\.[A-Za-z_$][\w$]*|\[(?:\d+|"[^"]*"|'[^']*')\])*)$/.exec(chain);
  if (other) return fields(follow(items?.(other[1])?.[0], keys(other[2])));
  const input = /^\$input\.(?:item|first\(\)|last\(\))\.json((?:\.[A-Za-z_$][\w$]*|\[(?:\d+|"[^"]*"|'[^']*')\])*)$/.exec(chain);
  if (input) return fields(follow(json, keys(input[1])));
  const path = /^\$json((?:\.[A-Za-z_$][\w$]*|\[(?:\d+|"[^"]*"|'[^']*')\])*)$/.exec(chain);
  if (!path) return [];
  return fields(follow(json, keys(path[1])));
}

const keys = (path) => [...path.matchAll(/\.([\w$]+)|\[(?:(\d+)|"([^"]*)"|'([^']*)')\]/g)].map((one) => (one[2] === undefined ? one[1] ?? one[3] ?? one[4] : Number(one[2])));

function fields(value) {
  if (Array.isArray(value)) return BY_TYPE.array;
  if (value && typeof value === "object") return Object.keys(value).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key));
  return BY_TYPE[typeof value] ?? [];
}

/// Shows what fits under a field while it is written in. `scope` gives what there is to choose from by now.
export function completing(area, scope) {
  const list = h("ul.completions", { id: uid("completions"), role: "listbox", "aria-label": t("completions"), hidden: true });
  let found;
  let current = 0;
  for (const [name, value] of Object.entries({ "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-controls": list.id })) area.setAttribute(name, value);
  const close = () => {
    found = undefined;
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    current = (index + found.words.length) % found.words.length;
    [...list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === current)));
    list.children[current].scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", list.children[current].id);
  };
  const take = (index) => {
    const word = found.words[index];
    const end = area.selectionStart;
    area.setRangeText(word, found.from, end, "end");
    // Between the quotes or brackets, where there are any to fill in.
    const inside = word.endsWith("('')") ? 2 : word.endsWith("()") && !/^(?:all|first|last|trim|to\w+Case)\(/.test(word) ? 1 : 0;
    area.setSelectionRange(area.selectionStart - inside, area.selectionStart - inside);
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const show = () => {
    found = area.selectionStart === area.selectionEnd ? complete(area.value.slice(0, area.selectionStart), scope()) : undefined;
    if (!found) { close(); return; }
    list.replaceChildren(...found.words.map((word, index) => h("li", { role: "option", id: `${list.id}-${index}`, onpointerdown: (event) => { event.preventDefault(); take(index); } }, word)));
    list.hidden = false;
    mark(0);
  };
  area.addEventListener("input", show);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); show(); return; }
    if (!found) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); mark(current + step); }
    if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(current); }
    if (event.key === "Escape") { event.preventDefault(); close(); }
  });
  return list;
}
