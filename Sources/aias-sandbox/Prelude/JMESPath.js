// JMESPath (jmespath.org/specification): a parser by precedence, an evaluator over the tree, and the standard functions.
(() => {
  const aias = globalThis.aias;
  const fail = (message) => { throw new aias.ExpressionError(`JMESPath: ${message}`, 'jmespath'); };
  const lexer = /\s+|([A-Za-z_]\w*)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|(-?\d+)|(\[\?|\[\]|==|!=|<=|>=|&&|\|\||[.*[\]{}(),:|!<>@&])/y;
  const binding = { '|': 1, '||': 2, '&&': 3, '==': 5, '!=': 5, '<': 5, '>': 5, '<=': 5, '>=': 5, '[]': 9, '*': 20, '[?': 21, '.': 40, '!': 45, '{': 50, '[': 55, '(': 60 };

  function lex(text) {
    const out = [];
    lexer.lastIndex = 0;
    while (lexer.lastIndex < text.length) {
      const at = lexer.lastIndex;
      const match = lexer.exec(text);
      if (!match) fail(`unexpected "${text[at]}" at ${at + 1}`);
      const [, name, quoted, raw, literal, number, mark] = match;
      if (name !== undefined) out.push({ type: 'name', value: name });
      else if (quoted !== undefined) out.push({ type: 'name', quoted: true, value: aias.parse(`"${quoted}"`) });
      else if (raw !== undefined) out.push({ type: 'literal', value: raw.replace(/\\'/g, "'").replace(/\\\\/g, '\\') });
      else if (literal !== undefined) out.push({ type: 'literal', value: literalOf(literal.replace(/\\`/g, '`').trim()) });
      else if (number !== undefined) out.push({ type: 'number', value: Number(number) });
      else if (mark !== undefined) out.push({ type: mark });
    }
    return [...out, { type: 'end' }];
  }
  function literalOf(text) { try { return aias.parse(text); } catch { return aias.parse(aias.stringify(text)); } }

  function parse(text) {
    const tokens = lex(text);
    let at = 0;
    const peek = (ahead = 0) => tokens[at + ahead].type;
    const take = (type) => (peek() === type ? tokens[at++] : fail(`expected ${type}, found ${peek()}`));
    const skip = (type) => (peek() === type ? (at += 1, true) : false);

    function expression(power) {
      let left = prefix(tokens[at++]);
      while (power < (binding[peek()] ?? 0)) left = infix(left, tokens[at++]);
      return left;
    }
    function prefix(token) {
      switch (token.type) {
        case 'name': return !token.quoted && peek() === '(' ? call(token.value) : { type: 'field', name: token.value };
        case 'literal': return { type: 'literal', value: token.value };
        case '@': return { type: 'current' };
        case '!': return { type: 'not', of: expression(binding['!']) };
        case '&': return { type: 'reference', of: expression(0) };
        case '*': return { type: 'values', of: { type: 'current' }, then: projected(20) };
        case '[]': return { type: 'project', of: { type: 'flatten', of: { type: 'current' } }, then: projected(9) };
        case '[?': return filter({ type: 'current' });
        case '{': return hash();
        case '[': return bracket({ type: 'current' }, true);
        case '(': { const inside = expression(0); take(')'); return inside; }
        default: return fail(`unexpected ${token.type}`);
      }
    }
    function infix(left, token) {
      switch (token.type) {
        case '.': return skip('*') ? { type: 'values', of: left, then: projected(20) } : { type: 'sub', of: left, then: afterDot(40) };
        case '|': return { type: 'sub', pipe: true, of: left, then: expression(1) };
        case '||': return { type: 'or', left, right: expression(2) };
        case '&&': return { type: 'and', left, right: expression(3) };
        case '[]': return { type: 'project', of: { type: 'flatten', of: left }, then: projected(9) };
        case '[?': return filter(left);
        case '[': return bracket(left, false);
        default: return { type: 'compare', mark: token.type, left, right: expression(5) };
      }
    }
    function afterDot(power) {
      if (peek() === 'name' || peek() === '*') return expression(power);
      if (skip('[')) return list();
      return skip('{') ? hash() : fail(`unexpected ${peek()} after "."`);
    }
    /** What follows a projection is applied to each element. */
    function projected(power) {
      if ((binding[peek()] ?? 0) < 10) return { type: 'current' };
      if (peek() === '[' || peek() === '[?') return expressionAfter(power);
      if (skip('.')) return afterDot(power);
      return fail(`unexpected ${peek()} after a projection`);
    }
    function expressionAfter(power) {
      let left = prefix(tokens[at++]);
      while (power < (binding[peek()] ?? 0)) left = infix(left, tokens[at++]);
      return left;
    }
    function bracket(left, first) {
      if (peek() === 'number' || peek() === ':') return slice(left);
      if (peek() === '*' && peek(1) === ']') { at += 2; return { type: 'project', of: left, then: projected(20) }; }
      return first ? list() : fail('an index is missing');
    }
    function slice(left) {
      const parts = [undefined, undefined, undefined];
      let index = 0;
      while (peek() !== ']') {
        if (skip(':')) { index += 1; if (index > 2) fail('too many ":"'); } else parts[index] = take('number').value;
      }
      take(']');
      if (index === 0) return { type: 'sub', of: left, then: { type: 'index', index: parts[0] } };
      return { type: 'project', of: { type: 'sub', of: left, then: { type: 'slice', parts } }, then: projected(20) };
    }
    function filter(left) {
      const condition = expression(0);
      take(']');
      return { type: 'project', of: left, condition, then: peek() === '[]' ? { type: 'current' } : projected(21) };
    }
    function list() {
      const items = [expression(0)];
      while (skip(',')) items.push(expression(0));
      take(']');
      return { type: 'list', items };
    }
    function hash() {
      const members = [];
      do { const name = take('name').value; take(':'); members.push([name, expression(0)]); } while (skip(','));
      take('}');
      return { type: 'hash', members };
    }
    function call(name) {
      take('(');
      const given = [];
      while (peek() !== ')') { given.push(expression(0)); if (peek() !== ')') take(','); }
      take(')');
      return { type: 'call', name, given };
    }
    const tree = expression(0);
    return peek() === 'end' ? tree : fail(`unexpected ${peek()}`);
  }

  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const isFalse = (value) => value === null || value === undefined || value === false || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
  const equal = (a, b) => a === b || (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && Array.isArray(a) === Array.isArray(b)
    && Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((key) => Object.hasOwn(b, key) && equal(a[key], b[key])));
  const each = (list, then) => list.map((value) => run(then, value)).filter((value) => value !== null);

  function sliced(list, [start, stop, step = 1]) {
    if (!Array.isArray(list)) return null;
    if (step === 0) fail('the step of a slice cannot be 0');
    const clamp = (value, fallback) => (value === undefined ? fallback : value < 0 ? Math.max(value + list.length, step < 0 ? -1 : 0) : Math.min(value, step < 0 ? list.length - 1 : list.length));
    const [from, to] = step > 0 ? [clamp(start, 0), clamp(stop, list.length)] : [clamp(start, list.length - 1), clamp(stop, -1)];
    const out = [];
    for (let index = from; step > 0 ? index < to : index > to; index += step) out.push(list[index]);
    return out;
  }

  function compare({ mark, left, right }, value) {
    const [a, b] = [run(left, value), run(right, value)];
    if (mark === '==') return equal(a, b);
    if (mark === '!=') return !equal(a, b);
    if (typeof a !== 'number' || typeof b !== 'number') return null;
    return mark === '<' ? a < b : mark === '<=' ? a <= b : mark === '>' ? a > b : a >= b;
  }

  function run(node, value) {
    switch (node.type) {
      case 'current': return value ?? null;
      case 'literal': return node.value;
      case 'field': return isObject(value) && Object.hasOwn(value, node.name) ? value[node.name] ?? null : null;
      case 'index': return Array.isArray(value) ? value[node.index < 0 ? value.length + node.index : node.index] ?? null : null;
      case 'slice': return sliced(value, node.parts);
      case 'sub': { const inner = run(node.of, value); return inner === null && !node.pipe ? nullOrCall(node.then) : run(node.then, inner); }
      case 'flatten': { const inner = run(node.of, value); return Array.isArray(inner) ? inner.flat() : null; }
      case 'values': { const inner = run(node.of, value); return isObject(inner) ? each(Object.values(inner), node.then) : null; }
      case 'project': {
        const inner = run(node.of, value);
        if (!Array.isArray(inner)) return null;
        return each(node.condition ? inner.filter((element) => !isFalse(run(node.condition, element))) : inner, node.then);
      }
      case 'not': return isFalse(run(node.of, value));
      case 'or': { const left = run(node.left, value); return isFalse(left) ? run(node.right, value) : left; }
      case 'and': { const left = run(node.left, value); return isFalse(left) ? left : run(node.right, value); }
      case 'compare': return compare(node, value);
      case 'list': return value === null ? null : node.items.map((item) => run(item, value));
      case 'hash': return value === null ? null : Object.fromEntries(node.members.map(([name, member]) => [name, run(member, value)]));
      case 'reference': return (element) => run(node.of, element);
      default: {
        const body = Object.hasOwn(functions, node.name) ? functions[node.name] : fail(`unknown function ${node.name}()`);
        return body(...node.given.map((given) => run(given, value))) ?? null;
      }
    }
  }
  const nullOrCall = (node) => (node.type === 'call' || node.type === 'literal' ? run(node, null) : null);

  const typeOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
  const need = (value, name, ...types) => (types.includes(typeOf(value)) ? value : fail(`${name}() needs ${types.join(' or ')}, not ${typeOf(value)}`));
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const best = (name, sign) => (list, key = (value) => value) => need(list, name, 'array').reduce((found, value) => (found === null || order(key(value), key(found)) * sign > 0 ? value : found), null);
  const functions = {
    abs: (n) => Math.abs(need(n, 'abs', 'number')), ceil: (n) => Math.ceil(need(n, 'ceil', 'number')), floor: (n) => Math.floor(need(n, 'floor', 'number')),
    avg: (list) => (need(list, 'avg', 'array').length ? functions.sum(list) / list.length : null),
    sum: (list) => need(list, 'sum', 'array').reduce((sum, n) => sum + need(n, 'sum', 'number'), 0),
    contains: (subject, value) => (typeof need(subject, 'contains', 'array', 'string') === 'string' ? subject.includes(value) : subject.some((element) => equal(element, value))),
    starts_with: (text, start) => need(text, 'starts_with', 'string').startsWith(start),
    ends_with: (text, end) => need(text, 'ends_with', 'string').endsWith(end),
    join: (glue, list) => need(list, 'join', 'array').join(glue),
    keys: (object) => Object.keys(need(object, 'keys', 'object')), values: (object) => Object.values(need(object, 'values', 'object')),
    length: (value) => (typeof need(value, 'length', 'string', 'array', 'object') === 'string' ? [...value].length : Object.keys(value).length),
    map: (body, list) => need(list, 'map', 'array').map((value) => body(value)),
    max: best('max', 1), max_by: best('max_by', 1), min: best('min', -1), min_by: best('min_by', -1),
    merge: (...objects) => Object.assign({}, ...objects), not_null: (...values) => values.find((value) => value !== null) ?? null,
    reverse: (value) => (typeof need(value, 'reverse', 'string', 'array') === 'string' ? [...value].reverse().join('') : [...value].reverse()),
    sort: (list) => [...need(list, 'sort', 'array')].sort(order), sort_by: (list, key) => [...need(list, 'sort_by', 'array')].sort((a, b) => order(key(a), key(b))),
    to_array: (value) => (Array.isArray(value) ? value : [value]), to_string: (value) => (typeof value === 'string' ? value : aias.stringify(value)),
    to_number: (value) => (typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : null),
    type: typeOf,
  };

  const trees = new Map();
  aias.jmespath = (value, query) => {
    if (typeof query !== 'string') { if (typeof value === 'string') return aias.jmespath(query, value); fail('the query must be a text'); }
    if (!trees.has(query)) trees.set(query, parse(query));
    return run(trees.get(query), value ?? null);
  };
})();
