// One event stream for all windows of a browser: it has few connections to a host, six over HTTP/1.1, and a window would take one for its draft
// and one for a run. The window that holds the lock keeps the stream, for all that is watched in any of them, and tells the others; when it goes,
// the next one takes over. Where windows cannot speak to each other, each has a stream of its own.
//
// What is told may come twice, or have been missed: who watches looks for itself whenever the stream opens.

const NAME = "aias-live";
const GATHER_MS = 50;
const REOPEN_MS = 2000;
const REOPEN_MOST_MS = 120_000;
const BEAT_MS = 20_000;
/// A window in the background is slowed to one beat a minute.
const GONE_MS = 150_000;
/// Within which the one that leads answers.
const DOUBT_MS = 5000;
/// As many as the server takes.
const WATCHES = 100;

/// A name for a window that no other has.
export const token = () => Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join("");

/// What a window hears of one draft or run: `open` when it is heard of from now on, `refused` when it is not, and the events by their names.
class Watch extends EventTarget {
  constructor(live, key) {
    super();
    Object.assign(this, { live, key });
  }

  get readyState() { return this.live.open.has(this.key) ? EventSource.OPEN : EventSource.CONNECTING; }

  close() { this.live.drop(this); }
}

export class Live {
  constructor() {
    Object.assign(this, { id: token(), watches: new Set(), open: new Set() });
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => { if (event.persisted && this.watches.size) this.want(); });
  }

  watch(key) {
    const watch = new Watch(this, key);
    this.watches.add(watch);
    this.want();
    return watch;
  }

  drop(watch) {
    if (this.watches.delete(watch) && this.isOn) this.want();
  }

  // MARK: Windows

  start() {
    Object.assign(this, { isOn: true, isLeader: false, wanted: new Map(), asked: new Set(), covered: new Set(), pause: REOPEN_MS });
    this.timer = setInterval(() => this.beat(), BEAT_MS);
    if (!window.BroadcastChannel || !navigator.locks) { this.lead(); return; }
    const channel = new BroadcastChannel(NAME);
    this.channel = channel;
    channel.addEventListener("message", ({ data }) => { if (this.channel === channel) this.hear(data); });
    this.queue();
  }

  /// Leads once no other does.
  queue() {
    this.giveUp = new AbortController();
    this.request({ signal: this.giveUp.signal });
  }

  request(options) {
    const { channel } = this;
    let leads = false;
    const lead = () => new Promise((done) => {
      // Stopped meanwhile.
      if (this.channel !== channel) { done(); return; }
      leads = true;
      this.release = done;
      this.lead();
    });
    navigator.locks.request(NAME, options, lead).catch((error) => {
      if (this.channel !== channel) return;
      if (error.name !== "AbortError") {
        // Where the browser keeps no locks, this window is for itself.
        this.channel = undefined;
        channel.close();
        this.lead();
      } else if (leads) {
        // Another has taken the lead from this one.
        this.isLeader = false;
        this.shut();
        this.queue();
        this.want();
      }
    });
  }

  /// The one that leads does not answer: its window may be put to sleep with the lock in its hands.
  takeOver() {
    this.doubt = undefined;
    if (!this.isOn || this.isLeader) return;
    this.giveUp.abort();
    this.request({ steal: true });
  }

  trust() {
    clearTimeout(this.doubt);
    this.doubt = undefined;
  }

  /// Lets others lead; it begins again with the next thing that is watched.
  stop() {
    if (!this.isOn) return;
    this.isOn = false;
    this.post({ type: "want", window: this.id, keys: [] });
    clearInterval(this.timer);
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.trust();
    this.shut();
    this.open.clear();
    this.giveUp?.abort();
    this.release?.();
    this.channel?.close();
    this.giveUp = this.release = this.channel = undefined;
  }

  post(message) { this.channel?.postMessage(message); }

  tell(message) {
    this.post(message);
    this.take(message);
  }

  want() {
    if (!this.isOn) this.start();
    const keys = [...new Set([...this.watches].map((one) => one.key))];
    if (this.isLeader) this.note(this.id, keys);
    else {
      this.post({ type: "want", window: this.id, keys });
      this.doubt ??= setTimeout(() => this.takeOver(), DOUBT_MS);
    }
  }

  beat() {
    if (this.isLeader) {
      for (const [id, one] of this.wanted) if (id !== this.id && Date.now() - one.heard > GONE_MS) this.wanted.delete(id);
      if (!this.wanted.size) this.shut();
    } else if (this.watches.size) this.want();
  }

  hear(message) {
    if (message.type === "who") this.want();
    else if (message.type === "want") { if (this.isLeader) this.note(message.window, message.keys); }
    else { this.trust(); this.take(message); }
  }

  take({ type, to, keys, watch, event, data }) {
    if ((to && to !== this.id) || type === "heard") return;
    if (type === "event") { this.dispatch([watch], () => new MessageEvent(event, { data: JSON.stringify(data) })); return; }
    for (const key of keys) if (type === "open") this.open.add(key); else this.open.delete(key);
    this.dispatch(keys, () => new Event(type));
  }

  dispatch(keys, event) {
    for (const watch of [...this.watches]) if (keys.includes(watch.key)) watch.dispatchEvent(event());
  }

  // MARK: The one that leads

  lead() {
    this.isLeader = true;
    this.trust();
    this.post({ type: "who" });
    this.want();
  }

  /// What a window watches.
  note(id, keys) {
    if (id !== this.id) this.post({ type: "heard", to: id });
    const before = this.wanted.get(id)?.keys ?? [];
    this.wanted.delete(id);
    if (keys.length) this.wanted.set(id, { keys, heard: Date.now() });
    if (!this.wanted.size) { this.shut(); return; }
    const fresh = keys.filter((key) => !before.includes(key));
    if (fresh.some((key) => !this.asked.has(key))) {
      // Timers of a window in the background are late by up to a minute.
      if (document.hidden) this.connect();
      else this.later(GATHER_MS);
    }
    // What is heard of already is open for this one too; after it has begun to listen.
    const there = fresh.filter((key) => this.covered.has(key));
    if (there.length && this.source?.readyState === EventSource.OPEN) queueMicrotask(() => this.tell({ type: "open", to: id, keys: there }));
  }

  later(ms) {
    const due = Date.now() + ms;
    if (this.waiting && this.due <= due) return;
    clearTimeout(this.waiting);
    this.due = due;
    this.waiting = setTimeout(() => { this.waiting = undefined; this.connect(); }, ms);
  }

  /// Opens a stream for all that is watched; the one before goes on until it is open.
  connect() {
    const keys = [...new Set([...this.wanted.values()].reverse().flatMap((one) => one.keys))].slice(0, WATCHES);
    if (!this.isOn || !this.isLeader || !keys.length) return;
    if ((this.coming || this.source) && keys.every((key) => this.asked.has(key))) return;
    this.coming?.close();
    const source = new EventSource(`/v1/live?watch=${keys.join(",")}`);
    Object.assign(this, { coming: source, asked: new Set(keys) });
    source.addEventListener("open", () => {
      const known = this.source !== source && this.source?.readyState === EventSource.OPEN ? this.covered : new Set();
      if (this.source !== source) this.source?.close();
      Object.assign(this, { source, coming: this.coming === source ? undefined : this.coming, covered: new Set(keys), pause: REOPEN_MS });
      this.tell({ type: "open", keys: keys.filter((key) => !known.has(key)) });
    });
    source.addEventListener("live", ({ data }) => this.tell({ type: "event", ...JSON.parse(data) }));
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) this.refused(source, keys); });
  }

  /// A browser opens a stream again where the connection broke, but never where something else than events was answered, as while a server is
  /// started anew. Then it is asked for again here, ever more seldom.
  refused(source, keys) {
    if (source !== this.source && source !== this.coming) return;
    if (source === this.coming) this.coming = undefined;
    if (source === this.source) Object.assign(this, { source: undefined, covered: new Set() });
    this.asked = new Set([...this.covered]);
    this.tell({ type: "refused", keys: keys.filter((key) => !this.covered.has(key)) });
    // Not all browsers at the same moment.
    this.later(this.pause * (1 + Math.random()));
    this.pause = Math.min(2 * this.pause, REOPEN_MOST_MS);
  }

  shut() {
    this.source?.close();
    this.coming?.close();
    Object.assign(this, { source: undefined, coming: undefined, asked: new Set(), covered: new Set() });
  }
}

let shared;

/// `workflow:<id>` or `run:<id>`.
export function watch(key) {
  shared ??= new Live();
  return shared.watch(key);
}
