// Interval: the time from one DateTime up to another, as Luxon's of that name.
(() => {
  const aias = globalThis.aias;
  const { DateTime, Duration, toDateTime } = aias;

  class Interval {
    constructor(start, end) { Object.assign(this, { s: start, e: end }); }
    static fromDateTimes(start, end) { return new Interval(toDateTime(start), toDateTime(end)); }
    static after(start, amount) { return new Interval(toDateTime(start), toDateTime(start).plus(amount)); }
    static before(end, amount) { return new Interval(toDateTime(end).minus(amount), toDateTime(end)); }
    static fromISO(text, options) {
      const [first, second] = String(text).split('/');
      if (first.startsWith('P')) return Interval.before(DateTime.fromISO(second, options), Duration.fromISO(first));
      if (second?.startsWith('P')) return Interval.after(DateTime.fromISO(first, options), Duration.fromISO(second));
      return new Interval(DateTime.fromISO(first, options), DateTime.fromISO(second, options));
    }
    static isInterval(value) { return value instanceof Interval; }
    static merge(list) {
      const out = [];
      for (const next of [...list].sort((a, b) => a.s - b.s)) {
        const last = out[out.length - 1];
        if (last && next.s <= last.e) out[out.length - 1] = last.union(next); else out.push(next);
      }
      return out;
    }
    get isValid() { return this.s.isValid && this.e.isValid && this.s <= this.e; }
    get start() { return this.isValid ? this.s : null; }
    get end() { return this.isValid ? this.e : null; }
    length(unit = 'milliseconds') { return this.toDuration(unit).get(unit); }
    count(unit = 'milliseconds') { return Math.floor(this.e.startOf(unit).diff(this.s.startOf(unit), unit).get(unit)) + (this.e.valueOf() !== this.e.startOf(unit).valueOf() ? 1 : 0); }
    toDuration(unit = 'milliseconds') { return this.e.diff(this.s, unit); }
    contains(time) { return this.s <= time && time < this.e; }
    isBefore(time) { return this.e <= time; }
    isAfter(time) { return this.s > time; }
    isEmpty() { return this.s.valueOf() === this.e.valueOf(); }
    hasSame(unit) { return this.isEmpty() || this.e.minus(1).hasSame(this.s, unit); }
    overlaps(other) { return this.e > other.s && this.s < other.e; }
    equals(other) { return this.s.equals(other.s) && this.e.equals(other.e); }
    engulfs(other) { return this.s <= other.s && this.e >= other.e; }
    intersection(other) {
      const [start, end] = [DateTime.max(this.s, other.s), DateTime.min(this.e, other.e)];
      return start < end ? new Interval(start, end) : null;
    }
    union(other) { return new Interval(DateTime.min(this.s, other.s), DateTime.max(this.e, other.e)); }
    set({ start = this.s, end = this.e } = {}) { return Interval.fromDateTimes(start, end); }
    splitBy(amount) {
      const step = Duration.from(amount);
      if (!this.isValid || !(step.toMillis() > 0)) return [];
      const out = [];
      for (let [at, index] = [this.s, 1]; at < this.e; index += 1) {
        const next = DateTime.min(this.s.plus(step.mapUnits((value) => value * index)), this.e);
        out.push(new Interval(at, next));
        at = next;
      }
      return out;
    }
    divideEqually(parts) { return this.splitBy({ milliseconds: this.length() / parts }).slice(0, parts); }
    toISO(options) { return `${this.s.toISO(options)}/${this.e.toISO(options)}`; }
    toISODate() { return `${this.s.toISODate()}/${this.e.toISODate()}`; }
    toJSON() { return this.toISO(); }
    toString() { return this.isValid ? `[${this.s.toISO()} – ${this.e.toISO()})` : 'Invalid Interval'; }
    toFormat(format, { separator = ' – ' } = {}) { return `${this.s.toFormat(format)}${separator}${this.e.toFormat(format)}`; }
  }

  aias.Interval = Interval;
  aias.hide(globalThis, { Interval });
})();
