// Rewrites an expression before it is compiled: `x.name(` becomes `$$method(x,"name")(` for n8n's method names, so that they work on
// every value without a change to the built-ins, `x?.name(` becomes `$$optional(x,"name")?.(`, and `$if(c, a, b)` evaluates only the
// chosen branch.
(() => {
  const aias = globalThis.aias;
  const token = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?|[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|\?\.(?!\d)|=>|[=!]==?|[<>]=?|\+\+|--|&&|\|\||\?\?|\*\*|[\s\S]/uy;
  const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
  const words = new Set(['return', 'typeof', 'instanceof', 'in', 'of', 'new', 'delete', 'void', 'throw', 'case', 'do', 'else', 'await', 'yield']);
  const isBlank = (text) => /^(?:\s|\/\/|\/\*)/.test(text) && text !== '/';
  const isName = (text) => /^[\p{ID_Start}$_]/u.test(text);
  const endsValue = (text) => text !== undefined && (text === ')' || text === ']' || text === '}' || text.endsWith('`') || /^["'`\d]/.test(text) || (isName(text) && !words.has(text)));

  /** Texts of the tokens; a template literal is one token whose `${}` parts are rewritten already. */
  function split(source) {
    const out = [];
    let last;
    for (let at = 0; at < source.length;) {
      let text;
      if (source[at] === '`') text = template(source, at);
      else if (source[at] === '/' && source[at + 1] !== '/' && source[at + 1] !== '*' && !endsValue(last)) {
        regex.lastIndex = at;
        text = regex.exec(source)?.[0] ?? '/';
      } else {
        token.lastIndex = at;
        text = token.exec(source)[0];
      }
      at += typeof text === 'string' ? text.length : text.length_;
      const value = typeof text === 'string' ? text : text.text;
      out.push(value);
      if (!isBlank(value)) last = value;
    }
    return out;
  }

  function template(source, start) {
    let text = '`';
    let at = start + 1;
    while (at < source.length && source[at] !== '`') {
      if (source[at] === '\\') { text += source.slice(at, at + 2); at += 2; continue; }
      if (source[at] !== '$' || source[at + 1] !== '{') { text += source[at]; at += 1; continue; }
      const end = closing(source, at + 2);
      text += `\${${rewrite(source.slice(at + 2, end))}}`;
      at = end + 1;
    }
    return { text: `${text}\``, length_: at + 1 - start };
  }

  /** Where the `}` of a template's part is. */
  function closing(source, start) {
    let depth = 0;
    for (let at = start; at < source.length;) {
      if (source[at] === '`') { at += template(source, at).length_; continue; }
      if (source[at] === '}' && depth === 0) return at;
      token.lastIndex = at;
      const [text] = token.exec(source);
      if (text === '{') depth += 1;
      if (text === '}') depth -= 1;
      at += text.length;
    }
    return source.length;
  }

  const before = (tokens, index) => { let at = index - 1; while (at >= 0 && isBlank(tokens[at])) at -= 1; return at; };
  const after = (tokens, index) => { let at = index + 1; while (at < tokens.length && isBlank(tokens[at])) at += 1; return at; };
  // Without a prototype: `toString` opens nothing.
  const opens = { __proto__: null, ')': '(', ']': '[', '}': '{' };

  function opening(tokens, index) {
    let depth = 0;
    for (let at = index; at >= 0; at -= 1) {
      if (tokens[at] in opens) depth += 1;
      else if (Object.values(opens).includes(tokens[at])) depth -= 1;
      if (depth === 0) return at;
    }
    return -1;
  }

  /** The first token of the member or call chain that ends at `end`; -1 where it is none. */
  function chainStart(tokens, end) {
    let at = end;
    for (;;) {
      if (tokens[at] in opens) {
        const open = opening(tokens, at);
        if (open < 0) return -1;
        const previous = before(tokens, open);
        if (tokens[at] !== '}' && (endsValue(tokens[previous]) || tokens[previous] === '?.') && !(tokens[at] === '(' && words.has(tokens[previous]))) {
          at = tokens[previous] === '?.' ? before(tokens, previous) : previous;
          continue;
        }
        at = open;
      } else if (!endsValue(tokens[at])) return -1;
      const previous = before(tokens, at);
      if (tokens[previous] === '.' || tokens[previous] === '?.') { at = before(tokens, previous); continue; }
      return tokens[previous] === 'new' ? previous : at;
    }
  }

  /** Whether a chain has a `?.` of its own between two tokens. */
  function isOptional(tokens, start, dot) {
    let depth = 0;
    for (let at = start; at <= dot; at += 1) {
      if (tokens[at] in opens) depth -= 1;
      else if (Object.values(opens).includes(tokens[at])) depth += 1;
      if (depth === 0 && tokens[at] === '?.') return true;
    }
    return false;
  }

  /** The text with the calls of n8n's methods rewritten; chains nest, so what is put before and for a token is kept beside it. */
  function methodCalls(tokens) {
    const prefixes = tokens.map(() => '');
    const texts = [...tokens];
    for (let at = 0; at < tokens.length; at += 1) {
      if (!aias.methodNames.has(tokens[at])) continue;
      const [dot, open] = [before(tokens, at), after(tokens, at)];
      if (tokens[open] !== '(' || (tokens[dot] !== '.' && tokens[dot] !== '?.')) continue;
      const last = before(tokens, dot);
      const start = last < 0 ? -1 : chainStart(tokens, last);
      if (start < 0) continue;
      const name = tokens[at];
      for (let index = dot; index < open; index += 1) texts[index] = '';
      texts[dot] = `,"${name}")`;
      const ends = isOptional(tokens, start, dot);
      prefixes[start] = (ends ? '$$optional(' : '$$method(') + prefixes[start];
      if (ends) texts[open] = '?.(';
    }
    return texts.map((text, index) => prefixes[index] + text).join('');
  }

  /** `$if(c,a,b)` → `((c)?(a):(b))`, innermost last; without b it is false. */
  function conditionals(tokens) {
    for (let at = tokens.length - 1; at >= 0; at -= 1) {
      if (tokens[at] !== '$if' || tokens[after(tokens, at)] !== '(') continue;
      const open = after(tokens, at);
      const commas = [];
      let [depth, end] = [0, -1];
      for (let index = open; index < tokens.length && end < 0; index += 1) {
        if (/^[([{]$/.test(tokens[index])) depth += 1;
        if (/^[)\]}]$/.test(tokens[index])) { depth -= 1; if (depth === 0) end = index; }
        if (tokens[index] === ',' && depth === 1) commas.push(index);
      }
      if (end < 0 || commas.length < 1 || commas.length > 2) continue;
      tokens[at] = '';
      tokens[open] = '((';
      tokens[commas[0]] = ')?(';
      if (commas.length === 2) tokens[commas[1]] = '):(';
      tokens[end] = commas.length === 2 ? '))' : '):(false))';
    }
  }

  function rewrite(source) {
    const tokens = split(source);
    conditionals(tokens);
    return methodCalls(split(tokens.join('')));
  }

  const quick = /\$if|`|\.\s*[\p{ID_Start}$_][\p{ID_Continue}$]*\s*\(/u;
  aias.rewrite = (source) => (quick.test(source) ? rewrite(source) : source);
  aias.hide(globalThis, { $$method: aias.method, $$optional: aias.optionalMethod });
})();
