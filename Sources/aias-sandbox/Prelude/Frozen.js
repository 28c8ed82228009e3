// Time, chance and output of a request: the clock stands at the step's start and chance is drawn from the step's seed, so that a
// repeat of the step sees the same; console lines are kept.
(() => {
  const aias = globalThis.aias;
  const NativeDate = Date;
  let now = 0;

  function FrozenDate(...parts) {
    if (!new.target) return new NativeDate(now).toString();
    return Reflect.construct(NativeDate, parts.length ? parts : [now], new.target);
  }
  FrozenDate.prototype = NativeDate.prototype;
  aias.hide(FrozenDate, { now: () => now, parse: NativeDate.parse, UTC: NativeDate.UTC });
  Object.defineProperty(FrozenDate, 'name', { value: 'Date' });
  Object.defineProperty(FrozenDate, 'length', { value: 7 });
  NativeDate.prototype.constructor = FrozenDate;
  aias.hide(globalThis, { Date: FrozenDate });

  // sfc32 (PractRand, Chris Doty-Humphrey): 96 bits of state and a counter.
  const state = new Uint32Array(4);
  function bits() {
    const sum = (state[0] + state[1] + state[3]) | 0;
    state[3] += 1;
    state[0] = state[1] ^ (state[1] >>> 9);
    state[1] = state[2] + (state[2] << 3);
    state[2] = ((state[2] << 21) | (state[2] >>> 11)) + sum;
    return sum >>> 0;
  }
  function seed(text) {
    const value = BigInt(text);
    state[0] = Number(value & 0xffffffffn);
    state[1] = Number((value >> 32n) & 0xffffffffn);
    state[2] = 0x9e3779b9;
    state[3] = 1;
    for (let round = 0; round < 12; round += 1) bits();
  }
  Math.random = () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

  const hex = (byte) => byte.toString(16).padStart(2, '0');
  aias.hide(globalThis, {
    crypto: {
      getRandomValues(array) {
        const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        for (let index = 0; index < bytes.length; index += 1) bytes[index] = bits() & 255;
        return array;
      },
      randomUUID() {
        const bytes = this.getRandomValues(new Uint8Array(16));
        bytes[6] = (bytes[6] & 15) | 64;
        bytes[8] = (bytes[8] & 63) | 128;
        const text = Array.from(bytes, hex).join('');
        return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
      },
    },
  });

  let logs = [];
  function show(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return String(value);
    try { return aias.stringify(value) ?? String(value); } catch { return String(value); }
  }
  function log(...values) {
    const { logLines = 1000, logLineBytes = 8192 } = aias.request?.limits ?? {};
    if (logs.length < logLines) logs.push(values.map(show).join(' ').slice(0, logLineBytes));
  }
  aias.hide(globalThis, { console: { log, info: log, warn: log, error: log, debug: log, trace: log, dir: log, table: log } });

  aias.begin = (request) => {
    aias.request = request;
    now = request.facts.now;
    seed(request.facts.seed);
    logs = [];
  };
  aias.now = () => now;
  aias.logs = () => logs;
})();
