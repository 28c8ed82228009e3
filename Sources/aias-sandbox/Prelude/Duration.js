// Duration: amounts of time units, as Luxon's of that name.
(() => {
  const aias = globalThis.aias;
  const units = ['years', 'quarters', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'];
  const milliseconds = {
    years: 31536000000, quarters: 7862400000, months: 2592000000, weeks: 604800000, days: 86400000,
    hours: 3600000, minutes: 60000, seconds: 1000, milliseconds: 1,
  };
  const short = { y: 'years', q: 'quarters', M: 'months', w: 'weeks', d: 'days', h: 'hours', m: 'minutes', s: 'seconds', ms: 'milliseconds' };

  /** The plural name of a unit given as `day`, `days`, `Day` or `d`. */
  function unitName(unit) {
    const text = String(unit);
    if (short[text]) return short[text];
    const lower = text.toLowerCase();
    const name = lower.endsWith('s') ? lower : `${lower}s`;
    if (!units.includes(name)) throw new TypeError(`"${unit}" is no unit of time; units are ${units.join(', ')}`);
    return name;
  }

  function amounts(object) {
    const values = {};
    for (const key of Object.keys(object)) {
      if (['locale', 'numberingSystem', 'conversionAccuracy'].includes(key) || object[key] === undefined || object[key] === null) continue;
      const value = Number(object[key]);
      if (Number.isNaN(value)) throw new TypeError(`"${object[key]}" is no amount of ${key}`);
      values[unitName(key)] = value;
    }
    return values;
  }

  class Duration {
    #values;
    constructor(values) { this.#values = values; }
    static fromObject(object) { return new Duration(amounts(object)); }
    static fromMillis(count) { return new Duration({ milliseconds: Number(count) }); }
    static isDuration(value) { return value instanceof Duration; }
    static fromISO(text) {
      const match = /^([+-])?P(?:([+-]?[\d.]+)Y)?(?:([+-]?[\d.]+)M)?(?:([+-]?[\d.]+)W)?(?:([+-]?[\d.]+)D)?(?:T(?:([+-]?[\d.]+)H)?(?:([+-]?[\d.]+)M)?(?:([+-]?[\d.]+)S)?)?$/.exec(text);
      if (!match) return new Duration({ milliseconds: NaN });
      const sign = match[1] === '-' ? -1 : 1;
      const values = {};
      ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'].forEach((unit, index) => {
        if (match[index + 2] !== undefined) values[unit] = sign * Number(match[index + 2]);
      });
      return new Duration(values);
    }
    /** What plus, minus and the like take: a Duration, an object, milliseconds, or an amount and its unit. */
    static from(value, unit = undefined) {
      if (value instanceof Duration) return value;
      if (unit !== undefined) return new Duration(amounts({ [unit]: value }));
      if (typeof value === 'number') return Duration.fromMillis(value);
      if (typeof value === 'object' && value !== null) return Duration.fromObject(value);
      throw new TypeError(`${String(value)} is no duration`);
    }
    get isValid() { return !Object.values(this.#values).some(Number.isNaN); }
    get(unit) { return this.#values[unitName(unit)] ?? 0; }
    toObject() { return { ...this.#values }; }
    set(values) { return new Duration({ ...this.#values, ...amounts(values) }); }
    mapUnits(change) { return new Duration(Object.fromEntries(Object.entries(this.#values).map(([unit, value]) => [unit, change(value, unit)]))); }
    negate() { return this.mapUnits((value) => (value === 0 ? 0 : -value)); }
    plus(other, unit) {
      const added = Duration.from(other, unit).toObject();
      const sum = {};
      for (const name of units) if (name in this.#values || name in added) sum[name] = (this.#values[name] ?? 0) + (added[name] ?? 0);
      return new Duration(sum);
    }
    minus(other, unit) { return this.plus(Duration.from(other, unit).negate()); }
    toMillis() { return units.reduce((sum, unit) => sum + (this.#values[unit] ?? 0) * milliseconds[unit], 0); }
    valueOf() { return this.toMillis(); }
    as(unit) { return this.shiftTo(unit).get(unit); }
    shiftTo(...names) {
      if (names.length === 0) return this;
      const wanted = names.map(unitName);
      const values = {};
      let rest = this.#fixed(wanted);
      const ordered = units.filter((unit) => wanted.includes(unit));
      ordered.forEach((unit, index) => {
        const amount = rest / milliseconds[unit];
        values[unit] = index === ordered.length - 1 ? amount : Math.trunc(amount);
        rest -= values[unit] * milliseconds[unit];
      });
      return new Duration(values);
    }
    /** Milliseconds; years and months are turned into each other exactly, into days as 365 and 30. */
    #fixed(wanted) {
      const months = (this.#values.years ?? 0) * 12 + (this.#values.quarters ?? 0) * 3 + (this.#values.months ?? 0);
      const calendar = wanted.every((unit) => ['years', 'quarters', 'months'].includes(unit));
      if (calendar && units.slice(3).every((unit) => !this.#values[unit])) {
        const last = units.filter((unit) => wanted.includes(unit)).pop();
        const count = { years: 12, quarters: 3, months: 1 }[last];
        return (months / count) * milliseconds[last];
      }
      return this.toMillis();
    }
    shiftToAll() { return this.shiftTo('years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'); }
    normalize() { return this.shiftTo(...Object.keys(this.#values)); }
    rescale() { return this.shiftToAll().removeZeros(); }
    removeZeros() { return new Duration(Object.fromEntries(Object.entries(this.#values).filter(([, value]) => value !== 0))); }
    toISO() {
      const has = (unit) => this.#values[unit];
      let text = 'P';
      if (has('years')) text += `${this.years}Y`;
      if (has('months') || has('quarters')) text += `${this.months + this.quarters * 3}M`;
      if (has('weeks')) text += `${this.weeks}W`;
      if (has('days')) text += `${this.days}D`;
      const seconds = this.seconds + this.milliseconds / 1000;
      if (has('hours') || has('minutes') || seconds) text += 'T';
      if (has('hours')) text += `${this.hours}H`;
      if (has('minutes')) text += `${this.minutes}M`;
      if (seconds) text += `${Math.round(seconds * 1000) / 1000}S`;
      return text === 'P' ? 'PT0S' : text;
    }
    toJSON() { return this.toISO(); }
    toString() { return this.toISO(); }
    toFormat(pattern) {
      const names = { y: 'years', M: 'months', w: 'weeks', d: 'days', h: 'hours', m: 'minutes', s: 'seconds', S: 'milliseconds' };
      const tokens = String(pattern).match(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+/g) ?? [];
      const used = [...new Set(tokens.map((token) => names[token[0]]).filter(Boolean))];
      const values = this.shiftTo(...used);
      return tokens.map((token) => {
        if (token.startsWith("'")) return token.slice(1, -1);
        const unit = names[token[0]];
        if (!unit) return token;
        const value = Math.trunc(values.get(unit));
        return (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(token.length, '0');
      }).join('');
    }
    toHuman({ unitDisplay = 'long', listStyle = 'narrow' } = {}) {
      const parts = units.filter((unit) => unit in this.#values).map((unit) =>
        new Intl.NumberFormat('en-US', { style: 'unit', unit: unit.slice(0, -1), unitDisplay }).format(this.#values[unit]));
      return new Intl.ListFormat('en-US', { type: 'conjunction', style: listStyle }).format(parts);
    }
    equals(other) { return other instanceof Duration && units.every((unit) => this.get(unit) === other.get(unit)); }
  }
  for (const unit of units) Object.defineProperty(Duration.prototype, unit, { get() { return this.get(unit); } });

  aias.units = { names: units, milliseconds, nameOf: unitName };
  aias.Duration = Duration;
  aias.hide(globalThis, { Duration });
})();
