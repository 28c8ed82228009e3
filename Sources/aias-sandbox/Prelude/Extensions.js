// n8n's methods on values in expressions, by the type of the value they are called on. Rewrite.js turns `x.name(…)` into a call of
// `aias.method(x, 'name')`, which prefers the value's own method: data with a field of that name, the language's, DateTime's.
(() => {
  const aias = globalThis.aias;
  const { ExpressionError } = aias;
  const fail = (message) => { throw new ExpressionError(message, 'argument'); };
  const isEmpty = (value) => value === null || value === undefined || value === '' || (typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0);
  /** JSON text with the members in one order, so that values are equal where it is. */
  const sameKey = (value) => `${typeof value}:${aias.stringify(value, (_, member) => (member !== null && typeof member === 'object' && !Array.isArray(member)
    ? Object.fromEntries(Object.keys(member).sort().map((name) => [name, member[name]])) : member))}`;

  // The symbols that n8n leaves out of numbers, in its order: where two begin alike, the earlier one is taken.
  const currencies = ('Lek ؋ $ ƒ ₼ Br BZ$ KM P лв R$ ៛ ¥ ₡ kn ₱ Kč kr RD$ £ € ¢ Q L Ft ₹ Rp ﷼ ₪ J$ ₩ ₭ ден RM ₨ ₮ MT C$ ₦ B/. Gs S/. zł lei ₽ '
    + 'Дин. S R CHF NT$ ฿ TT$ ₺ ₴ Bs ₫ Z$').split(' ');
  const currency = new RegExp(currencies.map((symbol) => symbol.replace(/[$.]/g, '\\$&')).join('|'), 'gu');
  function numberOf(text, kind, read) {
    const value = read(text.replace(currency, ''));
    return Number.isNaN(value) ? fail(`cannot convert to ${kind}`) : value;
  }
  const toNumber = (text) => numberOf(String(text), 'number', Number);

  const falsy = new Set(['false', 'no', '0', '']);
  const atom = '[^<>()[\\]\\\\.,;:\\s@"]+';
  const email = new RegExp(`(?:${atom}(?:\\.${atom})*|".+")@(\\[\\d{1,3}(?:\\.\\d{1,3}){3}\\]|(?:[a-z\\d-]+\\.)+[a-z]{2,})`, 'i');
  const host = '(?:[-\\w]+\\.)+(?:[a-z]{2,}|xn--[a-z\\d]+)|localhost|\\d{1,3}(?:\\.\\d{1,3}){3}';
  const afterHost = '(?::\\d+)?(?:/[^\\s?]*)?(?:\\?[^\\s#]*)?(?:#\\S*)?$';
  const domain = new RegExp(`^(?:${host})${afterHost}`, 'i');
  const address = new RegExp(`^(?:(?:https?|ftp)://)?(?:mailto:)?(?://)?(${host})${afterHost}`, 'i');
  const link = new RegExp(`(?:https?|ftp)://(?:${host})\\S*`, 'i');
  const url = new RegExp(`^${link.source}$`, 'i');
  const isEmail = (text) => email.test(text) && !text.includes(' ');
  const path = /^[a-z][a-z\d+.-]*:(?:\/\/[^/?#\\]+([^?#]*)|(?!\/\/)([^?#]*))/i;
  const specials = { ß: 'ss', æ: 'ae', Æ: 'AE', ø: 'o', Ø: 'O', œ: 'oe', Œ: 'OE', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th' };

  const smallWords = 'a ad an and as at because but by en for if in neither nor of on only or over per so some than that the to up upon v versus via vs when '
    + 'with without yet';
  const small = new RegExp(`\\b(?:${smallWords.replaceAll(' ', '|')})\\b`, 'i');
  /** What has capitals or dots inside stays as it is, and so do a link's scheme and, but for the first and the last one, small words. */
  const titled = (text) => text.replace(/[^\s:–—-]+/g, (word, at) => {
    const end = at + word.length;
    const isLink = text[end] === ':' && !/\s/.test(text[end + 1] ?? '');
    const stays = isLink || /.[A-Z]|.\../.test(word) || (small.test(word) && at > 0 && end < text.length);
    return stays ? word : word.replace(/[A-Za-z0-9À-ÿ]/, (letter) => letter.toUpperCase());
  });

  /** In n8n's steps: lists, strikethrough and fences, tags and notes, images and links, quotations and headings, emphasis and code. */
  function withoutMarkdown(text) {
    const steps = [
      [/^(\s*)(?:[*+-]|\d\.)\s+/gm, '$1'], [/\n={2,}/g, '\n'], [/~~/g, ''], [/```.*\n/g, ''],
      [/<[\w|\s='":(),;/.-]+[>|\\]/g, ''], [/^[=-]{2,}\s*$/g, ''], [/\[\^.+?\](?:: .*?$)?/g, ''], [/\s{0,2}\[.*?\]: .*?$/g, ''],
      [/!\[.*?\][[(].*?[\])]/g, ''], [/\[(.*?)\][[(].*?[\])]/g, '$1'],
      [/>/g, ''], [/^#{1,6}\s*([^#]*)\s*(?:#{1,6})?/gm, '$1'],
      [/([*_]{1,3})(\S.*?\S)\1/g, '$2'], [/(`{3,})(.*?)\1/gm, '$2'], [/^-{3,}\s*$/g, ''], [/`(.+?)`/g, '$1'], [/\n{2,}/g, '\n\n'],
    ];
    return steps.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
  }

  function toDateTime(value, format) {
    if (format && typeof value === 'string') {
      const units = { ms: 1, s: 1000, us: 0.001 };
      if (units[format]) return aias.DateTime.fromMillis(Number(value) * units[format]);
      if (format !== 'excel') return aias.DateTime.fromFormat(value, format);
      return numbers.toDateTime(Number(value), 'excel');
    }
    const time = aias.parseTime(String(value), { setZone: true });
    return time.isValid ? time : fail(`toDateTime(): "${value}" is no date`);
  }

  const strings = {
    isEmpty: (text) => text === '',
    isNotEmpty: (text) => text !== '',
    isBlank: (text) => text.trim() === '',
    isNotBlank: (text) => text.trim() !== '',
    length: (text) => text.length,
    removeMarkdown: withoutMarkdown,
    removeTags: (text) => text.replace(/<[^>]*>?/g, ''),
    toDate: (text) => new Date(toDateTime(text).toMillis()),
    toDateTime,
    toBoolean: (text) => !falsy.has(text.toLowerCase()),
    toNumber,
    toFloat: (text) => (text.includes(',') ? fail('cannot convert to float, expected . as decimal separator') : numberOf(text, 'float', parseFloat)),
    toInt: (text, radix = undefined) => numberOf(text, 'integer', (digits) => parseInt(digits, radix)),
    toSentenceCase: (text) => {
      let isStart = true;
      return text.replace(/\p{L}|[!?.]/gu, (character) => {
        if (/[!?.]/.test(character)) { isStart = true; return character; }
        const letter = isStart ? character.toUpperCase() : character.toLowerCase();
        isStart = false;
        return letter;
      });
    },
    toSnakeCase: (text) => text.toLowerCase().replace(/[ -]/g, '_').replace(/[\u2000-\u206F\u2E00-\u2E7F\\'!"#$%&()*+,./:;<=>?@[\]^`{|}~]/g, ''),
    toTitleCase: titled,
    urlEncode: (text, whole = false) => (whole ? encodeURI(text) : encodeURIComponent(text)),
    urlDecode: (text, whole = false) => (whole ? decodeURI(text) : decodeURIComponent(text)),
    replaceSpecialChars: (text) => text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[^\x00-\x7f]/g, (character) => specials[character] ?? character),
    isDomain: (text) => domain.test(text),
    isEmail,
    isNumeric: (text) => !text.includes(' ') && !Number.isNaN(Number(text)) && !Number.isNaN(parseFloat(text)),
    isUrl: (text) => url.test(text),
    toJsonString: (text) => aias.stringify(text),
    parseJson: (text) => {
      try { return aias.parse(text); } catch (error) { return fail(`parseJson(): the text is no JSON (${error.message})`); }
    },
    extractEmail: (text) => email.exec(text)?.[0],
    extractUrl: (text) => link.exec(text)?.[0],
    extractUrlPath: (text) => {
      const found = path.exec(text.trim());
      return found ? found[2] ?? (found[1] || '/') : undefined;
    },
    extractDomain: (text) => (isEmail(text) ? email : address).exec(text)?.[1],
    hash: (text, algorithm = 'md5') => aias.digest(text, algorithm),
    quote: (text, mark = '"') => mark + text.replaceAll('\\', '\\\\').replaceAll(mark, () => `\\${mark}`) + mark,
    base64Encode: (text) => aias.bytes.toBase64(aias.bytes.utf8(text)),
    base64Decode: (text) => aias.bytes.fromUTF8(aias.bytes.fromBase64(text)),
  };
  Object.assign(strings, { toDecimalNumber: strings.toFloat, toWholeNumber: strings.toInt, fromJson: strings.parseJson, urlPath: strings.extractUrlPath });

  const listOf = (value, name) => (Array.isArray(value) ? value : fail(`${name}(): expected array arg, e.g. .${name}([1, 2, 3, 4])`));
  const numbersIn = (list, name) => (list.every((value) => typeof value === 'number') ? list : fail(`${name}(): all array elements must be numbers`));
  const total = (list, name) => numbersIn(list, name).reduce((sum, value) => sum + value, 0);
  const distinct = (list, keys) => {
    const seen = new Set();
    return list.filter((value) => {
      const key = sameKey(keys.length && value && typeof value === 'object' ? keys.map((name) => value[name]) : value);
      return !seen.has(key) && seen.add(key);
    });
  };
  const keysOf = (list) => new Set(list.map(sameKey));
  const isBlank = (value) => value === null || value === undefined || value === '' || value === 'nil'
    || (typeof value === 'object' && Object.keys(value).length === 0);
  const mergedObjects = (first, second) => ({ ...first, ...Object.fromEntries(Object.entries(second ?? {}).filter(([name]) => !(name in first))) });
  const nothingOf = () => undefined;
  const isRecord = (value) => value !== null && typeof value === 'object';
  const arrays = {
    first: (list) => list[0],
    last: (list) => list[list.length - 1],
    removeDuplicates: (list, ...keys) => distinct(list, keys.flat()),
    pluck: (list, ...names) => (names.length === 0 ? list : list.flatMap((value) => {
      const found = isRecord(value) ? Object.keys(value).flatMap((key) => names.filter((name) => name === key).map(() => value[key])) : [];
      return found.length > 1 ? [found] : found;
    })),
    randomItem: (list) => list[Math.floor(Math.random() * list.length)],
    sum: (list) => total(list, 'sum'),
    average: (list) => (list.length ? total(list, 'average') / list.length : 0),
    min: (list) => Math.min(...numbersIn(list, 'min')),
    max: (list) => Math.max(...numbersIn(list, 'max')),
    isEmpty: (list) => list.length === 0,
    isNotEmpty: (list) => list.length > 0,
    compact: (list) => list.filter((value) => !isBlank(value)).map((value) => (typeof value === 'object' ? objects.compact(value) : value)),
    smartJoin: (list, key, value) => Object.fromEntries(list.filter((entry) => entry && typeof entry === 'object' && key in entry && value in entry).map((entry) => [entry[key], entry[value]])),
    chunk: (list, size) => {
      if (!Number.isInteger(size) || size < 1) fail('chunk(): the size must be a whole number above 0');
      return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
    },
    renameKeys: (list, ...names) => {
      if (names.length % 2 || !names.length) {
        fail('renameKeys(): expected an even amount of args: from1, to1 [, from2, to2, ...]. e.g. .renameKeys("name", "title")');
      }
      return list.map((value) => {
        if (!isRecord(value)) return value;
        const renamed = { ...value };
        for (let index = 0; index < names.length; index += 2) {
          if (!(names[index] in renamed) || names[index] === names[index + 1]) continue;
          renamed[names[index + 1]] = renamed[names[index]];
          delete renamed[names[index]];
        }
        return renamed;
      });
    },
    /** One object; of members with the same name the first one's stays. With another list, each object with that in the same place. */
    merge: (list, other) => (other === undefined
      ? list.filter((value) => isRecord(value) && !Array.isArray(value)).reduce(mergedObjects, {})
      : listOf(other, 'merge').reduce(
        (out, value, index) => (isRecord(value) && isRecord(list[index]) ? { ...out, ...mergedObjects(list[index], value) } : out), {})),
    union: (list, other) => distinct([...list, ...listOf(other, 'union')], []),
    difference: (list, other) => { const keys = keysOf(listOf(other, 'difference')); return distinct(list.filter((value) => !keys.has(sameKey(value))), []); },
    intersection: (list, other) => { const keys = keysOf(listOf(other, 'intersection')); return distinct(list.filter((value) => keys.has(sameKey(value))), []); },
    append: (list, ...values) => list.concat(...values.map((value) => [value])),
    toJsonString: (list) => aias.stringify(list),
    toInt: nothingOf, toFloat: nothingOf, toBoolean: nothingOf, toDateTime: nothingOf,
  };
  Object.assign(arrays, { unique: arrays.removeDuplicates, removeDuplicate: arrays.removeDuplicates });

  const objects = {
    isEmpty: (object) => Object.keys(object).length === 0,
    isNotEmpty: (object) => Object.keys(object).length > 0,
    hasField: (object, name) => name in object,
    removeField: (object, name) => { const { [name]: _, ...rest } = object; return rest; },
    removeFieldsContaining: (object, value) => {
      if (typeof value !== 'string' || value === '') fail('removeFieldsContaining(): a text is needed');
      return Object.fromEntries(Object.entries(object).filter(([, member]) => !(typeof member === 'string' && member.includes(value))));
    },
    keepFieldsContaining: (object, value) => {
      if (typeof value !== 'string' || value === '') fail('keepFieldsContaining(): a text is needed');
      return Object.fromEntries(Object.entries(object).filter(([, member]) => typeof member === 'string' && member.includes(value)));
    },
    compact: (object) => Object.fromEntries(Object.entries(object).filter(([, member]) => !isBlank(member))
      .map(([key, member]) => [key, typeof member === 'object' ? objects.compact(member) : member])),
    urlEncode: (object) => Object.entries(object).map(([key, member]) => `${formEncode(key)}=${formEncode(String(member))}`).join('&'),
    keys: (object) => Object.keys(object),
    values: (object) => Object.values(object),
    merge: (object, other) => mergedObjects(object, other),
    toJsonString: (object) => aias.stringify(object),
    toInt: nothingOf, toFloat: nothingOf, toBoolean: nothingOf, toDateTime: nothingOf,
  };
  /** application/x-www-form-urlencoded (WHATWG URL, 5.2). */
  const formEncode = (text) => encodeURIComponent(text).replace(/%20/g, '+')
    .replace(/[!'()~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

  const fixed = (number, digits = 0) => Number(number.toFixed(digits));
  const whole = (test) => (number, name) => (Number.isInteger(number) ? test(number) : fail(`${name}: ${number} is no whole number`));
  const numbers = {
    ceil: (number) => Math.ceil(number), floor: (number) => Math.floor(number), round: fixed,
    abs: (number) => Math.abs(number),
    format: (number, locale = 'en-US', options = undefined) => new Intl.NumberFormat(locale, options).format(number),
    isEven: (number) => whole((value) => value % 2 === 0)(number, 'isEven()'),
    isOdd: (number) => whole((value) => Math.abs(value) % 2 === 1)(number, 'isOdd()'),
    isInteger: (number) => Number.isInteger(number),
    isEmpty: (number) => !number,
    isNotEmpty: (number) => Boolean(number),
    toBoolean: (number) => number !== 0,
    toInt: (number) => fixed(number), toFloat: (number) => number, toNumber: (number) => number,
    toJsonString: (number) => aias.stringify(number),
    toDateTime: (number, format = 'ms') => {
      const scale = { ms: 1, s: 1000, us: 0.001 }[format];
      if (scale) return aias.DateTime.fromMillis(number * scale);
      // Excel counts days from 1899-12-30.
      return format === 'excel' ? aias.DateTime.fromMillis((number - 25569) * 86400000) : fail(`toDateTime(): unknown format ${format}; known are ms, s, us, excel`);
    },
  };
  const booleans = {
    isEmpty: (value) => !value, isNotEmpty: (value) => value, toBoolean: (value) => value, toString: (value) => String(value), toJsonString: (value) => String(value),
    toInt: Number, toFloat: Number, toNumber: Number, toDateTime: nothingOf,
  };
  const nothing = { isEmpty: () => true, isNotEmpty: () => false };
  const dateMethods = ['beginningOf', 'endOfMonth', 'extract', 'format', 'isBetween', 'isDst', 'isInLast', 'isWeekend', 'plus', 'minus', 'diffTo', 'diffToNow', 'toDateTime', 'toInt', 'toFloat', 'toBoolean', 'isEmpty', 'isNotEmpty'];
  const dateResults = new Set(['beginningOf', 'endOfMonth', 'plus', 'minus']);
  const dates = Object.fromEntries(dateMethods.map((name) => [name, (date, ...values) => {
    const result = aias.DateTime.fromJSDate(date)[name](...values);
    return dateResults.has(name) ? new Date(result.toMillis()) : result;
  }]));
  const times = { toJsonString: (time) => aias.stringify(time) };

  function tableOf(value) {
    if (value === null || value === undefined) return nothing;
    if (typeof value === 'string') return strings;
    if (typeof value === 'number') return numbers;
    if (typeof value === 'boolean') return booleans;
    if (Array.isArray(value)) return arrays;
    if (value instanceof aias.DateTime) return times;
    return value instanceof Date ? dates : typeof value === 'object' ? objects : {};
  }

  const tables = { string: strings, number: numbers, boolean: booleans, array: arrays, object: objects, date: dates };
  aias.methodNames = new Set(Object.values(tables).flatMap(Object.keys).filter((name) => name !== 'toString'));

  /** A text that is exactly what `Date.toISOString` writes is a Date to n8n's methods, but for those that read texts as dates. */
  function dateOf(value, name) {
    if (typeof value !== 'string' || value.length !== 24 || !dates[name] || name === 'toDateTime') return undefined;
    const date = new Date(value);
    return !Number.isNaN(date.getTime()) && date.toISOString() === value ? date : undefined;
  }

  /** The function to call for `value.name(…)`. */
  aias.method = (value, name) => {
    const date = dateOf(value, name);
    if (date) return (...given) => dates[name](date, ...given);
    if (value !== null && value !== undefined && typeof value[name] === 'function') return value[name].bind(value);
    const found = tableOf(value)[name];
    if (found) return (...given) => found(value, ...given);
    if (value === null || value === undefined) throw new ExpressionError(`${name} can't be used on ${value} value`, 'type');
    const types = Object.keys(tables).filter((type) => tables[type][name]);
    throw new ExpressionError(`${name}() is for ${types.join(', ')}, not for ${Array.isArray(value) ? 'an array' : `a ${typeof value}`}`, 'type');
  };

  /** The same behind `?.`: nothing to call where there is no value, so that the chain ends there. */
  aias.optionalMethod = (value, name) => (value === null || value === undefined ? undefined : aias.method(value, name));

  const numbersOf = (values) => values.flat().map((value) => (typeof value === 'number' ? value : toNumber(value)));
  aias.hide(globalThis, {
    $if: (condition, then, otherwise = false) => (condition ? then : otherwise),
    $ifEmpty: (value, fallback) => (isEmpty(value) ? fallback : value),
    $min: (...values) => Math.min(...numbersOf(values)),
    $max: (...values) => Math.max(...numbersOf(values)),
    $average: (...values) => numbersOf(values).reduce((sum, value) => sum + value, 0) / values.flat().length,
    $not: (value) => !value,
    numberList: (start, end) => Array.from({ length: Math.max(0, Math.abs(end - start) + 1) }, (_, index) => start + (end < start ? -index : index)),
    zip: (keys, values) => (keys.length === values.length ? Object.fromEntries(keys.map((key, index) => [key, values[index]])) : fail('zip(): both lists must have the same length')),
  });
})();
