// Search over everything in the console: Ctrl-K or Cmd-K opens it, arrows choose, Enter opens. The server finds and the reader's rights decide.
const PAUSE_MS = 120;

class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.input = this.querySelector("input");
    this.list = this.querySelector("ul");
    this.state = this.querySelector(".state");
    this.onKey = (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.dialog.open ? this.dialog.close() : this.show();
    };
    if (!this.hasAttribute("data-keyless")) document.addEventListener("keydown", this.onKey);
    this.querySelector(".opener").addEventListener("click", () => this.show());
    this.input.addEventListener("input", () => this.askSoon());
    this.input.addEventListener("keydown", (event) => this.move(event));
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    clearTimeout(this.timer);
  }

  show() {
    this.input.value = "";
    this.render([]);
    this.state.textContent = "";
    this.dialog.showModal();
    this.ask();
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE_MS);
  }

  async ask() {
    const wanted = this.input.value.trim();
    const turn = this.turn = Symbol();
    this.list.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${this.dataset.source}?q=${encodeURIComponent(wanted)}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const hits = (await answer.json()).data;
      if (this.turn !== turn) return;
      this.render(hits);
      this.state.textContent = hits.length ? "" : this.state.dataset.none;
    } catch {
      if (this.turn !== turn) return;
      this.render([]);
      this.state.textContent = this.state.dataset.failed;
    }
    this.list.removeAttribute("aria-busy");
  }

  render(hits) {
    this.list.replaceChildren(...hits.map((hit, index) => {
      const item = document.createElement("li");
      item.setAttribute("role", "presentation");
      const link = document.createElement("a");
      link.id = `palette-${index}`;
      link.setAttribute("role", "option");
      link.href = hit.href;
      link.tabIndex = -1;
      for (const [kind, text] of [["title", hit.title], ["detail", hit.detail], ["kind", hit.label]]) {
        const part = document.createElement("span");
        part.className = kind;
        part.textContent = text;
        if (text) link.append(part, " ");
      }
      item.append(link);
      item.addEventListener("pointermove", () => this.choose(index));
      return item;
    }));
    this.choose(0);
  }

  choose(index) {
    const items = [...this.list.querySelectorAll("a")];
    this.chosen = items.length ? (index + items.length) % items.length : -1;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === this.chosen)));
    if (this.chosen < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", items[this.chosen].id);
    items[this.chosen].scrollIntoView({ block: "nearest" });
  }

  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.choose(this.chosen + step);
    } else if (event.key === "Escape") {
      // A search field would take the first one to empty itself.
      event.preventDefault();
      this.dialog.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.list.querySelectorAll("a")[this.chosen]?.click();
    }
  }
}

customElements.define("command-palette", CommandPalette);
