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
  const controls = new Map(declared.fields.map((field) => [field.name, h("input", {
    id: uid("secret"), type: field.secret ? "password" : field.kind === "number" ? "number" : "text", autocomplete: "off", value: field.default_value ?? "",
  })]));
  const fault = h("p.fault", { role: "alert" });
  const fields = declared.fields.map((field) => h("div.field", {}, h("label", { for: controls.get(field.name).id }, field.label, field.required ? " *" : ""), controls.get(field.name)));
  const save = button(t("save_credential"), async () => {
    const values = {};
    for (const field of declared.fields) {
      const { value } = controls.get(field.name);
      if (value !== "") values[field.name] = field.kind === "number" ? Number(value) : field.kind === "boolean" ? value === "true" : value;
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
}
