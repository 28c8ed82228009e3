// A field that names one of the tenant's things: chosen from a list that is searched while one types, or written as it is.
import { h, t, uid } from "./dom.js";

const PAUSE_MS = 180;
const known = new Map();

/// What is at an address for some words; asked once, and again after a while.
async function ask(api, path, search) {
  const key = `${path} ${search}`;
  const before = known.get(key);
  if (before && Date.now() - before.at < 10_000) return before.found;
  const found = api.resources(path, search);
  known.set(key, { at: Date.now(), found });
  found.catch(() => known.delete(key));
  return found;
}

/// The name of a thing by its value, where a list that was asked for holds it.
export async function nameOf(api, path, value) {
  const { data } = await ask(api, path, "");
  return data.find((one) => one.value === value)?.name;
}

/// A combobox. `shown` is what stands in it at first; `take` hears {value, name} of what is chosen, `write` what was only written.
export function searching({ api, path, id, shown, disabled, label, take, write }) {
  const list = h("ul.completions", { id: uid("resources"), role: "listbox", "aria-label": label, hidden: true });
  const input = h("input", { type: "text", id, disabled, value: shown, autocomplete: "off", spellcheck: "false", role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list", placeholder: t("resource_search") });
  const state = h("span.hint", { role: "status" });
  let found = [];
  let current = -1;
  let asked;
  let last = shown;
  const close = () => { list.hidden = true; current = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); state.textContent = ""; };
  const mark = (index) => {
    current = found.length ? (index + found.length) % found.length : -1;
    [...list.querySelectorAll("[role=option]")].forEach((one, at) => one.setAttribute("aria-selected", String(at === current)));
    const option = list.querySelectorAll("[role=option]")[current];
    if (!option) return;
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const choose = (index) => {
    const one = found[index];
    if (!one) return;
    last = one.name;
    input.value = one.name;
    close();
    take(one);
  };
  const search = async (words) => {
    const own = Symbol("asked");
    asked = own;
    if (!list.children.length) list.replaceChildren(...[0, 1, 2].map(() => h("li.skeleton", { role: "presentation", "aria-hidden": "true" })));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    state.textContent = t("loading");
    try {
      const answer = await ask(api, path(), words);
      if (asked !== own || document.activeElement !== input) return;
      found = answer.data;
      list.replaceChildren(...found.map((one, index) => h("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); choose(index); } },
        h("span", {}, one.name), one.detail ? h("span.sub", {}, ` ${one.detail}`) : undefined)));
      state.textContent = found.length ? (answer.more ? t("resource_more") : "") : t("nothing_found");
      list.hidden = !found.length;
      if (found.length) mark(0);
    } catch (error) {
      if (asked !== own) return;
      close();
      state.textContent = error.message;
    }
  };
  input.addEventListener("input", () => {
    write?.(input.value);
    clearTimeout(input.timer);
    input.timer = setTimeout(() => search(input.value.trim()), PAUSE_MS);
  });
  const open = () => { if (list.hidden) search(""); };
  input.addEventListener("click", open);
  input.addEventListener("blur", () => {
    asked = undefined;
    clearTimeout(input.timer);
    close();
    // What is only begun names nothing.
    if (!write && input.value !== last) { if (input.value === "") { last = ""; take({ value: "", name: "" }); } else input.value = last; }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open(); else mark(current + (event.key === "ArrowDown" ? 1 : -1));
      return;
    }
    if (list.hidden) return;
    if (event.key === "Enter" || (event.key === "Tab" && current >= 0 && input.value !== last && !write)) { if (current >= 0) { event.preventDefault(); choose(current); } }
    if (event.key === "Escape") { event.preventDefault(); if (!write) input.value = last; close(); }
  });
  return { input, parts: [h("div.with-list", {}, input, list), state], rename: (name) => { last = name; if (document.activeElement !== input) input.value = name; } };
}
