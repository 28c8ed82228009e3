// Asks a person something now and then: <asked-question data-source="…/question" data-target="…/answers"><template><form>…</form><p>…</p></template>.
// The source says whether it is due ({"is_due": true}); the form's score and comment go to the target, or nothing where it is put aside. Once it was
// not due, the browser's session asks no more.
const KEPT = "asked-question";
// Whose page this is: an answer goes to no other tenant.
const { tenant } = document.documentElement.dataset;
const place = tenant ? { "Page-Tenant": tenant } : {};

class AskedQuestion extends HTMLElement {
  connectedCallback() {
    if (!sessionStorage.getItem(KEPT)) this.ask();
  }

  async ask() {
    try {
      const answer = await fetch(this.dataset.source, { headers: { Accept: "application/json", ...place } });
      if (!answer.ok) return;
      if ((await answer.json()).is_due) this.show();
      else sessionStorage.setItem(KEPT, "1");
    } catch {
      // Away for a moment: the next page asks.
    }
  }

  show() {
    const parts = this.querySelector("template").content.cloneNode(true);
    this.form = parts.querySelector("form");
    this.thanks = parts.querySelector("[role=status]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const fields = new FormData(this.form);
      this.send({ score: Number(fields.get("score")), comment: fields.get("comment") }, true);
    });
    this.form.querySelector("[data-later]").addEventListener("click", () => this.send({}, false));
    this.append(this.form);
  }

  async send(body, isAnswer) {
    const fault = this.form.querySelector("[role=alert]");
    for (const button of this.form.querySelectorAll("button")) button.disabled = true;
    fault.hidden = true;
    try {
      const answer = await fetch(this.dataset.target, {
        method: "POST", headers: { "Content-Type": "application/json", ...place }, body: JSON.stringify(body),
      });
      // 409: it was answered in another window.
      const isAnswered = answer.status === 409 && (await answer.json()).code !== "other_tenant";
      if (!answer.ok && !isAnswered) throw new Error(String(answer.status));
      sessionStorage.setItem(KEPT, "1");
      this.form.remove();
      if (isAnswer) {
        this.append(this.thanks);
        this.thanks.focus();
      }
    } catch {
      for (const button of this.form.querySelectorAll("button")) button.disabled = false;
      fault.hidden = false;
    }
  }
}

customElements.define("asked-question", AskedQuestion);
