// Digests of texts: MD5 (RFC 1321), SHA-1, SHA-224, SHA-256, SHA-384, SHA-512 (FIPS 180-4), as hexadecimal text. SHA3-512 (FIPS 202), which n8n
// calls sha3, is the client's.
(() => {
  const aias = globalThis.aias;
  const rotate = (value, count) => (value << count) | (value >>> (32 - count));
  const primes = (count) => {
    const found = [];
    for (let candidate = 2; found.length < count; candidate += 1) if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
    return found;
  };

  /** The message with a one bit, zeros and its length in bits, as big- or little-endian words of 32 bits. */
  function words(bytes, block, little) {
    const padded = [...bytes, 128];
    while (padded.length % block !== block - 8) padded.push(0);
    const bits = BigInt(bytes.length) * 8n;
    for (let index = 0; index < 8; index += 1) padded.push(Number((bits >> BigInt(little ? index * 8 : 56 - index * 8)) & 255n));
    const out = [];
    for (let at = 0; at < padded.length; at += 4) {
      const [a, b, c, d] = padded.slice(at, at + 4);
      out.push(little ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d);
    }
    return out;
  }
  const hex32 = (values) => values.map((value) => (value >>> 0).toString(16).padStart(8, '0')).join('');

  function md5(bytes) {
    const table = Array.from({ length: 64 }, (_, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 4294967296) | 0);
    const shifts = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    const message = words(bytes, 64, true);
    const state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
    for (let at = 0; at < message.length; at += 16) {
      let [a, b, c, d] = state;
      for (let step = 0; step < 64; step += 1) {
        const round = step >> 4;
        const mix = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
        const index = [step, 5 * step + 1, 3 * step + 5, 7 * step][round] % 16;
        const sum = (a + mix + table[step] + message[at + index]) | 0;
        [a, d, c, b] = [d, c, b, (b + rotate(sum, shifts[round][step % 4])) | 0];
      }
      [a, b, c, d].forEach((value, index) => { state[index] = (state[index] + value) | 0; });
    }
    return hex32(state.map((value) => ((value & 255) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)));
  }

  function sha1(bytes) {
    const message = words(bytes, 64, false);
    const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    for (let at = 0; at < message.length; at += 16) {
      const schedule = message.slice(at, at + 16);
      for (let step = 16; step < 80; step += 1) schedule.push(rotate(schedule[step - 3] ^ schedule[step - 8] ^ schedule[step - 14] ^ schedule[step - 16], 1));
      let [a, b, c, d, e] = state;
      schedule.forEach((word, step) => {
        const round = Math.floor(step / 20);
        const mix = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][round];
        const sum = (rotate(a, 5) + mix + e + [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round] + word) | 0;
        [e, d, c, b, a] = [d, c, rotate(b, 30), a, sum];
      });
      [a, b, c, d, e].forEach((value, index) => { state[index] = (state[index] + value) | 0; });
    }
    return hex32(state);
  }

  /** The integer part of a root of n scaled by 2^bits, taken by Newton's method on whole numbers. */
  function root(n, power, bits) {
    const value = BigInt(n) << BigInt(bits * power);
    const exponent = BigInt(power);
    let guess = 1n << BigInt(bits + 6);
    for (;;) {
      const next = ((exponent - 1n) * guess + value / guess ** (exponent - 1n)) / exponent;
      if (next >= guess) return guess & ((1n << BigInt(bits)) - 1n);
      guess = next;
    }
  }

  /** SHA-2 over words of 32 or 64 bits, on BigInt: digests are short texts here. */
  function sha2(bytes, size, initial, length) {
    const [bits, rounds, block] = size === 32 ? [32n, 64, 64] : [64n, 80, 128];
    const mask = (1n << bits) - 1n;
    const turn = (value, count) => ((value >> count) | (value << (bits - count))) & mask;
    const [S0, S1, s0, s1] = size === 32
      ? [[2n, 13n, 22n], [6n, 11n, 25n], [7n, 18n, 3n], [17n, 19n, 10n]] : [[28n, 34n, 39n], [14n, 18n, 41n], [1n, 8n, 7n], [19n, 61n, 6n]];
    const big = (value, [a, b, c]) => turn(value, a) ^ turn(value, b) ^ turn(value, c);
    const small = (value, [a, b, c]) => turn(value, a) ^ turn(value, b) ^ (value >> c);
    const constants = primes(rounds).map((prime) => root(prime, 3, size));
    const padded = [...bytes, 128];
    while (padded.length % block !== block - 8) padded.push(0);
    for (let shift = 56n; shift >= 0n; shift -= 8n) padded.push(Number(((BigInt(bytes.length) * 8n) >> shift) & 255n));
    const state = [...initial];
    for (let at = 0; at < padded.length; at += block) {
      const schedule = [];
      for (let word = 0; word < 16; word += 1) {
        let value = 0n;
        for (let byte = 0; byte < size / 8; byte += 1) value = (value << 8n) | BigInt(padded[at + (word * size) / 8 + byte]);
        schedule.push(value);
      }
      for (let step = 16; step < rounds; step += 1) schedule.push((small(schedule[step - 2], s1) + schedule[step - 7] + small(schedule[step - 15], s0) + schedule[step - 16]) & mask);
      let [a, b, c, d, e, f, g, h] = state;
      for (let step = 0; step < rounds; step += 1) {
        const first = h + big(e, S1) + ((e & f) ^ (~e & mask & g)) + constants[step] + schedule[step];
        const second = big(a, S0) + ((a & b) ^ (a & c) ^ (b & c));
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) & mask, c, b, a, (first + second) & mask];
      }
      [a, b, c, d, e, f, g, h].forEach((value, index) => { state[index] = (state[index] + value) & mask; });
    }
    return state.map((value) => value.toString(16).padStart(size / 4, '0')).join('').slice(0, length / 4);
  }

  const roots = (from, count, size) => primes(from + count).slice(from).map((prime) => root(prime, 2, size));
  const algorithms = {
    md5, sha1,
    sha224: (bytes) => sha2(bytes, 32, roots(8, 8, 64).map((value) => value & 0xffffffffn), 224),
    sha256: (bytes) => sha2(bytes, 32, roots(0, 8, 32), 256),
    sha384: (bytes) => sha2(bytes, 64, roots(8, 8, 64), 384),
    sha512: (bytes) => sha2(bytes, 64, roots(0, 8, 64), 512),
  };
  aias.digest = (text, algorithm = 'md5') => {
    const name = String(algorithm).toLowerCase().replace('-', '');
    if (name === 'base64') return aias.bytes.toBase64(aias.bytes.utf8(text));
    if (name === 'sha3') return aias.parse(aias.askText({ what: 'digest', text: String(text) })).value;
    if (!algorithms[name]) throw new aias.ExpressionError(`hash: unknown algorithm ${algorithm}; known are base64, ${Object.keys(algorithms).join(', ')}, sha3`, 'argument');
    return algorithms[name](aias.bytes.utf8(text));
  };
})();
