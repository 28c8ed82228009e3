// Reading and writing times: ISO 8601, RFC 2822, HTTP, SQL, Luxon's format tokens, and Intl's localised texts.
(() => {
  const aias = globalThis.aias;
  const { DateTime, zones } = aias;
  const pad = (value, width = 2) => (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(width, '0');
  const english = 'en-US';

  function intl(time, options, locale = time.locale) {
    const zone = /^UTC[+-]/.test(time.zoneName) ? 'UTC' : time.zoneName;
    const shift = zone === time.zoneName ? 0 : time.offset * 60000;
    return new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }).formatToParts(time.ts + shift);
  }
  const text = (parts) => parts.map((part) => part.value).join('');
  const field = (time, options, type) => intl(time, options).find((part) => part.type === type)?.value ?? '';

  function offsetText(minutes, form) {
    const hours = Math.trunc(Math.abs(minutes) / 60);
    const rest = Math.abs(minutes) % 60;
    const sign = minutes < 0 ? '-' : '+';
    if (form === 'narrow') return `${sign}${hours}${rest ? `:${rest}` : ''}`;
    return `${sign}${pad(hours)}${form === 'basic' ? '' : ':'}${pad(rest)}`;
  }

  const dates = {
    D: { year: 'numeric', month: 'numeric', day: 'numeric' }, DD: { year: 'numeric', month: 'short', day: 'numeric' },
    DDD: { year: 'numeric', month: 'long', day: 'numeric' }, DDDD: { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' },
  };
  const clock = { hour: 'numeric', minute: '2-digit' };
  const seconds = { ...clock, second: '2-digit' };
  const times = { t: clock, tt: seconds, ttt: { ...seconds, timeZoneName: 'short' }, tttt: { ...seconds, timeZoneName: 'long' } };
  const both = (date, time) => ({ ...date, ...time });
  const presets = {
    ...dates, ...times,
    T: { ...clock, hourCycle: 'h23', hour: '2-digit' }, TT: { ...seconds, hourCycle: 'h23', hour: '2-digit' },
    TTT: { ...seconds, hourCycle: 'h23', hour: '2-digit', timeZoneName: 'short' }, TTTT: { ...seconds, hourCycle: 'h23', hour: '2-digit', timeZoneName: 'long' },
    f: both(dates.D, times.t), ff: both(dates.DD, times.t), fff: both(dates.DDD, { ...clock, timeZoneName: 'short' }), ffff: both(dates.DDDD, { ...clock, timeZoneName: 'long' }),
    F: both(dates.D, times.tt), FF: both(dates.DD, times.tt), FFF: both(dates.DDD, times.ttt), FFFF: both(dates.DDDD, times.tttt),
  };
  const monthName = (style) => (time) => field(time, { month: style, day: 'numeric' }, 'month');
  const standaloneMonth = (style) => (time) => text(intl(time, { month: style }));
  const weekdayName = (style) => (time) => text(intl(time, { weekday: style }));
  const number = (name, width = 1) => (time) => pad(time[name], width);
  const writers = {
    S: number('millisecond'), u: number('millisecond', 3), SSS: number('millisecond', 3),
    uu: (time) => pad(Math.floor(time.millisecond / 10)), uuu: (time) => String(Math.floor(time.millisecond / 100)),
    s: number('second'), ss: number('second', 2), m: number('minute'), mm: number('minute', 2),
    h: (time) => String(time.hour % 12 || 12), hh: (time) => pad(time.hour % 12 || 12), H: number('hour'), HH: number('hour', 2),
    Z: (time) => offsetText(time.offset, 'narrow'), ZZ: (time) => offsetText(time.offset), ZZZ: (time) => offsetText(time.offset, 'basic'),
    ZZZZ: (time) => time.offsetNameShort, ZZZZZ: (time) => time.offsetNameLong, z: (time) => time.zoneName,
    a: (time) => field(time, { hour: 'numeric', hourCycle: 'h12' }, 'dayPeriod'), d: number('day'), dd: number('day', 2),
    c: number('weekday'), ccc: weekdayName('short'), cccc: weekdayName('long'), ccccc: weekdayName('narrow'),
    E: number('weekday'), EEE: weekdayName('short'), EEEE: weekdayName('long'), EEEEE: weekdayName('narrow'),
    L: number('month'), LL: number('month', 2), LLL: standaloneMonth('short'), LLLL: standaloneMonth('long'), LLLLL: standaloneMonth('narrow'),
    M: number('month'), MM: number('month', 2), MMM: monthName('short'), MMMM: monthName('long'), MMMMM: monthName('narrow'),
    y: number('year'), yy: (time) => pad(time.year % 100), yyyy: number('year', 4), yyyyyy: number('year', 6),
    G: (time) => field(time, { era: 'short' }, 'era'), GG: (time) => field(time, { era: 'long' }, 'era'), GGGGG: (time) => field(time, { era: 'narrow' }, 'era'),
    kk: (time) => pad(time.weekYear % 100), kkkk: number('weekYear', 4), W: number('weekNumber'), WW: number('weekNumber', 2),
    o: number('ordinal'), ooo: number('ordinal', 3), q: number('quarter'), qq: number('quarter', 2),
    X: (time) => String(Math.floor(time.ts / 1000)), x: (time) => String(time.ts),
  };
  const tokens = (format) => String(format).match(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'/g) ?? [];

  function write(time, format) {
    return tokens(format).map((token) => {
      if (token.startsWith("'")) return token.length > 1 ? token.slice(1, -1) : token;
      if (writers[token]) return writers[token](time);
      return presets[token] ? text(intl(time, presets[token])) : token;
    }).join('');
  }

  function isoTime(time, { suppressMilliseconds = false, suppressSeconds = false, includeOffset = true, includePrefix = false, format = 'extended', extendedZone = false } = {}) {
    const colon = format === 'basic' ? '' : ':';
    let out = `${includePrefix ? 'T' : ''}${pad(time.hour)}${colon}${pad(time.minute)}`;
    if (!suppressSeconds || time.second !== 0 || time.millisecond !== 0) {
      out += `${colon}${pad(time.second)}`;
      if (!suppressMilliseconds || time.millisecond !== 0) out += `.${pad(time.millisecond, 3)}`;
    }
    if (includeOffset) out += time.offset === 0 && time.zoneName === 'UTC' ? 'Z' : offsetText(time.offset, format);
    return extendedZone ? `${out}[${time.zoneName}]` : out;
  }

  function isoDate(time, { format = 'extended' } = {}) {
    const dash = format === 'basic' ? '' : '-';
    const year = time.year > 9999 || time.year < 0 ? `${time.year < 0 ? '-' : '+'}${pad(Math.abs(time.year), 6)}` : pad(time.year, 4);
    return `${year}${dash}${pad(time.month)}${dash}${pad(time.day)}`;
  }

  const agoUnits = ['years', 'quarters', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'];
  function relative(time, { base = DateTime.now(), unit, locale = time.locale, style = 'long', round = true } = {}, numeric = 'always', whole = (value) => Math.trunc(value)) {
    const names = unit ? [].concat(unit).map(aias.units.nameOf) : agoUnits.filter((name) => name !== 'quarters' );
    for (const name of names) {
      const amount = numeric === 'auto' ? time.startOf(name).diff(base.setZone(time.zoneName).startOf(name), name).get(name) : time.diff(base, name).get(name);
      if (Math.abs(amount) >= 1 || name === names[names.length - 1]) {
        return new Intl.RelativeTimeFormat(locale, { numeric, style }).format(round ? whole(amount) : amount, name.slice(0, -1));
      }
    }
    return null;
  }

  const valid = (body, invalid = 'Invalid DateTime') => function writeValid(...given) { return this.isValid ? body(this, ...given) : invalid; };
  aias.hide(DateTime.prototype, {
    toFormat: valid(write),
    format: valid(write),
    toISO: valid((time, options = {}) => `${isoDate(time, options)}T${isoTime(time, options)}`, null),
    toISODate: valid(isoDate, null),
    toISOTime: valid(isoTime, null),
    toISOWeekDate: valid((time) => `${pad(time.weekYear, 4)}-W${pad(time.weekNumber)}-${time.weekday}`, null),
    toString: valid((time) => time.toISO()),
    toJSON: valid((time) => time.toISO(), null),
    toSQL: valid((time, options) => `${isoDate(time)} ${time.toSQLTime(options)}`, null),
    toSQLDate: valid((time) => isoDate(time), null),
    toSQLTime: valid((time, { includeOffset = true } = {}) => isoTime(time, { includeOffset: false }) + (includeOffset ? ` ${offsetText(time.offset)}` : ''), null),
    toRFC2822: valid((time) => write(time.setLocale(english), 'EEE, dd LLL yyyy HH:mm:ss ZZZ'), null),
    toHTTP: valid((time) => write(time.toUTC().setLocale(english), "EEE, dd LLL yyyy HH:mm:ss 'GMT'"), null),
    toLocaleString: valid((time, options = presets.D, more = {}) => {
      const style = typeof options === 'string' ? more : options;
      const locale = typeof options === 'string' ? options : more.locale ?? time.locale;
      return text(intl(time, Object.keys(style).some((key) => !['locale', 'hour12', 'hourCycle', 'timeZone', 'numberingSystem'].includes(key)) ? style : { ...presets.D, ...style }, locale));
    }),
    toLocaleParts: valid((time, options = presets.D) => intl(time, options), []),
    toRelative: valid((time, options) => relative(time, options), null),
    toRelativeCalendar: valid((time, options) => relative(time, { unit: options?.unit ?? ['years', 'months', 'days'], ...options }, 'auto', Math.round), null),
  });
  const getters = {
    monthShort: (time) => standaloneMonth('short')(time), monthLong: (time) => standaloneMonth('long')(time),
    weekdayShort: (time) => weekdayName('short')(time), weekdayLong: (time) => weekdayName('long')(time),
    offsetNameShort: (time) => field(time, { timeZoneName: 'short' }, 'timeZoneName'), offsetNameLong: (time) => field(time, { timeZoneName: 'long' }, 'timeZoneName'),
  };
  for (const name of Object.keys(getters)) Object.defineProperty(DateTime.prototype, name, { get() { return this.isValid ? getters[name](this) : null; } });
  const named = { DATE_SHORT: 'D', DATE_MED: 'DD', DATE_FULL: 'DDD', DATE_HUGE: 'DDDD', TIME_SIMPLE: 't', TIME_WITH_SECONDS: 'tt', TIME_24_SIMPLE: 'T', TIME_24_WITH_SECONDS: 'TT', DATETIME_SHORT: 'f', DATETIME_MED: 'ff', DATETIME_FULL: 'fff', DATETIME_HUGE: 'ffff', DATETIME_SHORT_WITH_SECONDS: 'F', DATETIME_MED_WITH_SECONDS: 'FF', DATETIME_FULL_WITH_SECONDS: 'FFF', DATETIME_HUGE_WITH_SECONDS: 'FFFF' };
  for (const name of Object.keys(named)) aias.hide(DateTime, { [name]: presets[named[name]] });
  aias.hide(DateTime, { DATE_MED_WITH_WEEKDAY: { ...dates.DD, weekday: 'short' } });
  aias.timeText = { tokens, english, text, intl };
})();
