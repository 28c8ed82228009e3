// What is not needed at first is loaded when it is asked for, or when the browser has nothing else to do. A dialog stands at once
// nevertheless, and keys pressed before its content has come are done when it is there.
import { dialog, focusFirst, h, skeleton, t } from "./dom.js";

const LATER_MS = 1500;
const modules = new Map();
const paths = {
  panel: () => import("./panel.js"), versions: () => import("./versions.js"), merge: () => import("./merge.js"), comparison: () => import("./comparison.js"),
  presence: () => import("./presence.js"), comments: () => import("./comments.js"), guide: () => import("./guide.js"),
  markdown: () => import("./markdown.js"),
};
/// What few need is fetched only where it is asked for.
const SELDOM = ["comparison", "guide", "markdown", "merge", "versions"];

/// The module itself where it is there, else a promise of it.
export function load(name) {
  if (!modules.has(name)) {
    const coming = paths[name]();
    modules.set(name, coming);
    // One that did not come is asked for again.
    coming.then((module) => modules.set(name, module), () => modules.delete(name));
  }
  return modules.get(name);
}

/// Fetches the rest while nothing else is done, and then does what can wait as long.
export function loadRest(then) {
  const rest = () => { then(); for (const name of Object.keys(paths)) if (!SELDOM.includes(name)) Promise.resolve(load(name)).catch(() => {}); };
  if (window.requestIdleCallback) requestIdleCallback(rest, { timeout: LATER_MS });
  else setTimeout(rest, LATER_MS);
}

/// Opens a dialog whose content needs what may still be on its way. `build` gets the needs and the dialog, and gives the content;
/// `first` names where the first field is looked for.
export function openLazily(title, options, needs, build, first) {
  const waits = needs.some((one) => one instanceof Promise);
  const box = dialog(title, waits ? h("div.hint", { role: "status" }, t("loading"), skeleton(4)) : [], options);
  const fill = (all) => {
    const content = build(...all, box);
    box.append(...[content].flat());
    focusFirst(box, first);
  };
  if (!waits) { fill(needs); return box; }
  const held = [];
  const hold = (event) => {
    // Whoever wants away at once may.
    if (event.key === "Escape" && !held.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) held.push(event);
  };
  box.tabIndex = -1;
  box.focus();
  box.addEventListener("keydown", hold, true);
  Promise.all(needs).then((all) => {
    box.removeEventListener("keydown", hold, true);
    if (!box.isConnected) return;
    box.querySelector(":scope > .hint").remove();
    fill(all);
    replay(held);
  }).catch((error) => {
    box.removeEventListener("keydown", hold, true);
    box.querySelector(":scope > .hint")?.replaceChildren(t("load_failed", { reason: error.message }));
  });
  return box;
}

/// Does what keys would have done, had they come now: each goes to where the focus is by then.
function replay(keys) {
  let written;
  const done = () => { written?.dispatchEvent(new Event("change", { bubbles: true })); written = undefined; };
  for (const { key, code, shiftKey, ctrlKey, metaKey, altKey } of keys) {
    if (key.length > 1) done();
    const target = document.activeElement ?? document.body;
    const isFree = target.dispatchEvent(new KeyboardEvent("keydown", { key, code, shiftKey, ctrlKey, metaKey, altKey, bubbles: true, cancelable: true }));
    if (!isFree || key.length > 1 || ctrlKey || metaKey || altKey || !target.matches("input, textarea") || typeof target.selectionStart !== "number") continue;
    target.setRangeText(key, target.selectionStart, target.selectionEnd, "end");
    target.dispatchEvent(new Event("input", { bubbles: true }));
    written = target;
  }
  done();
}
