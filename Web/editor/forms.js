// Forms made from a kind's declaration: each field shows a value, or the expression in its place with what it gives for the chosen item.
import { button, h, keepingFocus, t, uid } from "./dom.js";
import { completing } from "./completion.js";
import { isExpression, isShown } from "./kinds.js";
import { nameOf, searching } from "./resources.js";

const OPERATIONS = {
  string: ["exists", "notExists", "empty", "notEmpty", "equals", "notEquals", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith", "regex", "notRegex"],
  number: ["exists", "notExists", "empty", "notEmpty", "equals", "notEquals", "gt", "lt", "gte", "lte"],
  dateTime: ["exists", "notExists", "empty", "notEmpty", "equals", "notEquals", "after", "before", "afterOrEquals", "beforeOrEquals"],
  boolean: ["exists", "notExists", "empty", "notEmpty", "true", "false", "equals", "notEquals"],
  array: ["exists", "notExists", "empty", "notEmpty", "contains", "notContains", "lengthEquals", "lengthNotEquals", "lengthGt", "lengthLt", "lengthGte", "lengthLte"],
  object: ["exists", "notExists", "empty", "notEmpty"],
};
const SINGLE = new Set(["exists", "notExists", "empty", "notEmpty", "true", "false"]);
const TYPES = ["string", "number", "boolean", "array", "object"];
const id4 = () => crypto.getRandomValues(new Uint32Array(2)).join("-");

export class Form {
  /// `context`: {node, version, api, disabled, change(config), preview(text) → Promise<{value, error}>, focus(field)}
  constructor(declarations, context) {
    this.declarations = declarations;
    this.context = context;
    this.element = h("div.form-fields");
    this.previews = [];
  }

  draw() {
    this.previews = [];
    const { node } = this.context;
    const seen = new Set();
    const fields = this.fields(this.declarations, node.config, (name, value) => this.context.change(put(this.context.node.config, name, value)), seen);
    this.element.replaceChildren(...(fields.length ? fields : [h("p.hint", {}, t("no_parameters"))]));
  }

  /// The fields of a set of parameters whose values stand in `values`.
  fields(declarations, values, set, seen = new Set()) {
    return declarations.filter((one) => {
      if (seen.has(one.name) || !isShown(one, values, declarations, this.context.node)) return false;
      seen.add(one.name);
      return true;
    }).map((one) => this.field(one, values?.[one.name], (value) => set(one.name, value)));
  }

  field(parameter, value, set) {
    const id = uid("field");
    if (parameter.kind === "notice") return h("p.hint", {}, parameter.label);
    if (["collection", "list", "filter", "assignments"].includes(parameter.kind)) return this.group(parameter, value, set);
    if (parameter.kind === "resource_locator") return this.locator(parameter, value, set, id);
    const current = value ?? parameter.default_value;
    return this.labelled(id, parameter.label, parameter.help, parameter.is_required, current, set, (plain) => this.plain(parameter, plain, set, id));
  }

  /// A label, a switch between value and expression, and the control.
  labelled(id, label, help, required, current, set, makePlain) {
    const { disabled } = this.context;
    const holder = h("div.control");
    let expression = isExpression(current);
    const toggle = h("button.fx", { type: "button", disabled, "aria-label": t("expression_for", { name: label }) }, "fx");
    const show = (value) => {
      toggle.setAttribute("aria-pressed", String(expression));
      holder.replaceChildren(...(expression ? this.expression(id, value, set, label) : [makePlain(value)]));
    };
    toggle.addEventListener("click", () => {
      expression = !expression;
      const now = this.latest?.get(id) ?? current;
      const next = expression ? `=${now === undefined || typeof now === "object" ? "" : now}` : typeof now === "string" ? now.replace(/^=/, "") : now;
      set(next);
      show(next);
      holder.querySelector("textarea, input, select")?.focus();
    });
    this.latest ??= new Map();
    const remember = set;
    set = (value) => { this.latest.set(id, value); remember(value); };
    show(current);
    const field = h("div.field", { "data-field": label }, h("div.label", {}, h("label", { for: id }, label, required ? h("span", { "aria-hidden": "true" }, " *") : ""), toggle), holder,
      help ? h("span.hint", {}, help) : undefined);
    field.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("text/x-aias-field")) { event.preventDefault(); field.classList.add("over"); } });
    field.addEventListener("dragleave", () => field.classList.remove("over"));
    const insert = (text) => {
      const now = String(this.latest.get(id) ?? (typeof current === "object" ? "" : current ?? ""));
      const area = holder.querySelector("textarea, input");
      const at = expression && area?.selectionStart !== undefined && document.activeElement === area ? area.selectionStart + 1 : now.length;
      const next = isExpression(now) ? now.slice(0, at) + text + now.slice(at) : `=${now}${text}`;
      expression = true;
      set(next);
      show(next);
    };
    field.addEventListener("drop", (event) => {
      const text = event.dataTransfer.getData("text/x-aias-field");
      field.classList.remove("over");
      if (!text || disabled) return;
      event.preventDefault();
      insert(text);
    });
    field.addEventListener("focusin", () => { this.context.focus?.(insert); });
    return field;
  }

  expression(id, value, set, label) {
    const area = h("textarea.mono", { id, rows: Math.min(10, Math.max(1, String(value).split("\n").length)), spellcheck: "false", disabled: this.context.disabled, "aria-describedby": `${id}-preview` });
    area.value = String(value).slice(1);
    const preview = h("output.result", { id: `${id}-preview`, for: id });
    const look = () => this.preview(preview, `=${area.value}`);
    area.addEventListener("input", () => { set(`=${area.value}`); clearTimeout(area.timer); area.timer = setTimeout(look, 250); });
    this.previews.push(look);
    look();
    const choices = this.context.scope && !this.context.disabled ? completing(area, this.context.scope) : undefined;
    return [h("div.expression", {}, area, choices), preview];
  }

  async preview(output, text) {
    const ask = Symbol("ask");
    output.ask = ask;
    const { value, error } = await this.context.preview(text);
    if (output.ask !== ask) return;
    output.classList.toggle("fault", Boolean(error));
    output.textContent = error ? error.message : value === null || value === undefined ? t("gives_nothing") : typeof value === "string" ? value : JSON.stringify(value);
  }

  refreshPreviews() { for (const look of this.previews) look(); }

  plain(parameter, value, set, id) {
    const { disabled } = this.context;
    if (parameter.kind === "boolean") return h("input", { type: "checkbox", id, checked: value === true, disabled, onchange: (event) => set(event.target.checked) });
    if (parameter.kind === "options" && parameter.options.length) {
      const select = h("select", { id, disabled, onchange: () => set(parameter.options[select.selectedIndex]?.value) },
        ...parameter.options.map((one) => h("option", {}, worded(one))));
      select.selectedIndex = parameter.options.findIndex((one) => one.value === value);
      return select;
    }
    if (parameter.kind === "number") {
      return h("input", { type: "number", step: "any", id, disabled, value: value ?? "", oninput: (event) => set(event.target.value === "" ? undefined : Number(event.target.value)) });
    }
    if (parameter.resource && this.context.api && this.place(parameter)) {
      return h("div.control", {}, ...searching({ api: this.context.api, path: () => this.place(parameter), id, disabled, label: parameter.label, shown: value ?? "", take: (one) => set(one.value), write: set }).parts);
    }
    const isCode = parameter.kind === "code" || parameter.kind === "json";
    const text = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);
    if (isCode || parameter.kind === "text" || text.includes("\n")) {
      const area = h(`textarea${isCode ? ".mono" : ""}`, { id, disabled, rows: isCode ? 10 : 4, spellcheck: isCode ? "false" : undefined, oninput: () => set(area.value) });
      area.value = text;
      if (parameter.kind === "code") area.addEventListener("keydown", (event) => indent(event, area, set));
      return area;
    }
    return h("input", { type: "text", id, disabled, value: text, autocomplete: "off", spellcheck: "false", oninput: (event) => this.typed(event.target, set) });
  }

  /// A value that begins with `{{` is meant as an expression.
  typed(input, set) { set(/\{\{.*\}\}/.test(input.value) && !isExpression(input.value) ? `=${input.value}` : input.value); }

  group(parameter, value, set) {
    const body = { collection: () => this.collection(parameter, value, set), list: () => this.list(parameter, value, set), filter: () => this.filter(value, set), assignments: () => this.assignments(value, set) }[parameter.kind]();
    return h("fieldset.group", {}, h("legend", {}, parameter.label), ...body, parameter.help ? h("span.hint", {}, parameter.help) : undefined);
  }

  /// Options that are there only where they were added. One that holds a list is always there.
  collection(parameter, value, set) {
    // As it is by now: several of its fields may change before it is drawn again.
    let current = value ?? parameter.default_value ?? {};
    const write = (name, next) => set(current = put(current, name, next));
    const { disabled } = this.context;
    const shown = parameter.fields.filter((one) => isShown(one, current, parameter.fields, this.context.node));
    const fixed = shown.length === 1 && shown[0].kind === "list";
    const there = shown.filter((one, index) => (fixed || one.name in current) && shown.findIndex((other) => other.name === one.name) === index);
    const absent = shown.filter((one) => !there.some((other) => other.name === one.name));
    const rows = there.map((one) => {
      const field = this.field(one, current[one.name], (next) => write(one.name, next));
      return fixed ? field : h("div.option", {}, field, button(t("remove"), () => this.redo(set, put(current, one.name, undefined)), { "aria-label": t("remove_of", { name: one.label }), disabled }));
    });
    if (absent.length && !disabled) {
      const add = h("select.add", { "aria-label": t("add_option_to", { name: parameter.label }) }, h("option", { value: "" }, t("add_option")), ...absent.map((one) => h("option", { value: one.name }, one.label)));
      add.addEventListener("change", () => {
        const chosen = absent.find((one) => one.name === add.value);
        if (chosen) this.redo(set, put(current, chosen.name, chosen.default_value ?? blank(chosen)));
      });
      rows.push(add);
    }
    return rows;
  }

  /// Changes and draws again, where what there is to show changes.
  redo(set, value) { set(value); keepingFocus(this.element, () => this.draw()); }

  /// Some of what a list may hold, each to be ticked.
  choices(parameter, value, set) {
    let chosen = Array.isArray(value) ? value : parameter.default_value ?? [];
    return parameter.options.map((one) => {
      const box = h("input", { type: "checkbox", checked: chosen.includes(one.value), disabled: this.context.disabled });
      box.addEventListener("change", () => {
        chosen = parameter.options.map((other) => other.value).filter((other) => (other === one.value ? box.checked : chosen.includes(other)));
        set(chosen);
      });
      return h("label.tick", {}, box, worded(one));
    });
  }

  list(parameter, value, set) {
    const { disabled } = this.context;
    if (!parameter.fields.length && parameter.options.length) return this.choices(parameter, value, set);
    const entries = [...(Array.isArray(value) ? value : Array.isArray(parameter.default_value) ? parameter.default_value : [])];
    const rows = entries.map((entry, index) => h("div.entry", {},
      ...this.fields(parameter.fields, entry, (name, next) => {
        entries[index] = put(entries[index], name, next);
        set([...entries]);
        if (parameter.fields.some((one) => one.show_when?.[name])) keepingFocus(this.element, () => this.draw());
      }),
      button(t("remove"), () => this.redo(set, entries.filter((_, at) => at !== index)), { disabled, "aria-label": t("remove_entry", { count: index + 1 }) })));
    rows.push(button(t("add_entry"), () => this.redo(set, [...entries, {}]), { disabled }));
    return rows;
  }

  assignments(value, set) {
    const { disabled } = this.context;
    const entries = [...(value?.assignments ?? [])];
    const write = () => set({ ...value, assignments: [...entries] });
    const rows = entries.map((entry, index) => {
      const change = (patch) => { entries[index] = { ...entries[index], ...patch }; write(); };
      const [name, worth] = [uid("name"), uid("value")];
      return h("div.entry.assignment", {},
        h("div.field", {}, h("label", { for: name }, t("field_name")), h("input", { id: name, type: "text", value: entry.name ?? "", disabled, spellcheck: "false", oninput: (event) => change({ name: event.target.value }) })),
        this.choice(t("type"), TYPES, entry.type ?? "string", (type) => change({ type })),
        this.labelled(worth, t("value"), undefined, false, entry.value, (next) => change({ value: next }),
          (plain) => this.plain({ kind: entry.type === "number" ? "number" : entry.type === "boolean" ? "boolean" : "string" }, plain, (next) => change({ value: next }), worth)),
        button(t("remove"), () => this.redo(set, { ...value, assignments: entries.filter((_, at) => at !== index) }), { disabled, "aria-label": t("remove_entry", { count: index + 1 }) }));
    });
    rows.push(button(t("add_field"), () => this.redo(set, { ...value, assignments: [...entries, { id: id4(), name: "", type: "string", value: "" }] }), { disabled }));
    return rows;
  }

  filter(value, set) {
    const { disabled } = this.context;
    let current = { options: { caseSensitive: true, leftValue: "", typeValidation: "strict", version: 2 }, combinator: "and", conditions: [], ...value };
    const conditions = [...current.conditions];
    const write = () => set({ ...current, conditions: [...conditions] });
    const rows = conditions.map((condition, index) => {
      const change = (patch) => { conditions[index] = { ...conditions[index], ...patch }; write(); };
      const [operations, rights] = [h("div.part"), h("div.part")];
      // A list that is being chosen from by typing stays: only what depends on it is drawn anew.
      const operator = (next) => {
        change({ operator: next });
        rights.replaceChildren(...(SINGLE.has(next.operation) ? [] : [side("rightValue", t("right"))]));
      };
      const chooseOperation = () => {
        const { type = "string", operation = "equals" } = conditions[index].operator ?? {};
        operations.replaceChildren(this.choice(t("operation"), OPERATIONS[type] ?? [operation], operation, (next) =>
          operator({ type: conditions[index].operator?.type ?? "string", operation: next, ...(SINGLE.has(next) ? { singleValue: true } : {}) })));
      };
      const side = (key, label) => {
        const id = uid("side");
        const isNumber = conditions[index].operator?.type === "number" && key === "rightValue";
        return this.labelled(id, label, undefined, false, conditions[index][key] ?? "", (next) => change({ [key]: next }),
          (plain) => this.plain({ kind: isNumber ? "number" : "string" }, plain, (next) => change({ [key]: next }), id));
      };
      const { type = "string", operation = "equals" } = condition.operator ?? {};
      chooseOperation();
      if (!SINGLE.has(operation)) rights.append(side("rightValue", t("right")));
      return h("div.entry.condition", {}, side("leftValue", t("left")),
        this.choice(t("type"), Object.keys(OPERATIONS), type, (next) => {
          const { operation: was = "equals" } = conditions[index].operator ?? {};
          operator({ type: next, operation: OPERATIONS[next].includes(was) ? was : OPERATIONS[next][4] ?? "exists" });
          chooseOperation();
        }), operations, rights,
        button(t("remove"), () => this.redo(set, { ...current, conditions: conditions.filter((_, at) => at !== index) }), { disabled, "aria-label": t("remove_entry", { count: index + 1 }) }));
    });
    if (conditions.length > 1) rows.unshift(this.choice(t("combinator"), ["and", "or"], current.combinator, (next) => set(current = { ...current, conditions: [...conditions], combinator: next })));
    rows.push(button(t("add_condition"), () => this.redo(set, { ...current, conditions: [...conditions, { id: id4(), leftValue: "", rightValue: "", operator: { type: "string", operation: "equals" } }] }), { disabled }));
    return rows;
  }

  choice(label, values, current, set) {
    const id = uid("choice");
    const select = h("select", { id, disabled: this.context.disabled, onchange: () => set(select.value) }, ...values.map((one) => h("option", { value: one }, t(`op_${one}`) === `op_${one}` ? one : t(`op_${one}`))));
    select.value = current;
    return h("div.field", {}, h("label", { for: id }, label), select);
  }

  /// Where the things are that a parameter can name; undefined for other parameters, and while nothing says of which table the columns are.
  place(parameter) {
    if (parameter.resource === "workflow") return "workflows";
    if (parameter.resource === "data_table") return "data-tables";
    if (parameter.resource !== "data_table_column") return undefined;
    const table = this.context.node.config.dataTableId;
    const id = table && typeof table === "object" ? table.value : table;
    return id && !isExpression(id) ? `data-tables/${encodeURIComponent(id)}/columns` : undefined;
  }

  /// From a list, searched by name, or by its id.
  resource(parameter, current, set, id) {
    const { disabled, api } = this.context;
    const mode = h("select.mode", { "aria-label": t("resource_mode", { name: parameter.label }), disabled }, h("option", { value: "list" }, t("resource_list")), h("option", { value: "id" }, t("resource_id")));
    mode.value = current.mode === "list" || !current.value ? "list" : "id";
    let now = current;
    const write = (patch) => { now = { ...now, __rl: true, ...patch }; set(now); };
    const holder = h("div.control");
    const draw = () => {
      if (mode.value === "id") {
        holder.replaceChildren(h("input", { type: "text", id, disabled, value: now.value ?? "", autocomplete: "off", spellcheck: "false", oninput: (event) => write({ value: event.target.value, mode: "id", cachedResultName: undefined }) }));
        return;
      }
      const field = searching({ api, path: () => this.place(parameter), id, disabled, label: parameter.label, shown: now.cachedResultName ?? now.value ?? "", take: (one) => { write({ value: one.value, mode: "list", cachedResultName: one.name }); this.refreshPreviews(); } });
      holder.replaceChildren(...field.parts);
      // It may have another name by now.
      const { value } = now;
      if (value) nameOf(api, this.place(parameter), value).then((name) => { if (name && now.value === value) field.rename(name); }, () => {});
    };
    mode.addEventListener("change", () => { if (now.value) write({ mode: mode.value }); draw(); holder.querySelector("input").focus(); });
    draw();
    return h("div.with-mode", {}, mode, holder);
  }

  locator(parameter, value, set, id) {
    if (parameter.resource && this.context.api) {
      const given = value && typeof value === "object" ? value : { __rl: true, mode: value ? "id" : "list", value: value ?? "" };
      const write = (next) => set(next && typeof next === "object" ? next : { ...given, __rl: true, value: next, mode: "id" });
      return this.labelled(id, parameter.label, parameter.help, parameter.is_required, isExpression(given.value) ? given.value : given, write, (plain) =>
        this.resource(parameter, plain && typeof plain === "object" ? plain : { ...given, value: plain ?? "", mode: plain ? "id" : "list" }, write, id));
    }
    const current = value && typeof value === "object" ? value : { __rl: true, mode: "id", value: value ?? "" };
    return this.labelled(id, parameter.label, parameter.help, parameter.is_required, current.value ?? "", (next) => set({ ...current, __rl: true, value: next, mode: current.mode ?? "id" }),
      (plain) => this.plain({ kind: "string" }, plain, (next) => set({ ...current, __rl: true, value: next, mode: current.mode === "list" ? "id" : current.mode ?? "id" }), id));
  }
}

/// An option's label in words: declarations that only have its name say nothing to people.
function worded({ label, value }) {
  if (label !== value || typeof value !== "string" || !/^[a-z]/.test(value)) return label;
  const known = t(`op_${value}`);
  if (known !== `op_${value}`) return known[0].toUpperCase() + known.slice(1);
  const words = value.replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").toLowerCase();
  return words[0].toUpperCase() + words.slice(1);
}

function put(object, name, value) {
  const next = { ...object };
  if (value === undefined) delete next[name];
  else next[name] = value;
  return next;
}

const blank = (parameter) => ({ boolean: false, number: 0, list: [], collection: {}, filter: {}, assignments: {} })[parameter.kind] ?? "";

/// Tab indents in code; Escape first lets Tab leave, as WCAG asks.
function indent(event, area, set) {
  if (event.key === "Escape" && !area.dataset.leave) { event.preventDefault(); area.dataset.leave = "1"; return; }
  if (event.key !== "Tab" || event.shiftKey || area.dataset.leave) { delete area.dataset.leave; return; }
  event.preventDefault();
  area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
  set(area.value);
}
