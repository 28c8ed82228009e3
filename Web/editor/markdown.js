// A note's Markdown as elements. The platform reads it, and makes links of pictures, since a note loads nothing; here the headings leave the page's
// outline, and links open pages of their own: the canvas follows one that is tapped and not dragged.
import { h } from "./dom.js";

const LETTERS = 20_000;
const AT_ONCE = 20;
const KNOWN = 2_000;
const known = new Map();
let asked = new Map();

/// Asks for what these texts look like, together with all that is asked for in the same moment.
export function learn(api, texts) {
  return Promise.all(texts.filter((text) => text.length <= LETTERS && !known.has(text)).map((text) => {
    if (!asked.size) queueMicrotask(() => ask(api));
    if (!asked.has(text)) asked.set(text, resolvers());
    return asked.get(text).promise;
  }));
}

/// The elements, where they are known.
export function shown(text) {
  if (!known.has(text)) return undefined;
  const { body } = new DOMParser().parseFromString(known.get(text), "text/html");
  for (const heading of body.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    heading.replaceWith(h(`div.heading.level-${Math.min(3, Number(heading.localName[1]) - 1)}`, {}, ...heading.childNodes));
  }
  for (const link of body.querySelectorAll("a")) {
    const href = link.getAttribute("href");
    const isPage = /^(https?:|mailto:)/i.test(href);
    // A picture may have no words: where it leads says more than nothing.
    if (!link.textContent.trim()) link.append((isPage && link.host) || href);
    link.replaceWith(h(isPage ? "a" : "u", isPage ? { href, target: "_blank", rel: "noopener noreferrer", draggable: "false", tabindex: "-1" } : {}, ...link.childNodes));
  }
  for (const code of body.querySelectorAll("pre")) code.removeAttribute("tabindex");
  return [...body.childNodes];
}

async function ask(api) {
  const all = [...asked];
  asked = new Map();
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const some = all.slice(start, start + AT_ONCE);
    try {
      const { html } = await api.markdown(some.map(([text]) => text));
      some.forEach(([text, { resolve }], index) => { keep(text, html[index]); resolve(); });
    } catch (error) {
      for (const [, { reject }] of some) reject(error);
    }
  }
}

function keep(text, html) {
  if (known.size >= KNOWN) known.delete(known.keys().next().value);
  known.set(text, html);
}

function resolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
