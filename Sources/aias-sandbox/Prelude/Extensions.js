// n8n's methods on values in expressions, by the type of the value they are called on. Rewrite.js turns `x.name(…)` into a call of
// `aias.method(x, 'name')`, which prefers the value's own method: data with a field of that name, the language's, DateTime's.
(() => {
  const aias = globalThis.aias;
  const { ExpressionError } = aias;
  const fail = (message) => { throw new ExpressionError(message, 'argument'); };
  const isEmpty = (value) => value === null || value === undefined || value === '' || (typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0);
  const textOf = (value) => (typeof value === 'object' && value !== null ? aias.stringify(value) : String(value));
  const sameKey = (value) => `${typeof value}:${typeof value === 'object' ? aias.stringify(value) : String(value)}`;

  function toNumber(text, name) {
    const value = Number(String(text).replace(/_/g, '').trim());
    return Number.isNaN(value) || String(text).trim() === '' ? fail(`${name}(): "${text}" is no number`) : value;
  }
  const words = (text) => text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/[^\p{L}\p{N}]+/gu, ' ').trim().split(/\s+/);
  const falsy = new Set(['false', 'no', 'off', '0', '']);
  const domain = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;
  const email = /^[^\s@<>"]+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;
  const url = /^(?:https?|ftp|wss?|file):\/\/[^\s/?#]+(?:[/?#]\S*)?$/i;
  const link = /\b(?:https?|ftp):\/\/[^\s"'<>]+/i;
  const urlParts = (text) => /^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#@]*@)?([^/?#:]+)(?::\d+)?([^?#]*)/i.exec(text);
  const specials = { ß: 'ss', æ: 'ae', Æ: 'AE', ø: 'o', Ø: 'O', œ: 'oe', Œ: 'OE', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th' };

  function toDateTime(value, format) {
    if (format && typeof value === 'string') {
      const units = { ms: 1, s: 1000, us: 0.001 };
      if (units[format]) return aias.DateTime.fromMillis(toNumber(value, 'toDateTime') * units[format]);
      if (format !== 'excel') return aias.DateTime.fromFormat(value, format);
      return numbers.toDateTime(toNumber(value, 'toDateTime'), 'excel');
    }
    const time = aias.parseTime(String(value));
    return time.isValid ? time : fail(`toDateTime(): "${value}" is no date`);
  }

  const strings = {
    isEmpty: (text) => text === '',
    isNotEmpty: (text) => text !== '',
    isBlank: (text) => text.trim() === '',
    isNotBlank: (text) => text.trim() !== '',
    length: (text) => text.length,
    removeMarkdown: (text) => text
      .replace(/```[^\n]*\n?([\s\S]*?)```/g, '$1').replace(/`([^`]*)`/g, '$1').replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/^\s{0,3}#{1,6}\s+/gm, '').replace(/^\s{0,3}>\s?/gm, '').replace(/^\s*(?:[-*+]|\d+\.)\s+/gm, '').replace(/^\s*(?:[-*_]\s*){3,}$/gm, '')
      .replace(/(\*\*\*|\*\*|\*|___|__|_|~~)(?=\S)([\s\S]*?\S)\1/g, '$2').trim(),
    removeTags: (text) => text.replace(/<[^>]*>/g, ''),
    toDate: (text) => new Date(toDateTime(text).toMillis()),
    toDateTime,
    toBoolean: (text) => !falsy.has(text.trim().toLowerCase()),
    toNumber: (text) => toNumber(text, 'toNumber'),
    toFloat: (text) => (Number.isNaN(parseFloat(text)) ? fail(`toFloat(): "${text}" is no number`) : parseFloat(text)),
    toInt: (text, radix = 10) => (Number.isNaN(parseInt(text, radix)) ? fail(`toInt(): "${text}" is no number`) : parseInt(text, radix)),
    toSentenceCase: (text) => text.toLowerCase().replace(/(^\s*|[.!?]\s+)(\p{L})/gu, (_, before, letter) => before + letter.toUpperCase()),
    toSnakeCase: (text) => words(text).join('_').toLowerCase(),
    toTitleCase: (text) => text.replace(/\p{L}[\p{L}\p{N}'’]*/gu, (word) => word[0].toUpperCase() + word.slice(1).toLowerCase()),
    urlEncode: (text, whole = false) => (whole ? encodeURI(text) : encodeURIComponent(text)),
    urlDecode: (text, whole = false) => (whole ? decodeURI(text) : decodeURIComponent(text)),
    replaceSpecialChars: (text) => text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[^\x00-\x7f]/g, (character) => specials[character] ?? character),
    isDomain: (text) => domain.test(text),
    isEmail: (text) => email.test(text),
    isNumeric: (text) => text.trim() !== '' && Number.isFinite(Number(text)),
    isUrl: (text) => url.test(text),
    toJsonString: (text) => aias.stringify(text),
    parseJson: (text) => {
      try { return aias.parse(text); } catch (error) { return fail(`parseJson(): the text is no JSON (${error.message})`); }
    },
    extractEmail: (text) => /[^\s@<>"'(),:;]+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}/i.exec(text)?.[0],
    extractUrl: (text) => link.exec(text)?.[0],
    extractUrlPath: (text) => (urlParts(text) ? urlParts(text)[2] || '/' : undefined),
    extractDomain: (text) => {
      const address = email.test(text) ? text.split('@')[1] : urlParts(text)?.[1];
      return address ?? /(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}/i.exec(text)?.[0];
    },
    hash: (text, algorithm = 'md5') => aias.digest(text, algorithm),
    quote: (text, mark = '"') => mark + text.split(mark).join(`\\${mark}`) + mark,
    base64Encode: (text) => aias.bytes.toBase64(aias.bytes.utf8(text)),
    base64Decode: (text) => aias.bytes.fromUTF8(aias.bytes.fromBase64(text)),
  };
  Object.assign(strings, { toDecimalNumber: strings.toFloat, toWholeNumber: strings.toInt, fromJson: strings.parseJson, urlPath: strings.extractUrlPath });

  const listOf = (value, name) => (Array.isArray(value) ? value : fail(`${name}(): an array is needed`));
  const total = (list, name) => list.reduce((sum, value) => sum + (typeof value === 'string' ? toNumber(value, name) : typeof value === 'number' ? value : fail(`${name}(): ${textOf(value)} is no number`)), 0);
  const distinct = (list, keys) => {
    const seen = new Set();
    return list.filter((value) => {
      const key = sameKey(keys.length && value && typeof value === 'object' ? keys.map((name) => value[name]) : value);
      return !seen.has(key) && seen.add(key);
    });
  };
  const keysOf = (list) => new Set(list.map(sameKey));
  const noArray = (name) => () => fail(`${name}() cannot be called on an array; call it on each element, with map`);
  const arrays = {
    first: (list) => list[0],
    last: (list) => list[list.length - 1],
    removeDuplicates: (list, ...keys) => distinct(list, keys.flat()),
    pluck: (list, ...names) => (names.length === 0 ? list : list.map((value) => {
      if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
      return names.length === 1 ? value[names[0]] : names.map((name) => value[name]);
    })),
    randomItem: (list) => list[Math.floor(Math.random() * list.length)],
    sum: (list) => total(list, 'sum'),
    average: (list) => (list.length ? total(list, 'average') / list.length : 0),
    min: (list) => Math.min(...list.map((value) => toNumber(value, 'min'))),
    max: (list) => Math.max(...list.map((value) => toNumber(value, 'max'))),
    isEmpty: (list) => list.length === 0,
    isNotEmpty: (list) => list.length > 0,
    compact: (list) => list.filter((value) => value !== null && value !== undefined && value !== '' && value !== 'nil')
      .map((value) => (typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof aias.DateTime) ? objects.compact(value) : value))
      .filter((value) => !isEmpty(value)),
    smartJoin: (list, key, value) => Object.fromEntries(list.filter((entry) => entry && typeof entry === 'object' && key in entry && value in entry).map((entry) => [entry[key], entry[value]])),
    chunk: (list, size) => {
      if (!Number.isInteger(size) || size < 1) fail('chunk(): the size must be a whole number above 0');
      return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
    },
    renameKeys: (list, ...pairs) => {
      const names = new Map();
      const flat = pairs.flat();
      if (flat.length % 2 || !flat.length) fail('renameKeys(): pairs of an old and a new name are needed');
      for (let index = 0; index < flat.length; index += 2) names.set(flat[index], flat[index + 1]);
      return list.map((value) => (value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [names.get(key) ?? key, member])) : value));
    },
    merge: (list, other) => (other === undefined ? Object.assign({}, ...list) : listOf(other, 'merge').reduce((out, value, index) => {
      out[index] = index in list ? { ...value, ...list[index] } : value;
      return out;
    }, [...list])),
    union: (list, other) => distinct([...list, ...listOf(other, 'union')], []),
    difference: (list, other) => { const keys = keysOf(listOf(other, 'difference')); return list.filter((value) => !keys.has(sameKey(value))); },
    intersection: (list, other) => { const keys = keysOf(listOf(other, 'intersection')); return distinct(list.filter((value) => keys.has(sameKey(value))), []); },
    append: (list, ...values) => list.concat(...values.map((value) => [value])),
    toJsonString: (list) => aias.stringify(list),
    toInt: noArray('toInt'), toFloat: noArray('toFloat'), toBoolean: noArray('toBoolean'), toDateTime: noArray('toDateTime'), toNumber: noArray('toNumber'),
  };
  Object.assign(arrays, { unique: arrays.removeDuplicates, removeDuplicate: arrays.removeDuplicates });

  const objects = {
    isEmpty: (object) => Object.keys(object).length === 0,
    isNotEmpty: (object) => Object.keys(object).length > 0,
    hasField: (object, name) => Object.hasOwn(object, name),
    removeField: (object, name) => { const { [name]: _, ...rest } = object; return rest; },
    removeFieldsContaining: (object, value) => {
      if (typeof value !== 'string' || value === '') fail('removeFieldsContaining(): a text is needed');
      return Object.fromEntries(Object.entries(object).filter(([, member]) => !(typeof member === 'string' && member.includes(value))));
    },
    keepFieldsContaining: (object, value) => {
      if (typeof value !== 'string' || value === '') fail('keepFieldsContaining(): a text is needed');
      return Object.fromEntries(Object.entries(object).filter(([, member]) => typeof member === 'string' && member.includes(value)));
    },
    compact: (object) => Object.fromEntries(Object.entries(object)
      .filter(([, member]) => member !== null && member !== undefined && member !== '' && member !== 'nil')
      .map(([key, member]) => [key, typeof member === 'object' && !Array.isArray(member) && !(member instanceof Date) && !(member instanceof aias.DateTime) ? objects.compact(member) : member])
      .filter(([, member]) => !isEmpty(member))),
    urlEncode: (object) => Object.entries(object).map(([key, member]) => `${formEncode(key)}=${formEncode(textOf(member))}`).join('&'),
    keys: (object) => Object.keys(object),
    values: (object) => Object.values(object),
    merge: (object, other) => ({ ...other, ...object }),
    toJsonString: (object) => aias.stringify(object),
    toInt: () => fail('toInt() cannot be called on an object'),
    toFloat: () => fail('toFloat() cannot be called on an object'),
    toBoolean: () => fail('toBoolean() cannot be called on an object'),
    toDateTime: () => fail('toDateTime() cannot be called on an object'),
  };
  const formEncode = (text) => encodeURIComponent(text).replace(/%20/g, '+');

  const rounded = (change) => (number, digits = 0) => { const scale = 10 ** digits; return change(Number((number * scale).toPrecision(15))) / scale; };
  const whole = (test) => (number, name) => (Number.isInteger(number) ? test(number) : fail(`${name}: ${number} is no whole number`));
  const numbers = {
    ceil: rounded(Math.ceil), floor: rounded(Math.floor), round: rounded(Math.round),
    abs: (number) => Math.abs(number),
    format: (number, locale = 'en-US', options = undefined) => new Intl.NumberFormat(locale, options).format(number),
    isEven: (number) => whole((value) => value % 2 === 0)(number, 'isEven()'),
    isOdd: (number) => whole((value) => Math.abs(value) % 2 === 1)(number, 'isOdd()'),
    isInteger: (number) => Number.isInteger(number),
    isEmpty: () => false,
    isNotEmpty: () => true,
    toBoolean: (number) => number !== 0,
    toInt: (number) => Math.trunc(number), toFloat: (number) => number, toNumber: (number) => number,
    toJsonString: (number) => aias.stringify(number),
    toDateTime: (number, format = 'ms') => {
      const scale = { ms: 1, s: 1000, us: 0.001 }[format];
      if (scale) return aias.DateTime.fromMillis(number * scale);
      // Excel counts days from 1899-12-30.
      return format === 'excel' ? aias.DateTime.fromMillis((number - 25569) * 86400000) : fail(`toDateTime(): unknown format ${format}; known are ms, s, us, excel`);
    },
  };
  const booleans = {
    isEmpty: () => false, isNotEmpty: () => true, toBoolean: (value) => value, toString: (value) => String(value), toJsonString: (value) => String(value),
    toInt: Number, toFloat: Number, toNumber: Number, toDateTime: () => fail('toDateTime() cannot be called on a boolean'),
  };
  const nothing = { isEmpty: () => true, isNotEmpty: () => false, isBlank: () => true, isNotBlank: () => false, toBoolean: () => false, toJsonString: () => 'null' };
  const dateMethods = ['beginningOf', 'endOfMonth', 'extract', 'format', 'isBetween', 'isDst', 'isInLast', 'isWeekend', 'plus', 'minus', 'diffTo', 'diffToNow', 'toDateTime', 'toInt', 'toFloat', 'isEmpty', 'isNotEmpty'];
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

  /** The function to call for `value.name(…)`. */
  aias.method = (value, name) => {
    if (value !== null && value !== undefined && typeof value[name] === 'function') return value[name].bind(value);
    const found = tableOf(value)[name];
    if (found) return (...given) => found(value, ...given);
    if (value === null || value === undefined) throw new TypeError(`${name}() is called on ${value}`);
    const types = Object.keys(tables).filter((type) => tables[type][name]);
    throw new ExpressionError(`${name}() is for ${types.join(', ')}, not for ${Array.isArray(value) ? 'an array' : `a ${typeof value}`}`, 'type');
  };

  const numbersOf = (values) => values.flat().map((value) => (typeof value === 'number' ? value : toNumber(value, '$min, $max, $average')));
  aias.hide(globalThis, {
    $if: (condition, then, otherwise) => (condition ? then : otherwise),
    $ifEmpty: (value, fallback) => (isEmpty(value) ? fallback : value),
    $min: (...values) => Math.min(...numbersOf(values)),
    $max: (...values) => Math.max(...numbersOf(values)),
    $average: (...values) => numbersOf(values).reduce((sum, value) => sum + value, 0) / values.flat().length,
    $not: (value) => !value,
    numberList: (start, end) => Array.from({ length: Math.max(0, Math.abs(end - start) + 1) }, (_, index) => start + (end < start ? -index : index)),
    zip: (keys, values) => (keys.length === values.length ? Object.fromEntries(keys.map((key, index) => [key, values[index]])) : fail('zip(): both lists must have the same length')),
  });
})();
