// What is not needed at first is loaded when it is asked for, or when the browser has nothing else to do. A dialog stands at once
// nevertheless, and what is typed before its content has come goes to its first field.
import { dialog, focusFirst, h, t } from "./dom.js";

const LATER_MS = 1500;
const modules = new Map();
const paths = {
  panel: () => import("./panel.js"), versions: () => import("./versions.js"), merge: () => import("./merge.js"), comparison: () => import("./comparison.js"),
};

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

/// Fetches the rest while nothing else is done.
export function loadRest() {
  const rest = () => { for (const name of Object.keys(paths)) Promise.resolve(load(name)).catch(() => {}); };
  if (window.requestIdleCallback) requestIdleCallback(rest, { timeout: LATER_MS });
  else setTimeout(rest, LATER_MS);
}

/// Opens a dialog whose content needs what may still be on its way. `build` gets the needs and the dialog, and gives the content;
/// `first` names where the first field is looked for.
export function openLazily(title, options, needs, build, first) {
  const waits = needs.some((one) => one instanceof Promise);
  const box = dialog(title, waits ? h("p.hint", { role: "status" }, t("loading")) : [], options);
  const fill = (all) => {
    const content = build(...all, box);
    box.append(...[content].flat());
    focusFirst(box, first);
  };
  if (!waits) { fill(needs); return box; }
  const held = [];
  const hold = (event) => {
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    held.push(event.key);
  };
  box.tabIndex = -1;
  box.focus();
  box.addEventListener("keydown", hold);
  Promise.all(needs).then((all) => {
    box.removeEventListener("keydown", hold);
    if (!box.isConnected) return;
    box.querySelector(":scope > .hint").remove();
    fill(all);
    type(document.activeElement, held.join(""));
  }).catch((error) => { box.querySelector(":scope > .hint")?.replaceChildren(t("load_failed", { reason: error.message })); });
  return box;
}

function type(field, text) {
  if (!text || !field?.matches("input, textarea") || typeof field.selectionStart !== "number") return;
  field.setRangeText(text, field.value.length, field.value.length, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
