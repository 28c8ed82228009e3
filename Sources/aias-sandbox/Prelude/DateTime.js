// DateTime: an instant in a time zone and locale, as Luxon's of that name and with n8n's additions. Texts are in DateTimeText.js.
(() => {
  const aias = globalThis.aias;
  const { zones, Duration, units } = aias;
  const day = 86400000;
  const isLeap = (year) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const daysInMonth = (year, month) => [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  const weekdayOf = (year, month, date) => ((Math.floor(zones.instant({ year, month, day: date, hour: 0, minute: 0, second: 0, millisecond: 0 }) / day) + 3) % 7 + 7) % 7 + 1;
  const fieldNames = { years: 'year', quarters: 'quarter', months: 'month', weeks: 'weekNumber', days: 'day', hours: 'hour', minutes: 'minute', seconds: 'second', milliseconds: 'millisecond' };
  /** Names that n8n's methods take besides Luxon's. */
  const shortNames = { sec: 'seconds', secs: 'seconds', min: 'minutes', mins: 'minutes', hr: 'hours', hrs: 'hours' };
  const longName = (unit) => shortNames[unit] ?? unit;
  const smallest = { year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 };

  function fieldName(name) {
    const known = ['weekday', 'ordinal', 'weeknumber', 'weekyear'].indexOf(String(name).toLowerCase().replace(/s$/, ''));
    if (known >= 0) return ['weekday', 'ordinal', 'weekNumber', 'weekYear'][known];
    return fieldNames[units.nameOf(name)];
  }

  class DateTime {
    #fields;
    constructor(ts, zone, locale = 'en-US', invalid = null) {
      this.ts = invalid ? NaN : ts;
      Object.defineProperty(this, 'invalidReason', { value: invalid ?? (Number.isNaN(ts) ? 'invalid input' : null) });
      Object.defineProperty(this, 'zoneName', { value: zone ?? 'UTC' });
      Object.defineProperty(this, 'locale', { value: locale });
    }
    static invalid(reason) { return new DateTime(NaN, 'UTC', 'en-US', reason); }
    static now() { return new DateTime(aias.now(), zones.normalize()); }
    static fromMillis(ts, options = {}) {
      if (typeof ts !== 'number' || !Number.isFinite(ts)) throw new TypeError(`fromMillis needs a number, but got ${typeof ts}`);
      return make(ts, options);
    }
    static fromSeconds(seconds, options = {}) { return DateTime.fromMillis(Number(seconds) * 1000, options); }
    static fromJSDate(date, options = {}) { return date instanceof Date ? make(date.getTime(), options) : DateTime.invalid('invalid input'); }
    static fromObject(object, options = {}) {
      const zone = zones.normalize(options.zone);
      if (!zone) return DateTime.invalid('unsupported zone');
      const given = {};
      for (const key of Object.keys(object)) if (object[key] !== undefined) given[fieldName(key)] = Number(object[key]);
      const now = zones.fields(zone, aias.now());
      const base = new DateTime(zones.resolve(fill(given, now), zone), zone, options.locale);
      const problem = check(given);
      return problem ? DateTime.invalid(problem) : base.set(given);
    }
    static local(...parts) { return fromParts(parts, undefined); }
    static utc(...parts) { return fromParts(parts, 'UTC'); }
    static isDateTime(value) { return value instanceof DateTime; }
    static min(...times) { return times.length ? times.reduce((a, b) => (b.ts < a.ts ? b : a)) : undefined; }
    static max(...times) { return times.length ? times.reduce((a, b) => (b.ts > a.ts ? b : a)) : undefined; }

    get isValid() { return !Number.isNaN(this.ts); }
    get invalidExplanation() { return this.isValid ? null : this.invalidReason; }
    get c() { return (this.#fields ??= zones.fields(this.zoneName, this.ts)); }
    get zone() { return { name: this.zoneName, isUniversal: this.zoneName.startsWith('UTC'), isValid: this.isValid }; }
    get offset() { return this.isValid ? zones.offset(this.zoneName, this.ts) : NaN; }
    get quarter() { return this.isValid ? Math.ceil(this.c.month / 3) : NaN; }
    get weekday() { return this.isValid ? weekdayOf(this.c.year, this.c.month, this.c.day) : NaN; }
    get ordinal() { return this.isValid ? Math.round((Date.UTC(2000, this.c.month - 1, this.c.day) - Date.UTC(2000, 0, 1)) / day) + 1 - (!isLeap(this.c.year) && this.c.month > 2 ? 1 : 0) : NaN; }
    get weekNumber() { return this.#week().number; }
    get weekYear() { return this.#week().year; }
    get weeksInWeekYear() { return new DateTime(zones.instant({ ...smallest, year: this.weekYear, month: 12, day: 28 }), 'UTC').weekNumber; }
    get isInLeapYear() { return isLeap(this.year); }
    get daysInMonth() { return daysInMonth(this.year, this.month); }
    get daysInYear() { return isLeap(this.year) ? 366 : 365; }
    get isInDST() {
      if (this.zoneName.startsWith('UTC')) return false;
      return this.offset > this.set({ month: 1, day: 1 }).offset || this.offset > this.set({ month: 5 }).offset;
    }
    #week() {
      if (!this.isValid) return { number: NaN, year: NaN };
      const thursday = new Date(zones.instant({ ...this.c, hour: 0, minute: 0, second: 0, millisecond: 0 }) + (4 - this.weekday) * day);
      const start = new Date(zones.instant({ ...smallest, year: thursday.getUTCFullYear() }));
      return { number: Math.floor((thursday - start) / day / 7) + 1, year: thursday.getUTCFullYear() };
    }

    get(unit) { return this[fieldName(unit)]; }
    set(values) {
      if (!this.isValid) return this;
      const given = {};
      for (const key of Object.keys(values)) given[fieldName(key)] = Number(values[key]);
      const fields = { ...this.c };
      for (const key of Object.keys(smallest)) if (key in given) fields[key] = given[key];
      if ('quarter' in given) fields.month = (given.quarter - 1) * 3 + ((fields.month - 1) % 3) + 1;
      if ('ordinal' in given) Object.assign(fields, { month: 1, day: given.ordinal });
      else if ('weekNumber' in given || 'weekYear' in given || 'weekday' in given) setWeek(fields, this, given);
      else if (!('day' in given)) fields.day = Math.min(fields.day, daysInMonth(fields.year, fields.month) ?? fields.day);
      return this.#with(zones.resolve(fields, this.zoneName, this.offset));
    }
    #with(ts) { return new DateTime(ts, this.zoneName, this.locale); }

    plus(amount, unit) {
      if (!this.isValid) return this;
      const added = Duration.from(amount, longName(unit)).toObject();
      const part = (name) => Math.trunc(added[name] ?? 0);
      const rest = (name) => (added[name] ?? 0) - part(name);
      const fields = { ...this.c };
      const months = fields.month - 1 + part('months') + part('quarters') * 3;
      fields.year += part('years') + Math.floor(months / 12);
      fields.month = ((months % 12) + 12) % 12 + 1;
      fields.day = Math.min(fields.day, daysInMonth(fields.year, fields.month)) + part('days') + part('weeks') * 7;
      const moved = ['years', 'quarters', 'months', 'weeks', 'days'].some((name) => part(name) !== 0);
      const ts = moved ? zones.resolve(fields, this.zoneName, this.offset) : this.ts;
      const exact = { years: rest('years'), quarters: rest('quarters'), months: rest('months'), weeks: rest('weeks'), days: rest('days') };
      for (const name of ['hours', 'minutes', 'seconds', 'milliseconds']) exact[name] = added[name] ?? 0;
      return this.#with(ts + Math.round(new Duration(exact).toMillis()));
    }
    minus(amount, unit) { return this.plus(Duration.from(amount, longName(unit)).negate()); }
    startOf(unit) {
      if (!this.isValid) return this;
      const name = units.nameOf(unit);
      if (name === 'weeks') return this.set({ weekday: 1, hour: 0, minute: 0, second: 0, millisecond: 0 });
      const fields = name === 'quarters' ? { month: (this.quarter - 1) * 3 + 1 } : {};
      const from = name === 'quarters' ? 2 : Object.keys(smallest).indexOf(fieldNames[name]) + 1;
      for (const key of Object.keys(smallest).slice(from)) fields[key] = smallest[key];
      return this.set(fields);
    }
    endOf(unit) { return this.isValid ? this.plus({ [units.nameOf(unit)]: 1 }).startOf(unit).minus(1) : this; }
    hasSame(other, unit) {
      const there = other.setZone(this.zoneName);
      return this.isValid && this.startOf(unit).ts <= there.ts && there.ts <= this.endOf(unit).ts;
    }
    diff(other, unit = 'milliseconds') {
      const names = (Array.isArray(unit) ? unit : [unit]).map(units.nameOf);
      const end = aias.toDateTime(other);
      if (!this.isValid || !end.isValid) return Duration.fromMillis(NaN);
      return this.ts >= end.ts ? difference(end.setZone(this.zoneName), this, names) : difference(this, end.setZone(this.zoneName), names).negate();
    }
    diffNow(unit) { return this.diff(DateTime.now(), unit); }
    until(other) { return aias.Interval.fromDateTimes(this, other); }
    equals(other) { return other instanceof DateTime && this.ts === other.ts && this.zoneName === other.zoneName && this.locale === other.locale; }

    setZone(zone, { keepLocalTime = false, keepCalendarTime = false } = {}) {
      const name = zones.normalize(zone);
      if (!name) return DateTime.invalid('unsupported zone');
      if (!this.isValid) return this;
      const ts = keepLocalTime || keepCalendarTime ? zones.resolve(this.c, name) : this.ts;
      return new DateTime(ts, name, this.locale);
    }
    toUTC(offset = 0) { return this.setZone(zones.fixed(offset)); }
    toLocal() { return this.setZone('local'); }
    setLocale(locale) { return new DateTime(this.ts, this.zoneName, locale, this.isValid ? null : this.invalidReason); }
    reconfigure({ locale } = {}) { return this.setLocale(locale ?? this.locale); }
    resolvedLocaleOptions() { return { locale: this.locale, numberingSystem: 'latn', outputCalendar: 'gregory' }; }

    toMillis() { return this.ts; }
    valueOf() { return this.ts; }
    toSeconds() { return this.ts / 1000; }
    toUnixInteger() { return Math.floor(this.ts / 1000); }
    toJSDate() { return new Date(this.ts); }
    toBSON() { return this.toJSDate(); }
    toObject() { return this.isValid ? { ...this.c } : {}; }

    // n8n's additions.
    beginningOf(unit = 'week') { return this.startOf(longName(unit)); }
    endOfMonth() { return this.endOf('month'); }
    extract(unit = 'week') { return unit === 'yearDayNumber' ? this.ordinal : unit === 'week' ? this.weekNumber : this.get(longName(unit)); }
    isBetween(first, second) {
      const [start, end] = [aias.toDateTime(first).ts, aias.toDateTime(second).ts];
      return Math.min(start, end) < this.ts && this.ts < Math.max(start, end);
    }
    isInLast(amount = 0, unit = 'minutes') {
      const now = DateTime.now();
      return now.minus(amount, unit).ts <= this.ts && this.ts <= now.ts;
    }
    isWeekend() { return this.weekday >= 6; }
    isDst() { return this.isInDST; }
    diffTo(other, unit = 'days') {
      const names = [unit].flat();
      const found = this.diff(other, names.length ? names : 'days');
      return names.length > 1 ? found.toObject() : found.get(names[0] ?? 'days');
    }
    diffToNow(unit = 'days') { return this.diffTo(DateTime.now(), unit); }
    toDateTime() { return this; }
    toInt() { return this.ts; }
    toFloat() { return this.ts; }
    toBoolean() { return undefined; }
    isEmpty() { return false; }
    isNotEmpty() { return true; }
  }

  for (const name of Object.keys(smallest)) Object.defineProperty(DateTime.prototype, name, { get() { return this.isValid ? this.c[name] : NaN; } });

  function make(ts, { zone, locale } = {}) {
    const name = zones.normalize(zone);
    return name ? new DateTime(ts, name, locale) : DateTime.invalid('unsupported zone');
  }

  function fromParts(parts, zone) {
    const options = typeof parts[parts.length - 1] === 'object' ? parts.pop() : {};
    if (parts.length === 0) return make(aias.now(), { ...options, zone: zone ?? options.zone });
    const given = {};
    Object.keys(smallest).forEach((name, index) => { if (parts[index] !== undefined) given[name] = parts[index]; });
    return DateTime.fromObject(given, { ...options, zone: zone ?? options.zone });
  }

  /** Missing fields above the largest given one are today's, those below it the smallest. */
  function fill(given, now) {
    const names = Object.keys(smallest);
    const fields = {};
    const week = 'weekNumber' in given || 'weekYear' in given || 'weekday' in given || 'ordinal' in given;
    let found = false;
    for (const name of names) {
      if (name in given) { fields[name] = given[name]; found = true; }
      else fields[name] = found || (week && names.indexOf(name) > 2) ? smallest[name] : now[name];
    }
    return fields;
  }

  function check(given) {
    const bounds = { month: [1, 12], day: [1, 31], hour: [0, 24], minute: [0, 59], second: [0, 59], millisecond: [0, 999], weekday: [1, 7], weekNumber: [1, 53], ordinal: [1, 366], quarter: [1, 4] };
    for (const name of Object.keys(given)) {
      if (!Number.isInteger(given[name])) return 'invalid input';
      if (bounds[name] && (given[name] < bounds[name][0] || given[name] > bounds[name][1])) return 'unit out of range';
    }
    if (given.day > daysInMonth(given.year ?? 2000, given.month ?? 1)) return 'unit out of range';
    return undefined;
  }

  function setWeek(fields, time, given) {
    const year = given.weekYear ?? time.weekYear;
    const fourth = weekdayOf(year, 1, 4);
    Object.assign(fields, { year, month: 1, day: 4 - fourth + (given.weekNumber ?? time.weekNumber) * 7 - 7 + (given.weekday ?? time.weekday) });
  }

  /** Whole calendar units from the earlier to the later time, the rest in the smaller units or as a fraction of the last one, which
   * goes to where one more of it leads from the earlier time. */
  function difference(earlier, later, names) {
    const days = (time) => Math.floor(zones.instant({ ...time.c, hour: 0, minute: 0, second: 0, millisecond: 0 }) / day);
    const count = {
      years: (from) => later.year - from.year,
      quarters: (from) => later.quarter - from.quarter + (later.year - from.year) * 4,
      months: (from) => later.month - from.month + (later.year - from.year) * 12,
      weeks: (from) => Math.trunc((days(later) - days(from)) / 7),
      days: (from) => days(later) - days(from),
    };
    const found = {};
    let [cursor, beyond, lowest] = [earlier, undefined, undefined];
    for (const unit of Object.keys(count)) {
      if (!names.includes(unit)) continue;
      [lowest, beyond] = [unit, undefined];
      found[unit] = count[unit](cursor);
      cursor = earlier.plus(found);
      while (cursor > later) {
        beyond = cursor;
        found[unit] -= 1;
        cursor = earlier.plus(found);
      }
    }
    const rest = later - cursor;
    const smaller = names.filter((name) => units.names.indexOf(name) > 4);
    if (smaller.length === 0) {
      const next = beyond ?? cursor.plus({ [lowest]: 1 });
      if (next > cursor) found[lowest] += rest / (next - cursor);
      return new Duration(found);
    }
    return Duration.fromMillis(rest).shiftTo(...smaller).plus(found);
  }

  /** A DateTime of a DateTime, a Date, milliseconds or a text. */
  aias.toDateTime = (value) => {
    if (value instanceof DateTime) return value;
    if (value instanceof Date) return DateTime.fromJSDate(value);
    if (typeof value === 'number') return DateTime.fromMillis(value);
    return aias.parseTime(String(value));
  };
  aias.DateTime = DateTime;
  aias.hide(globalThis, { DateTime });
})();
