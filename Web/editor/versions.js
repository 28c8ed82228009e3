// Publishing, the versions there are, what differs between two of them, and the way back.
import * as commands from "./commands.js";
import { Doc } from "./document.js";
import { difference } from "./merge.js";
import { bounds, curve, portY, size } from "./geometry.js";
import { announce, button, h, moment, s, t } from "./dom.js";

/// What stands in the dialog that publishes.
export function publication(editor, box) {
  const name = h("input", { type: "text", id: "version-name", maxlength: 100, autocomplete: "off" });
  const note = h("textarea", { id: "version-note", rows: 3, maxlength: 1000 });
  const faults = h("ul.faults", { role: "alert" });
  const submit = button(t("publish"), async () => {
    submit.disabled = true;
    try {
      if (!(await editor.saving.save())) { faults.replaceChildren(h("li", {}, t("save_first"))); return; }
      const version = await editor.api.publish(name.value.trim(), note.value.trim());
      editor.workflow.published_version = version.number;
      editor.faults = undefined;
      editor.refresh();
      box.close();
      editor.toolbar.say(t("published", { count: version.number }));
    } catch (error) {
      showFaults(editor, error);
      faults.replaceChildren(...(error.faults.length ? error.faults : [error]).map((fault) => h("li", {}, fault.message)));
    } finally {
      submit.disabled = false;
    }
  }, { kind: "primary" });
  return [h("p", {}, t("publish_hint")), h("div.field", {}, h("label", { for: "version-note" }, t("version_note")), note), h("div.field", {}, h("label", { for: "version-name" }, t("version_name")), name), faults, h("p.buttons", {}, submit)];
}

/// Marks the nodes that faults speak of.
function showFaults(editor, error) {
  const nodes = [...editor.doc.nodes.values()];
  editor.faults = new Map();
  for (const fault of error.faults ?? []) {
    const node = nodes[Number(/^nodes\[(\d+)\]/.exec(fault.field)?.[1])];
    if (node && !editor.faults.has(node.id)) editor.faults.set(node.id, fault.message);
  }
  editor.refresh();
}

/// What stands in the dialog of versions.
export function versions(editor, rows, box) {
  const called = (row) => [t("version_of", { count: row.number }), row.name].filter(Boolean).join(" · ");
  const options = () => [h("option", { value: "draft" }, t("draft")), ...rows.map((row) => h("option", { value: row.number }, called(row)))];
  const before = h("select", { "aria-label": t("compare_before") }, ...options());
  const after = h("select", { "aria-label": t("compare_after") }, ...options());
  before.value = String(rows[0]?.number ?? "draft");
  const result = h("div.comparison", { role: "status" });
  const load = async (value) => (value === "draft" ? editor.doc.toJSON() : (await editor.api.version(value)).document);
  let asked;
  const compare = async () => {
    const own = Symbol("asked");
    asked = own;
    try {
      const [a, b] = await Promise.all([load(before.value), load(after.value)]);
      if (asked === own) result.replaceChildren(...comparison(editor, new Doc(a).toJSON(), new Doc(b).toJSON()));
    } catch (error) {
      if (asked === own) result.replaceChildren(h("p.fault", {}, error.message));
    }
  };
  const list = rows.map((row) => h("li", { "data-version": row.number },
    h("span.title", {}, called(row), row.number === editor.workflow.published_version ? h("span.status.published", {}, t("current")) : undefined),
    h("span.sub", {}, [moment(row.published_at), row.note].filter(Boolean).join(" · ")),
    editor.rights.publish ? button(t("version_label"), (event) => label(editor, row, event.currentTarget.closest("li"), box), { "aria-label": t("version_label_of", { count: row.number }) }) : undefined,
    editor.mayWrite ? button(t("roll_back"), async () => {
      try {
        const { document: json } = await editor.api.version(row.number);
        editor.run(t("do_roll_back", { count: row.number }), commands.replace(editor.doc, json));
        box.close();
        editor.toolbar.say(t("rolled_back", { count: row.number }));
      } catch (error) {
        result.replaceChildren(h("p.fault", {}, error.message));
      }
    }, { "aria-label": t("roll_back_to", { count: row.number }) }) : undefined));
  if (!rows.length) return h("p", {}, t("no_versions"));
  compare();
  return [h("ul.versions", {}, ...list), h("div.compare", {}, h("h3", {}, t("compare")), before, h("span", {}, "→"), after, button(t("compare"), compare)), result];
}

