// DateTime.fromISO, fromFormat, fromRFC2822, fromHTTP, fromSQL, and the guess that n8n makes for any text.
(() => {
  const aias = globalThis.aias;
  const { DateTime, zones } = aias;
  const { tokens, english } = aias.timeText;
  const iso = /^([+-]\d{6}|\d{4})(?:-?(\d\d)(?:-?(\d\d))?|-?W(\d\d)(?:-?(\d))?|-?(\d{3}))?(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,30}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?(?:\[([^\]]+)\])?)?$/i;
  const isoTime = /^T?(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/i;
  const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
  const milliseconds = (digits) => (digits === undefined ? 0 : Math.floor(Number(`0.${digits}`) * 1000));
  const minutesOf = (text) => {
    if (/^(z|ut|utc|gmt)$/i.test(text)) return 0;
    const match = /^([+-])(\d\d?):?(\d\d)?$/.exec(text);
    return match && (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
  };

  /** A time of fields read in the text's own offset or zone, shown in the zone asked for. */
  function build(fields, where, { zone, setZone = false, locale } = {}) {
    const source = where === undefined || where === null ? zone : typeof where === 'number' ? zones.fixed(where) : where;
    const time = DateTime.fromObject(fields, { zone: source, locale });
    return setZone || source === zone ? time : time.setZone(zone);
  }

  function fromISO(text, options = {}) {
    const match = iso.exec(String(text).trim());
    if (!match) return isoTimeOnly(text, options);
    const [, year, month, day, week, weekday, ordinal, hour, minute, second, fraction, offset, zoneName] = match;
    const fields = { year: Number(year), hour: Number(hour ?? 0), minute: Number(minute ?? 0), second: Number(second ?? 0), millisecond: milliseconds(fraction) };
    if (week) Object.assign(fields, { weekYear: fields.year, weekNumber: Number(week), weekday: Number(weekday ?? 1) });
    else if (ordinal) fields.ordinal = Number(ordinal);
    else Object.assign(fields, { month: Number(month ?? 1), day: Number(day ?? 1) });
    if (week) delete fields.year;
    if (fields.hour === 24) {
      fields.hour = 0;
      return build(fields, zoneName ?? (offset && minutesOf(offset)), options).plus({ days: 1 });
    }
    return build(fields, zoneName ?? (offset ? minutesOf(offset) : undefined), options);
  }

  function isoTimeOnly(text, options) {
    const match = isoTime.exec(String(text).trim());
    if (!match) return DateTime.invalid('unparsable');
    const [, hour, minute, second, fraction, offset] = match;
    return build({ hour: Number(hour), minute: Number(minute), second: Number(second ?? 0), millisecond: milliseconds(fraction) }, offset ? minutesOf(offset) : undefined, options);
  }

  function fromMail(text, options) {
    const match = /^(?:[a-z]{3,9},?\s+)?(\d{1,2})[\s-]([a-z]{3})[a-z]*[\s-](\d{2,4})\s+(\d\d):(\d\d)(?::(\d\d))?\s*(z|ut|utc|gmt|[+-]\d{4}|[ecmp][sd]t)?$/i.exec(String(text).trim());
    if (!match) return DateTime.invalid('unparsable');
    const [, day, month, year, hour, minute, second, offset = '+0000'] = match;
    const american = { e: -300, c: -360, m: -420, p: -480 }[offset[0].toLowerCase()];
    const where = /^[ecmp][sd]t$/i.test(offset) ? american + (offset[1].toLowerCase() === 'd' ? 60 : 0) : minutesOf(offset);
    const full = year.length === 2 ? Number(year) + (Number(year) > 60 ? 1900 : 2000) : Number(year);
    return build({ year: full, month: months.indexOf(month.toLowerCase()) + 1, day: Number(day), hour: Number(hour), minute: Number(minute), second: Number(second ?? 0), millisecond: 0 }, where, options);
  }

  function fromSQL(text, options) {
    const match = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?: ?(Z|[+-]\d\d:?\d\d))?(?: ([A-Za-z_]+\/[A-Za-z_/]+))?)?$/.exec(String(text).trim());
    if (!match) return DateTime.invalid('unparsable');
    const [, date, time = '00:00', offset = '', zone] = match;
    return fromISO(`${date}T${time}${offset}${zone ? `[${zone}]` : ''}`, options);
  }

  const names = (locale, options, count, at) => Array.from({ length: count }, (_, index) =>
    new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).format(at(index)));
  const monthNames = (locale, style) => names(locale, { month: style }, 12, (index) => Date.UTC(2024, index, 15));
  const weekdayNames = (locale, style) => names(locale, { weekday: style }, 7, (index) => Date.UTC(2024, 0, 1 + index));
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/[\s\u00a0\u202f]+/g, '\\s+');
  const oneOf = (list, set) => [list.map(escape).join('|'), (fields, text) => set(fields, list.findIndex((name) => name.toLowerCase() === text.toLowerCase()) + 1)];
  const digits = (pattern, name, change = Number) => [pattern, (fields, text) => { fields[name] = change(text); }];

  function reader(token, locale) {
    const month = (style) => oneOf(monthNames(locale, style), (fields, value) => { fields.month = value; });
    const weekday = (style) => oneOf(weekdayNames(locale, style), (fields, value) => { fields.weekday = value; });
    const offset = (pattern) => [pattern, (fields, text) => { fields.where = minutesOf(text); }];
    const table = {
      y: () => digits('\\d{1,6}', 'year'), yy: () => digits('\\d{2}|\\d{4}', 'year', (text) => (text.length === 2 ? Number(text) + (Number(text) > 60 ? 1900 : 2000) : Number(text))),
      yyyy: () => digits('\\d{4}', 'year'), yyyyyy: () => digits('\\d{6}', 'year'),
      M: () => digits('\\d\\d?', 'month'), MM: () => digits('\\d\\d', 'month'), MMM: () => month('short'), MMMM: () => month('long'),
      d: () => digits('\\d\\d?', 'day'), dd: () => digits('\\d\\d', 'day'), o: () => digits('\\d{1,3}', 'ordinal'), ooo: () => digits('\\d{3}', 'ordinal'),
      H: () => digits('\\d\\d?', 'hour'), HH: () => digits('\\d\\d', 'hour'), h: () => digits('\\d\\d?', 'hour'), hh: () => digits('\\d\\d', 'hour'),
      m: () => digits('\\d\\d?', 'minute'), mm: () => digits('\\d\\d', 'minute'), s: () => digits('\\d\\d?', 'second'), ss: () => digits('\\d\\d', 'second'),
      S: () => digits('\\d{1,3}', 'millisecond'), SSS: () => digits('\\d{3}', 'millisecond'), u: () => digits('\\d{1,9}', 'millisecond', milliseconds),
      a: () => ['am|pm|a\\.m\\.|p\\.m\\.', (fields, text) => { fields.meridiem = text[0].toLowerCase(); }],
      q: () => digits('\\d', 'quarter'), W: () => digits('\\d\\d?', 'weekNumber'), WW: () => digits('\\d\\d', 'weekNumber'), kkkk: () => digits('\\d{4}', 'weekYear'),
      E: () => digits('\\d', 'weekday'), EEE: () => weekday('short'), EEEE: () => weekday('long'),
      Z: () => offset('[+-]\\d{1,2}(?::\\d{2})?|Z'), ZZ: () => offset('[+-]\\d{1,2}:\\d{2}|Z'), ZZZ: () => offset('[+-]\\d{3,4}|Z'),
      z: () => ['[A-Za-z_+-]{1,256}(?:/[A-Za-z0-9_+-]{1,256}){0,2}', (fields, text) => { fields.where = text; }],
      X: () => ['-?\\d+(?:\\.\\d+)?', (fields, text) => { fields.ts = Number(text) * 1000; }], x: () => ['-?\\d+', (fields, text) => { fields.ts = Number(text); }],
    };
    return table[token.replace(/L/g, 'M').replace(/c/g, 'E')]?.();
  }

  function fromFormat(text, format, options = {}) {
    const sets = [];
    const pattern = tokens(format).map((token) => {
      if (token.startsWith("'")) return escape(token.slice(1, -1));
      const found = reader(token, options.locale ?? english);
      if (!found) return escape(token);
      sets.push(found[1]);
      return `(${found[0]})`;
    }).join('');
    const match = new RegExp(`^${pattern}$`, 'i').exec(String(text));
    if (!match) return DateTime.invalid('unparsable');
    const fields = {};
    sets.forEach((set, index) => set(fields, match[index + 1]));
    const { where, meridiem, ts, ...given } = fields;
    if (ts !== undefined) return DateTime.fromMillis(ts, options);
    if (meridiem === 'p' && given.hour < 12) given.hour += 12;
    if (meridiem === 'a' && given.hour === 12) given.hour = 0;
    if (given.day !== undefined && given.weekday !== undefined) delete given.weekday;
    return build(given, where, options);
  }

  aias.hide(DateTime, { fromISO, fromFormat, fromString: fromFormat, fromRFC2822: fromMail, fromHTTP: fromMail, fromSQL });

  /** n8n's guess for a text: ISO, mail, HTTP, SQL, digits as milliseconds or seconds, else what `Date` reads. */
  aias.parseTime = (text, options = undefined) => {
    for (const read of [fromISO, fromMail, fromSQL]) {
      const time = read(text, options);
      if (time.isValid) return time;
    }
    const date = new Date(text);
    return Number.isNaN(date.getTime()) ? DateTime.invalid('unparsable') : DateTime.fromMillis(date.getTime());
  };
})();
