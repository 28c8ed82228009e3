// A note's Markdown as elements: headings, lists, quotations, code and emphasis. Of links and pictures only the words are shown, and HTML
// stays text: a note loads nothing.
import { h } from "./dom.js";

const LETTERS = 20_000;
/// Longer lines are shown as they are: what stands in them is looked for from every letter on.
const LINE_LETTERS = 2_000;
const DEPTH = 4;

const INLINE = new RegExp([
  /\\(?<literal>[\\`*_[\]()#>+.!-])/, /(?<tick>`+)(?<code>.+?)\k<tick>(?!`)/, /!\[(?<alt>[^\]]*)\]\([^)]*\)/,
  /\[(?<words>(?:!\[[^\]]*\]\([^)]*\)|[^[\]])+)\]\([^)]*\)/, /(?<two>\*\*|__)(?=\S)(?<strong>.+?)\k<two>/,
  /\*(?=\S)(?<em>[^*]+)\*/, /(?<!\w)_(?=\S)(?<em2>[^_]+)_(?!\w)/,
].map((one) => one.source).join("|"), "g");

const LINES = [
  [/^\s{0,3}(#{1,6})\s+(.*?)\s*#*$/, ([, marks, words]) => h(`div.heading.level-${Math.min(3, marks.length)}`, {}, inline(words))],
  [/^\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/, () => h("hr")],
  [/^\s{0,3}>\s?(.*)$/, ([, words]) => h("div.quote", {}, inline(words))],
  [/^(\s*)(?:[-*+]|(\d+[.)]))\s+(.*)$/, ([, indent, number, words]) => {
    const item = h("div.item", { "data-mark": number ?? "•" }, inline(words));
    item.style.marginInlineStart = `${Math.min(DEPTH, Math.floor(indent.replaceAll("\t", "  ").length / 2))}em`;
    return item;
  }],
];

export function markdown(text) {
  const blocks = [];
  let code;
  for (const line of text.slice(0, LETTERS).split(/\r?\n/)) {
    if (/^\s*(```|~~~)/.test(line)) {
      if (code) code = undefined;
      else blocks.push(code = h("pre"));
    } else if (code) code.append(`${line}\n`);
    else blocks.push(block(line));
  }
  return blocks;
}

function block(line) {
  if (line.length > LINE_LETTERS) return h("div", {}, line);
  for (const [form, make] of LINES) {
    const found = form.exec(line);
    if (found) return make(found);
  }
  return h("div", {}, line.trim() ? inline(line) : h("br"));
}

function inline(text, depth = 0) {
  if (depth > DEPTH) return [text];
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const { literal, code, alt, words, strong, em = found.groups.em2 } = found.groups;
    parts.push(text.slice(at, found.index));
    at = found.index + found[0].length;
    if (literal !== undefined) parts.push(literal);
    else if (code !== undefined) parts.push(h("code", {}, code));
    else if (alt !== undefined) parts.push(alt);
    else if (words !== undefined) parts.push(h("u", {}, inline(words, depth + 1)));
    else parts.push(h(strong === undefined ? "em" : "strong", {}, inline(strong ?? em, depth + 1)));
  }
  return [...parts, text.slice(at)].filter((one) => one !== "");
}
