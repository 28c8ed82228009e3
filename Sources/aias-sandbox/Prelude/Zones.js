// Time zones over Intl: the offset of an instant, and the instant of a wall-clock time.
(() => {
  const aias = globalThis.aias;
  const Intl = globalThis.Intl;
  const formats = new Map();

  function format(zone) {
    if (!formats.has(zone)) {
      formats.set(zone, new Intl.DateTimeFormat('en-US', {
        timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: '2-digit', day: '2-digit',
        hour: '2-digit', minute: '2-digit', second: '2-digit',
      }));
    }
    return formats.get(zone);
  }

  /** A zone's canonical form: an IANA name, `UTC`, `UTC+2`; undefined where there is none of that name. */
  function normalize(zone) {
    if (zone === undefined || zone === null || zone === 'local' || zone === 'default' || zone === 'system') return aias.request.facts.timeZone;
    if (typeof zone === 'number') return fixed(zone);
    const text = String(zone.name ?? zone);
    const lower = text.toLowerCase();
    if (lower === 'utc' || lower === 'gmt' || lower === 'z') return 'UTC';
    const offset = /^(?:utc|gmt)?([+-]\d{1,2})(?::?(\d{2}))?$/i.exec(text);
    if (offset) return fixed(Number(offset[1]) * 60 + (offset[1].startsWith('-') ? -1 : 1) * Number(offset[2] ?? 0));
    try { format(text); return text; } catch { return undefined; }
  }

  function fixed(minutes) {
    if (minutes === 0) return 'UTC';
    const hours = Math.trunc(Math.abs(minutes) / 60);
    const rest = Math.abs(minutes) % 60;
    return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
  }

  /** Minutes east of UTC at the instant (milliseconds). */
  function offset(zone, milliseconds) {
    if (zone === 'UTC') return 0;
    const shift = /^UTC([+-]\d+)(?::(\d+))?$/.exec(zone);
    if (shift) return Number(shift[1]) * 60 + (shift[1].startsWith('-') ? -1 : 1) * Number(shift[2] ?? 0);
    const part = {};
    for (const { type, value } of format(zone).formatToParts(milliseconds)) part[type] = value;
    const year = part.era === 'BC' ? 1 - Number(part.year) : Number(part.year);
    const wall = instant({ year, month: Number(part.month), day: Number(part.day), hour: Number(part.hour), minute: Number(part.minute), second: Number(part.second), millisecond: 0 });
    return Math.round((wall - Math.floor(milliseconds / 1000) * 1000) / 60000);
  }

  /** The milliseconds of a wall-clock time read as UTC; fields beyond their range carry over. */
  function instant({ year, month, day, hour, minute, second, millisecond }) {
    const date = new Date(Date.UTC(2000, 0, 1));
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute, second, millisecond);
    return date.getTime();
  }

  /** The instant of a wall-clock time: in a gap the time moves on by the gap, in an overlap the offset of the guess is kept. */
  function resolve(fields, zone, guess = undefined) {
    const wall = instant(fields);
    const first = guess ?? offset(zone, aias.now());
    let at = wall - first * 60000;
    const second = offset(zone, at);
    if (second === first) return at;
    at -= (second - first) * 60000;
    const third = offset(zone, at);
    return third === second ? at : wall - Math.min(second, third) * 60000;
  }

  /** The wall-clock fields of an instant. */
  function fields(zone, milliseconds) {
    const date = new Date(milliseconds + offset(zone, milliseconds) * 60000);
    return {
      year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), hour: date.getUTCHours(),
      minute: date.getUTCMinutes(), second: date.getUTCSeconds(), millisecond: date.getUTCMilliseconds(),
    };
  }

  aias.zones = { normalize, offset, instant, resolve, fields, fixed };
})();
