// A list to choose from by typing: the palette of kinds, the jump to a node, the targets of a connection.
import { h, t, dialog, skeleton, uid } from "./dom.js";

const SHOWN = 60;

/// `items` are {title, sub?, group?, words?, pick}, or a promise of them: what is typed until they come counts when they are there.
export function pick(title, items, { placeholder = t("search"), none = t("nothing_found") } = {}) {
  let waits = items instanceof Promise;
  let early = false;
  let failed;
  const list = h("ul.choices", { role: "listbox", id: uid("choices"), "aria-label": title });
  const empty = h("p.hint", { role: "status", hidden: true });
  const input = h("input", {
    type: "search", placeholder, "aria-label": placeholder, role: "combobox", "aria-expanded": "true", "aria-controls": list.id, autocomplete: "off",
  });
  let found = [];
  let current = 0;
  const box = dialog(title, [input, list, empty], { kind: "picker" });

  const choose = (index) => {
    const item = found[index];
    if (!item) return;
    box.close();
    item.pick();
  };
  const mark = (index) => {
    current = Math.max(0, Math.min(found.length - 1, index));
    for (const option of list.querySelectorAll("[role=option]")) {
      const here = Number(option.dataset.index) === current;
      option.setAttribute("aria-selected", String(here));
      if (here) { option.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", option.id); }
    }
  };
  const show = () => {
    empty.textContent = failed ?? (waits ? t("loading") : items.length ? t("nothing_found") : none);
    found = rank(waits ? [] : items, input.value).slice(0, SHOWN);
    list.replaceChildren(...(waits ? [h("li", { role: "presentation" }, skeleton(5))] : []));
    let group;
    found.forEach((item, index) => {
      if (!input.value && item.group && item.group !== group) {
        group = item.group;
        list.append(h("li.group", { role: "presentation" }, group));
      }
      list.append(h("li", { role: "option", id: `${list.id}-${index}`, "data-index": index, onclick: () => choose(index), onpointermove: () => mark(index) },
        h("span.title", {}, item.title), item.sub ? h("span.sub", {}, item.sub) : undefined));
    });
    empty.hidden = found.length > 0;
    mark(0);
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) { event.preventDefault(); mark(current + step); }
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (event.repeat) return;
    if (waits) early = true;
    else choose(current);
  });
  show();
  input.focus();
  if (waits) {
    items.then((list) => {
      [items, waits] = [list, false];
      if (!box.isConnected) return;
      show();
      if (early) choose(0);
    }, (error) => {
      [items, waits, failed] = [[], false, error.message];
      show();
    });
  }
  return box;
}

/// Those in which every word occurs; a word at a title's beginning counts most.
export function rank(items, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return items;
  return items.map((item, at) => {
    const title = item.title.toLowerCase();
    const rest = `${item.sub ?? ""} ${item.words ?? ""}`.toLowerCase();
    let cost = 0;
    for (const word of words) {
      if (title.startsWith(word)) cost += 0;
      else if (title.includes(word)) cost += 1;
      else if (rest.includes(word)) cost += 3;
      else return undefined;
    }
    return { item, cost, at };
  }).filter(Boolean).sort((a, b) => a.cost - b.cost || a.at - b.at).map((one) => one.item);
}
