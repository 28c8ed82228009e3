// A credential made in place: its fields come from its type's declaration.
import { once } from "./api.js";
import { freeName } from "./document.js";
import { button, dialog, h, t, uid } from "./dom.js";

export async function openCredential(editor, type, name, onMade) {
  let asked;
  try {
    asked = await Promise.all([
      once(editor, "credentialTypes", () => editor.api.credentialTypes()), once(editor, "credentialList", () => editor.api.credentials())]);
  } catch (error) {
    editor.toolbar.say(error.message);
    return;
  }
  const [types, known] = asked;
  const declared = types.find((one) => one.type === type);
  if (!declared) { editor.toolbar.say(t("unknown_credential_type", { name: type })); return; }
  const title = h("input", { id: uid("credential-name"), type: "text", value: freeName(name ?? declared.title, new Set(known.filter((one) => one.type === type).map((one) => one.name))), maxlength: 200 });
  const control = ({ kind, secret, default_value: value = "" }) => {
    const id = uid("secret");
    if (kind === "boolean") return h("input", { id, type: "checkbox", checked: value === "true" });
    if (kind === "json") return h("textarea.mono", { id, rows: 5, spellcheck: "false", autocomplete: "off", value });
    return h("input", { id, type: secret ? "password" : kind === "number" ? "number" : "text", autocomplete: "off", value });
  };
  const controls = new Map(declared.fields.map((field) => [field.name, control(field)]));
  const fault = h("p.fault", { role: "alert" });
  const fields = declared.fields.map((field) => {
    const holder = controls.get(field.name);
    if (field.kind === "boolean") return h("label.tick", {}, holder, h("span", {}, field.label));
    return h("div.field", {}, h("label", { for: holder.id }, field.label, field.required ? " *" : ""), holder);
  });
  const save = button(t("save_credential"), async () => {
    const values = {};
    for (const field of declared.fields) {
      const { value, checked } = controls.get(field.name);
      // Of what is off and has no default the node decides by itself, as SMTP by its port.
      if (field.kind === "boolean") { if (checked || field.default_value) values[field.name] = checked; }
      else if (value !== "") values[field.name] = field.kind === "number" ? Number(value) : value;
    }
    save.disabled = true;
    try {
      const made = await editor.api.createCredential({ type, name: title.value, fields: values });
      onMade(made);
      box.close();
    } catch (error) {
      fault.textContent = [...new Set([error.message, ...(error.faults ?? []).map((one) => one.message)])].join(" ");
    } finally {
      save.disabled = false;
    }
  }, { kind: "primary" });
  const box = dialog(declared.title, [h("div.field", {}, h("label", { for: title.id }, t("name")), title), ...fields, fault, h("p.buttons", {}, save)]);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.repeat || !event.target.matches("input:not([type=checkbox])")) return;
    event.preventDefault();
    save.click();
  });
}
