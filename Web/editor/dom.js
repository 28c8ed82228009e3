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
export const t = (key, values = {}) => (strings[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/// Says something to those who hear the page.
let voice;
export function announce(text) {
  if (!voice) document.body.append(voice = h("div.visually-hidden", { role: "status", "aria-live": "polite", id: "announcements" }));
  voice.textContent = "";
  requestAnimationFrame(() => { voice.textContent = text; });
}

export const button = (label, onclick, attributes = {}) =>
  h(`button.button.small${attributes.kind ? `.${attributes.kind}` : ""}`, { type: "button", onclick, ...attributes, kind: undefined }, label);

let serial = 0;
export const uid = (stem) => `${stem}-${(serial += 1)}`;

/// Opens a dialog that goes when it closes, and gives the focus back.
export function dialog(title, content, { kind = "", onclose = () => {} } = {}) {
  const id = uid("dialog");
  const before = document.activeElement;
  const element = h(`dialog.sheet${kind ? `.${kind}` : ""}`, { "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), button(t("close"), () => element.close(), { "data-close": true })), ...[content].flat());
  element.addEventListener("close", () => {
    element.remove();
    onclose();
    // Unless what was chosen has put the focus elsewhere by now.
    if (document.activeElement === document.body && before?.isConnected) before.focus({ preventScroll: true });
  });
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  element.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(element);
  element.showModal();
  // To what there is to fill in; on a touch screen that would open the keyboard.
  if (!matchMedia("(pointer: coarse)").matches) element.querySelector(":scope > :not(header) :is(input, select, textarea):enabled, :scope > :is(input, select, textarea):enabled")?.focus();
  return element;
}
