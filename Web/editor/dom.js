// Makes elements; texts are always texts, and nothing here parses HTML.
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  fill(element, attributes);
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

export function s(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  fill(element, attributes);
  element.append(...children);
  return element;
}

function fill(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (["value", "checked", "disabled", "hidden", "open", "textContent"].includes(key)) element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
}

let strings = {};
export const setStrings = (all) => { strings = all; };
/// Numbers among the values are written as the language writes them.
export const t = (key, values = {}) => (strings[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => {
  const value = values[name] ?? whole;
  return typeof value === "number" ? value.toLocaleString(document.documentElement.lang || undefined) : value;
});

/// A time in the reader's own zone and words.
export const moment = (time, timeStyle = "short") => new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: "medium", timeStyle }).format(new Date(time));

/// Says something to those who hear the page.
let voice;
export function announce(text) {
  if (!voice) document.body.append(voice = h("div.visually-hidden", { role: "status", "aria-live": "polite", id: "announcements" }));
  voice.textContent = "";
  requestAnimationFrame(() => { voice.textContent = text; });
}

export const button = (label, onclick, attributes = {}) =>
  h(`button.button.small${attributes.kind ? `.${attributes.kind}` : ""}`, { type: "button", onclick, ...attributes, kind: undefined }, label);

/// Lines that stand for what is on its way.
export const skeleton = (count = 3) => h("div.skeletons", { "aria-hidden": "true" }, ...Array.from({ length: count }, () => h("div.skeleton", {})));

let serial = 0;
export const uid = (stem) => `${stem}-${(serial += 1)}`;

/// Opens a dialog that goes when it closes, and gives the focus back. All that closing means is done within `close`: the browser tells of a
/// closed dialog only later, after the keys that wait, and what is done then would undo what those keys did.
export function dialog(title, content, { kind = "", onclose = () => {} } = {}) {
  const id = uid("dialog");
  const before = document.activeElement;
  const element = h(`dialog.sheet${kind ? `.${kind}` : ""}`, { "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), button(t("close"), () => element.close(), { "data-close": true })), ...[content].flat());
  let over = false;
  const leave = () => {
    if (over) return;
    over = true;
    // A field tells of its change when it is left.
    if (element.contains(document.activeElement)) document.activeElement.blur();
    HTMLDialogElement.prototype.close.call(element);
    element.remove();
    onclose();
    if (document.activeElement === document.body) again(before)?.focus({ preventScroll: true });
  };
  element.close = leave;
  // By the browser's own ways, such as a gesture that goes back.
  element.addEventListener("cancel", (event) => { if (event.target === element) { event.preventDefault(); leave(); } });
  element.addEventListener("close", (event) => { if (event.target === element) leave(); });
  // Beside it from the press on: a text may be marked to beyond the edge, and the blank space within is part of it.
  let pressed = false;
  const isBeside = ({ target, clientX: x, clientY: y }) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return target === element && (x < left || x > right || y < top || y > bottom);
  };
  element.addEventListener("pointerdown", (event) => { pressed = isBeside(event); });
  element.addEventListener("click", (event) => { if (pressed && isBeside(event)) element.close(); });
  element.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    leave();
  });
  document.body.append(element);
  element.showModal();
  focusFirst(element);
  return element;
}

/// The element, or what was drawn in its stead since.
function again(element) {
  if (!element || element.isConnected) return element;
  for (const key of ["node", "row", "menu"]) {
    const found = element.dataset?.[key] && document.querySelector(`[data-${key}="${CSS.escape(element.dataset[key])}"]`);
    if (found) return found;
  }
  return undefined;
}

/// To what there is to fill in; on a touch screen that would open the keyboard.
export function focusFirst(element, within = ":scope > :not(header)") {
  if (matchMedia("(pointer: coarse)").matches) return;
  const fields = element.querySelectorAll(`${within} :is(input, select, textarea):enabled, :scope > :is(input, select, textarea):enabled`);
  const seen = [...fields].filter((field) => field.offsetParent);
  // Rather to where there is something to write than to a switch before it.
  (seen.find((field) => field.matches("textarea, input:not([type=checkbox], [type=radio])")) ?? seen[0])?.focus();
}

/// Has the field that is written in tell of its change, which it else does when it is left.
export function commit() {
  const field = document.activeElement;
  if (field?.matches("textarea, input:not([type=checkbox], [type=radio], [type=file])")) field.dispatchEvent(new Event("change", { bubbles: true }));
}

/// Draws something anew under somebody's hands: the focus and the caret stay where they were.
export function keepingFocus(element, draw) {
  const controls = () => [...element.querySelectorAll("input, select, textarea, button")];
  const active = document.activeElement;
  const at = controls().indexOf(active);
  const name = active?.closest?.("[data-field]")?.dataset.field;
  const caret = at >= 0 && active.selectionStart !== undefined ? [active.selectionStart, active.selectionEnd] : undefined;
  draw();
  if (at < 0 || active.isConnected) return;
  const all = controls();
  const fits = (one) => one?.tagName === active.tagName && one.closest("[data-field]")?.dataset.field === name;
  const next = fits(all[at]) ? all[at] : all.find(fits);
  // A list that is chosen from by typing knows what was typed: it stays itself.
  if (active.tagName === "SELECT" && next && !active.closest("fieldset") && active.textContent === next.textContent) {
    active.id = next.id;
    next.replaceWith(active);
    active.focus({ preventScroll: true });
    return;
  }
  next?.focus({ preventScroll: true });
  if (caret && typeof next?.selectionStart === "number") next.setSelectionRange(...caret);
}