/// A version's name and note, to be changed in its place in the list.
function label(editor, row, entry, box) {
  const name = h("input", { type: "text", id: `label-name-${row.number}`, maxlength: 100, value: row.name ?? "", autocomplete: "off" });
  const note = h("textarea", { id: `label-note-${row.number}`, rows: 2, maxlength: 1000, value: row.note ?? "" });
  const fault = h("p.fault", { role: "alert" });
  const again = async () => box.replaceChildren(box.firstChild, ...[versions(editor, await editor.api.versions(), box)].flat());
  const save = async () => {
    try {
      await editor.api.label(row.number, name.value.trim(), note.value.trim());
      await again();
      announce(t("version_labelled"));
      box.querySelector(`[data-version="${row.number}"] button`)?.focus();
    } catch (error) {
      fault.textContent = error.message;
    }
  };
  entry.replaceChildren(h("div.label-form", {}, h("div.field", {}, h("label", { for: name.id }, t("version_name")), name), h("div.field", {}, h("label", { for: note.id }, t("version_note")), note), fault,
    h("p.buttons", {}, button(t("comment_save"), save, { kind: "primary" }), button(t("cancel"), again))));
  name.focus();
}

function comparison(editor, before, after) {
  const changes = difference(before, after);
  announce(changes.length ? t("changes", { count: changes.length }) : t("no_changes"));
  if (!changes.length) return [h("p", {}, t("no_changes"))];
  const marks = new Map(changes.filter((one) => one.id).map((one) => [one.id, one.what]));
  const rows = changes.map((one) => h(`li.${one.what}`, {}, h("strong", {}, one.name ?? t("document")), ` ${t(`change_${one.what}`)}`,
    ...(one.fields ?? []).map((field) => h("div.field-change", {}, h("span", {}, t("field_changed", { name: field })),
      h("pre.before", {}, shown(one.id ? one.before[field] : one.before)), h("pre.after", {}, shown(one.id ? one.after[field] : one.after))))));
  return [drawing(editor, before, after, marks), h("ul.changes", {}, ...rows)];
}

const shown = (value) => (value === undefined ? "–" : JSON.stringify(value, null, 1).slice(0, 2000));

/// Both documents in one drawing: what came, what went, and what is other.
function drawing(editor, before, after, marks) {
  const docs = [new Doc(before), new Doc(after)];
  const nodes = new Map([...docs[0].nodes, ...docs[1].nodes]);
  const box = (node) => {
    const ports = editor.kinds.of(node);
    return { x: node.position[0], y: node.position[1], ports, ...size(node, ports.inputs.length, ports.outputs.length) };
  };
  const boxes = new Map([...nodes].map(([id, node]) => [id, box(node)]));
  const edges = new Map();
  docs.forEach((doc, side) => doc.edges.forEach((edge) => edges.set(edge.key, { edge, sides: (edges.get(edge.key)?.sides ?? 0) + side + 1 })));
  const area = bounds([...boxes.values()]) ?? { x: 0, y: 0, width: 100, height: 100 };
  const svg = s("svg", { class: "preview diff", viewBox: `${area.x - 30} ${area.y - 30} ${area.width + 60} ${area.height + 60}`, role: "img", "aria-label": t("comparison_drawing") });
  for (const { edge, sides } of edges.values()) {
    const [a, b] = [boxes.get(edge.from), boxes.get(edge.to)];
    const [y1, y2] = [a.y + portY(a.height, a.ports.outputs.length, edge.output), b.y + portY(b.height, b.ports.inputs.length, edge.input)];
    svg.append(s("path", { d: curve(a.x + a.width, y1, b.x, y2), class: ["", "removed", "added", ""][sides] }));
  }
  for (const [id, node] of nodes) {
    const at = boxes.get(id);
    const text = s("text", { x: at.x + at.width / 2, y: at.y + at.height / 2 + 5, "text-anchor": "middle" });
    text.textContent = node.name.length > 24 ? `${node.name.slice(0, 23)}…` : node.name;
    svg.append(s("g", { class: `${node.type} ${marks.get(id) ?? ""}` }, s("rect", { x: at.x, y: at.y, width: at.width, height: at.height, rx: 10 }), text));
  }
  return svg;
}
