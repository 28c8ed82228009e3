// Takes a file into a field: <file-drop data-into="field's id" data-label="Choose a file" data-done="{name} is taken in"
// data-failed="{name} cannot be read">…</file-drop>. A file is dropped anywhere on what stands in it, or chosen by a button that is added;
// without scripts the field is written by hand.
class FileDrop extends HTMLElement {
  connectedCallback() {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".json,application/json";
    input.hidden = true;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small";
    button.textContent = this.dataset.label;
    button.addEventListener("click", () => input.click());
    this.status = document.createElement("span");
    this.status.setAttribute("role", "status");
    this.status.className = "hint";
    const line = document.createElement("p");
    line.className = "buttons";
    line.append(button, this.status, input);
    document.getElementById(this.dataset.into).after(line);
    input.addEventListener("change", () => {
      this.take(input.files[0]);
      // The same file can be chosen again once it was mended.
      input.value = "";
    });
    this.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.classList.add("over");
    });
    this.addEventListener("dragleave", () => this.classList.remove("over"));
    this.addEventListener("drop", (event) => {
      this.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.take(event.dataTransfer.files[0]);
    });
  }

  async take(file) {
    if (!file) return;
    const field = document.getElementById(this.dataset.into);
    try {
      field.value = await file.text();
    } catch {
      // A folder, or a file that went away.
      this.status.textContent = this.dataset.failed.replace("{name}", file.name);
      return;
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    this.status.textContent = this.dataset.done.replace("{name}", file.name);
  }
}

customElements.define("file-drop", FileDrop);
