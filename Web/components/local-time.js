// Shows a time in the reader's own zone and words; the exact time in UTC stays as its title.
const FORMS = { hour: { hour: "numeric", minute: "2-digit" }, day: { day: "numeric", month: "short" } };

class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    if (!time || time.title) return;
    time.title = time.textContent;
    const options = FORMS[this.dataset.form] ?? { dateStyle: "medium", timeStyle: this.hasAttribute("data-exact") ? "medium" : "short" };
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, options).format(new Date(time.dateTime));
  }
}

customElements.define("local-time", LocalTime);
