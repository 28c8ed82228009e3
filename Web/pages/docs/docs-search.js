// Narrows the endpoints shown to those that hold every word typed; opens the one the address names.
class DocsSearch extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.input = this.querySelector("input");
    this.none = this.querySelector("[data-none]");
    this.input.addEventListener("input", () => this.narrow());
    addEventListener("hashchange", () => this.open());
    this.open();
    this.narrow();
  }

  narrow() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const operation of document.querySelectorAll(".docs-operation")) {
      operation.hidden = !words.every((word) => operation.dataset.find.includes(word));
      if (!operation.hidden) shown += 1;
    }
    this.none.textContent = shown === 0 ? this.none.dataset.none : "";
  }

  open() {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }
}

customElements.define("docs-search", DocsSearch);
