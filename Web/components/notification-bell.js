// Shows how many notifications are unread: <notification-bell data-source="/v1/notifications/unread"><a>…<span class="count" hidden></span></a>.
// Asked when the page is shown and each minute after; without scripts the link alone is there.
const INTERVAL_MS = 60_000;

class NotificationBell extends HTMLElement {
  connectedCallback() {
    this.onShow = () => { if (document.visibilityState === "visible") this.ask(); };
    document.addEventListener("visibilitychange", this.onShow);
    this.timer = setInterval(this.onShow, INTERVAL_MS);
    this.ask();
  }

  disconnectedCallback() { this.rest(); }

  rest() {
    document.removeEventListener("visibilitychange", this.onShow);
    clearInterval(this.timer);
  }

  async ask() {
    try {
      const answer = await fetch(this.dataset.source, { headers: { Accept: "application/json" } });
      if (answer.ok) this.show((await answer.json()).count);
      // Signed out: nothing more is to be had on this page.
      if (answer.status === 401) this.rest();
    } catch {
      // Away for a moment: what was shown stays.
    }
  }

  show(count) {
    const mark = this.querySelector(".count");
    mark.textContent = count > 99 ? "99+" : String(count);
    mark.hidden = count === 0;
    this.querySelector("a").setAttribute("aria-label", count === 0 ? this.dataset.label : `${this.dataset.label} (${count})`);
  }
}

customElements.define("notification-bell", NotificationBell);
