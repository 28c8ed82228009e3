// Who else is in the draft: in the bar, by their cursors and by what they have chosen or open. Told to the others and stored nowhere; whoever
// is not heard of any more has left.
import { announce, h, s, t } from "./dom.js";
import { token } from "../lib/live.js";
import { toScreen } from "./viewport.js";

/// Between two tellings for each window that is there beside this one, so that many together cost the tenant's rate no more than few; and
/// where nobody is known to be there.
const PAUSE_MS = 450;
const PAUSE_MOST_MS = 3000;
/// After the server asked to be left alone.
const REST_MS = 5000;
const BEAT_MS = 10_000;
/// A window in the background is slowed to one beat a minute.
const GONE_MS = 80_000;
const SEEN = 4;
const HUES = 6;

/// "ana.lee@example.com" is called "Ana Lee".
export function shortName(name) {
  const words = name.split("@")[0].split(/[.\-_+\s]+/).filter(Boolean);
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join(" ") || name;
}

export const initials = (name) => shortName(name).split(" ").map((word) => word[0]).slice(0, 2).join("");

export function hue(person) {
  let sum = 0;
  for (const letter of person) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  return sum % HUES;
}

export class Presence {
  constructor(editor) {
    Object.assign(this, { editor, session: token(), number: 0, others: new Map(), told: 0 });
    this.layer = h("div.others", { "aria-hidden": "true" });
    this.list = h("ul.people", { "aria-label": t("people_here"), hidden: true });
    editor.canvas.element.append(this.layer);
    editor.toolbar.endGroup.before(this.list);
    editor.onView = () => this.place();
    const area = editor.canvas.element;
    area.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") { this.cursor = editor.canvas.at(event); this.touch(); } });
    area.addEventListener("pointerleave", () => { this.cursor = undefined; this.touch(); });
    const { source } = editor.saving;
    source.addEventListener("presence", (event) => this.hear(JSON.parse(event.data).presence));
    // Told only where the answers are heard.
    source.addEventListener("open", () => { this.isOut = false; this.tell(); });
    if (source.readyState === EventSource.OPEN) this.tell();
    this.timer = setInterval(() => this.beat(), BEAT_MS / 2);
    addEventListener("pagehide", () => { clearInterval(this.timer); this.tell({ left: true }); });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  // MARK: Mine

  state() {
    const { editor, cursor } = this;
    return { cursor: cursor?.map(Math.round), nodes: [...editor.selection].slice(0, 50), open: editor.openID };
  }

  /// Something moved: told soon where somebody is there to see it.
  touch() {
    if (!this.others.size || this.waiting) return;
    this.waiting = setTimeout(() => { this.waiting = undefined; this.tell(); }, Math.max(0, this.told + Math.min(PAUSE_MOST_MS, PAUSE_MS * this.others.size) - Date.now()));
  }

  tell(more = {}) {
    if (this.isOut) return;
    this.told = Date.now();
    this.number += 1;
    // One that is lost is made up for by the next.
    this.editor.api.tellPresence({ session: this.session, number: this.number, ...this.state(), ...more }).catch((error) => {
      if (error.status === 429) this.told = Date.now() + REST_MS;
      // Signed out: told again when the stream is open again.
      if (error.status === 401) this.isOut = true;
    });
  }

  beat() {
    const now = Date.now();
    for (const [session, one] of this.others) if (now - one.heard > GONE_MS) this.leave(session);
    if (now - this.told >= BEAT_MS - 500) this.tell();
  }

  // MARK: Theirs

  hear(news) {
    if (news.session === this.session) return;
    const known = this.others.get(news.session);
    if (news.left) { this.leave(news.session); return; }
    if (known && known.number >= news.number) return;
    const one = { ...known, ...news, cursor: news.cursor, open: news.open, heard: Date.now(), hue: hue(news.person), short: shortName(news.name) };
    const first = ![...this.others.values()].some((other) => other.person === news.person);
    this.others.set(news.session, one);
    if (!known) {
      if (first) announce(t(news.number === 1 ? "person_joined" : "person_here", { name: one.short }));
      // So that they know of this one too; not all at the same moment.
      setTimeout(() => this.tell(), Math.random() * 300);
    }
    const moved = !known || known.open !== one.open || known.nodes.join() !== one.nodes.join();
    this.draw(one, moved);
  }

  leave(session) {
    const one = this.others.get(session);
    if (!one) return;
    this.others.delete(session);
    one.element?.remove();
    for (const frame of one.frames?.values() ?? []) frame.remove();
    if (![...this.others.values()].some((other) => other.person === one.person)) announce(t("person_left", { name: one.short }));
    this.changed();
  }

  /// What people have chosen or open, of one node: whom the outline and the label speak of.
  at(id) { return !this.others.size ? [] : [...new Map([...this.others.values()].filter((one) => one.open === id || one.nodes.includes(id)).map((one) => [one.person, one])).values()]; }

  // MARK: Drawing

  draw(one, moved) {
    if (!one.element) {
      one.element = h(`div.cursor.hue-${one.hue}`, { hidden: true },
        s("svg", { width: 18, height: 20, viewBox: "0 0 18 20" }, s("path", { d: "M2 2 L2 16 L6 12.6 L8.6 18.4 L11 17.3 L8.5 11.7 L14 11.5 Z" })), h("span", {}, one.short));
      one.frames = new Map();
      this.layer.append(one.element);
    }
    if (moved) this.changed();
    this.place(one);
  }

  changed() {
    this.drawPeople();
    this.editor.outline.draw();
    this.editor.canvas.drawOverlay();
  }

  /// Puts cursors and frames where they are in the view as it stands.
  place(only) {
    const { canvas, doc } = this.editor;
    for (const one of only ? [only] : this.others.values()) {
      if (!one.element) continue;
      one.element.hidden = !one.cursor;
      if (one.cursor) {
        const [x, y] = toScreen(canvas.view, ...one.cursor);
        one.element.style.transform = `translate(${x}px, ${y}px)`;
      }
      const wanted = new Set([...(one.open ? [one.open] : []), ...one.nodes].filter((id) => doc.node(id) && canvas.boxes.has(id)));
      for (const [id, frame] of one.frames) if (!wanted.has(id)) { frame.remove(); one.frames.delete(id); }
      for (const id of wanted) {
        if (!one.frames.has(id)) one.frames.set(id, this.layer.insertBefore(h(`div.hold.hue-${one.hue}`, {}, h("span", {})), this.layer.firstChild));
        const frame = one.frames.get(id);
        frame.firstChild.textContent = one.open === id ? t("person_edits", { name: one.short }) : one.short;
        const box = canvas.box(id);
        const [x, y] = toScreen(canvas.view, box.x, box.y);
        Object.assign(frame.style, { transform: `translate(${x - 4}px, ${y - 4}px)`, width: `${box.width * canvas.view.k + 8}px`, height: `${box.height * canvas.view.k + 8}px` });
      }
    }
  }

  drawPeople() {
    const people = new Map();
    for (const one of this.others.values()) people.set(one.person, one);
    const all = [...people.values()];
    this.list.hidden = !all.length;
    this.list.replaceChildren(...all.slice(0, SEEN).map((one) => h("li", {}, h(`button.avatar.hue-${one.hue}`, {
      type: "button", title: one.name, "aria-label": t("go_to_person", { name: one.short }), onclick: () => this.goTo(one.person),
    }, initials(one.name)))), ...(all.length > SEEN ? [h("li", {}, t("more_people", { count: all.length - SEEN }))] : []));
  }

  /// Shows where somebody is.
  goTo(person) {
    const one = [...this.others.values()].filter((other) => other.person === person).sort((a, b) => b.heard - a.heard)[0];
    const { canvas, doc } = this.editor;
    const id = [one?.open, ...(one?.nodes ?? [])].find((other) => other && doc.node(other));
    if (id) canvas.reveal(id);
    else if (one?.cursor) canvas.setView({ ...canvas.view, x: canvas.rect.width / 2 - one.cursor[0] * canvas.view.k, y: canvas.rect.height / 2 - one.cursor[1] * canvas.view.k });
  }
}
