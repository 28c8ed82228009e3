// Items as a table, as JSON and as a schema; fields can be dragged into parameters.
import { own } from "./document.js";
import { button, h, keepingFocus, skeleton, t } from "./dom.js";

const ROWS = 100;
const DEPTH = 6;
const LETTERS = 200_000;

/// The expression that names a field: `$json.a.b[0]`.
const pathText = (path) => `$json${path.map((key) => (typeof key === "number" ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join("")}`;

export class DataView {
  /// - title: of the column; `onItem` hears which item is looked at; `onPick` hears the path of a field that is chosen.
  constructor(title, { onItem = () => {}, onPick } = {}) {
    this.onItem = onItem;
    this.onPick = onPick;
    this.mode = "table";
    this.items = [];
    this.item = 0;
    this.tabs = h("div.tabs", { role: "group", "aria-label": t("shown_as", { name: title }) });
    this.body = h("div.data-body", { tabindex: "0", role: "group", "aria-label": title });
    this.foot = h("p.hint", {});
    this.extra = h("div.extra", {});
    this.element = h("section.data", { "aria-label": title }, h("header", {}, h("h3", {}, title), this.tabs), this.extra, this.body, this.foot);
  }

  show(items, empty = t("no_items")) {
    this.items = items ?? [];
    this.empty = empty;
    this.item = Math.min(this.item, Math.max(0, this.items.length - 1));
    this.draw();
  }

  /// What is on its way.
  wait() {
    this.items = [];
    this.foot.textContent = t("loading");
    this.body.replaceChildren(skeleton(5));
  }

  draw() { keepingFocus(this.element, () => this.redraw()); }

  redraw() {
    this.tabs.replaceChildren(...["table", "json", "schema"].map((mode) =>
      button(t(`as_${mode}`), () => { this.mode = mode; this.draw(); }, { "aria-pressed": String(this.mode === mode) })));
    const values = this.items.map((item) => item?.json ?? item);
    if (!values.length) {
      this.body.replaceChildren(h("p.hint", {}, this.empty));
      this.foot.textContent = "";
      return;
    }
    this.foot.textContent = values.length > ROWS && this.mode === "table" ? t("first_items", { count: ROWS, other: values.length }) : values.length === 1 ? t("one_item") : t("items", { count: values.length });
    this.body.replaceChildren({ table: () => this.table(values), json: () => h("pre", {}, written(values)), schema: () => this.schema(values) }[this.mode]());
  }

  table(values) {
    const columns = [...new Set(values.slice(0, ROWS).flatMap((value) => Object.keys(value ?? {})))].slice(0, 40);
    const rows = values.slice(0, ROWS).map((value, index) => h("tr", { "aria-selected": String(index === this.item), onclick: () => this.chooseItem(index) },
      h("th", { scope: "row" }, h("button.plain", { type: "button", "aria-label": t("look_at_item", { count: index }), "aria-pressed": String(index === this.item) }, String(index))),
      ...columns.map((column) => h("td", {}, short(own(value, column))))));
    return h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), ...columns.map((column) => h("th", { scope: "col" }, this.field([column], column))))), h("tbody", {}, ...rows));
  }

  chooseItem(index) {
    this.item = index;
    this.draw();
    this.onItem(index);
  }

  schema(values) {
    const branch = (value, path, depth) => {
      if (depth > DEPTH || value === null || typeof value !== "object") return undefined;
      const entries = Array.isArray(value) ? (value.length ? [[0, value[0]]] : []) : Object.entries(value);
      return h("ul.schema", {}, ...entries.slice(0, 100).map(([key, one]) => h("li", {},
        this.field([...path, key], String(key)), h("span.type", {}, Array.isArray(one) ? "array" : one === null ? "null" : typeof one),
        typeof one === "object" ? undefined : h("span.sample", {}, short(one)), branch(one, [...path, key], depth + 1))));
    };
    return branch(values[this.item] ?? values[0], [], 0) ?? h("p.hint", {}, t("no_fields"));
  }

  field(path, label) {
    const text = `{{ ${pathText(path)} }}`;
    if (!this.onPick) return h("span.field-name", {}, label);
    return h("button.field-name", {
      type: "button", draggable: "true", title: text, "aria-label": t("use_field", { name: label }),
      ondragstart: (event) => { event.dataTransfer.setData("text/x-aias-field", text); event.dataTransfer.setData("text/plain", text); },
      onclick: (event) => { event.stopPropagation(); this.onPick(text); },
    }, label);
  }
}

/// The items as JSON, no more of them than is shown: a text of all may be longer than there is memory. What is cut off ends in dots.
export function written(values, most = LETTERS) {
  const parts = [];
  let length = 0;
  for (const value of values) {
    if (length > most) break;
    parts.push(`  ${JSON.stringify(value ?? null, null, 2).replaceAll("\n", "\n  ")}`);
    length += parts.at(-1).length + 2;
  }
  const text = `[\n${parts.join(",\n")}`;
  return text.length > most || parts.length < values.length ? `${text.slice(0, most)}…` : `${text}\n]`;
}

function short(value) {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
