// Buffer (the few calls that scripts make of it), atob and btoa, TextEncoder's part of UTF-8, and digests.
(() => {
  const aias = globalThis.aias;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function utf8(text) {
    const escaped = encodeURIComponent(String(text).replace(/[\ud800-\udfff]/gu, '\ufffd'));
    const bytes = [];
    for (let index = 0; index < escaped.length; index += 1) {
      if (escaped[index] === '%') { bytes.push(parseInt(escaped.slice(index + 1, index + 3), 16)); index += 2; }
      else bytes.push(escaped.charCodeAt(index));
    }
    return bytes;
  }

  /** Invalid sequences become U+FFFD, one for each byte that starts nothing. */
  function fromUTF8(bytes) {
    let out = '';
    for (let index = 0; index < bytes.length;) {
      const lead = bytes[index];
      const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
      let point = length === 1 ? lead : lead & (0xff >> (length + 1));
      let valid = length > 0 && index + length <= bytes.length;
      for (let next = 1; valid && next < length; next += 1) {
        valid = (bytes[index + next] & 0xc0) === 0x80;
        point = (point << 6) | (bytes[index + next] & 0x3f);
      }
      if (valid && (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))) valid = false;
      out += valid ? String.fromCodePoint(point) : '\ufffd';
      index += valid ? length : 1;
    }
    return out;
  }

  function toBase64(bytes) {
    let out = '';
    for (let index = 0; index < bytes.length; index += 3) {
      const [a, b, c] = [bytes[index], bytes[index + 1], bytes[index + 2]];
      out += alphabet[a >> 2] + alphabet[((a & 3) << 4) | ((b ?? 0) >> 4)];
      out += b === undefined ? '=' : alphabet[((b & 15) << 2) | ((c ?? 0) >> 6)];
      out += c === undefined ? '=' : alphabet[c & 63];
    }
    return out;
  }

  function fromBase64(text) {
    const bytes = [];
    let [bits, count] = [0, 0];
    for (const character of String(text).replace(/-/g, '+').replace(/_/g, '/')) {
      const value = alphabet.indexOf(character);
      if (value < 0) continue;
      bits = ((bits << 6) | value) & 0xffffff;
      count += 6;
      if (count >= 8) { count -= 8; bytes.push((bits >> count) & 255); }
    }
    return bytes;
  }

  const latin = (text) => Array.from(String(text), (character) => character.charCodeAt(0) & 255);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const readers = {
    utf8, 'utf-8': utf8, base64: fromBase64, base64url: fromBase64, latin1: latin, binary: latin, ascii: latin,
    hex: (text) => (String(text).match(/[0-9a-f]{2}/gi) ?? []).map((pair) => parseInt(pair, 16)),
  };
  const characters = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const writers = {
    utf8: fromUTF8, 'utf-8': fromUTF8, base64: toBase64, hex, latin1: characters, binary: characters, ascii: (bytes) => characters(bytes.map((byte) => byte & 127)),
    base64url: (bytes) => toBase64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, ''),
  };
  const coder = (table, encoding = 'utf8') => table[String(encoding).toLowerCase()] ?? (() => { throw new TypeError(`unknown encoding: ${encoding}`); })();

  class Buffer extends Uint8Array {
    static from(value, encoding) {
      if (typeof value === 'string') return new Buffer(coder(readers, encoding)(value));
      if (value instanceof ArrayBuffer) return new Buffer(value);
      if (value?.type === 'Buffer' && Array.isArray(value.data)) return new Buffer(value.data);
      return new Buffer(Array.from(value));
    }
    static alloc(size, fill = 0) { return new Buffer(size).fill(fill); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(text, encoding) { return coder(readers, encoding)(text).length; }
    static concat(list) { return Buffer.from(list.flatMap((part) => Array.from(part))); }
    toString(encoding, start = 0, end = this.length) { return coder(writers, encoding)(Array.from(this.subarray(start, end))); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return this.length === other.length && this.every((byte, index) => byte === other[index]); }
  }

  class TextEncoder { encode(text = '') { return new Uint8Array(utf8(text)); } }
  class TextDecoder { decode(bytes = []) { return fromUTF8(new Uint8Array(bytes.buffer ?? bytes)); } }

  aias.bytes = { utf8, fromUTF8, toBase64, fromBase64, hex };
  aias.hide(globalThis, { Buffer, TextEncoder, TextDecoder, btoa: (text) => toBase64(latin(text)), atob: (text) => characters(fromBase64(text)) });
})();
