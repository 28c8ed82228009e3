// Expressions: the text between `{{` and `}}`, each for an item.
(() => {
  const aias = globalThis.aias;
  const compiled = new Map();
  const head = '(function () { return (';
  /** Texts that may change what they read; see `items.forget`. */
  const changes = /(?:^|[^=!<>])=(?![=>])|\+\+|--|\b(?:sort|reverse|push|pop|shift|unshift|splice|fill|copyWithin|assign|delete|defineProperty|setPrototypeOf)\b/;

  /** The engine's message where a name is read that nothing has, and how many of them one text may have. */
  const unknownName = /^Can't find variable: (\S+)$/;
  const unknownNames = 20;

  /** A function for the text: as one expression (so that `{a: 1}` is an object), else as statements with the last one's value. */
  function compile(source) {
    if (compiled.has(source)) return compiled.get(source);
    const text = aias.rewrite(source);
    let run;
    try {
      run = aias.eval(`${head}${text}\n)})\n//# sourceURL=aias-script`);
      run.columns = head.length;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      run = statements(text, error);
      run.columns = 0;
    }
    compiled.set(source, run);
    return run;
  }

  function statements(text, fault) {
    const source = `(function () { return eval(${aias.stringify(`${text}\n//# sourceURL=aias-script`)}) })`;
    try {
      aias.eval(`(function () { ${text}\n})`);
    } catch {
      throw fault;
    }
    return aias.eval(source);
  }

  aias.evaluateAt = (source, index) => {
    const before = aias.index();
    aias.setIndex(index);
    try {
      return compile(source).call(undefined);
    } finally {
      aias.setIndex(before);
    }
  };

  function valueText(value) {
    if (value === undefined) return '{}';
    if (typeof value === 'function') throw new aias.ExpressionError('this is a function, not a value; call it with ()', 'function');
    if (typeof value === 'symbol') throw new aias.ExpressionError('a symbol is no value', 'symbol');
    const text = aias.output(value);
    return text === undefined ? '{}' : `{"v":${text}}`;
  }

  /** A name that nothing has is undefined, as in n8n, and no fault: it is put on the global object, and the text evaluated anew. */
  function resultOf(run) {
    for (let rest = unknownNames; ; rest -= 1) {
      try {
        return run.call(undefined);
      } catch (error) {
        const name = error instanceof ReferenceError ? unknownName.exec(error.message)?.[1] : undefined;
        if (name === undefined || rest === 0 || name in globalThis) throw error;
        aias.hide(globalThis, { [name]: undefined });
      }
    }
  }

  function answer({ source, itemIndex }) {
    let before = { columns: head.length };
    try {
      const run = compile(source);
      before = { columns: run.columns };
      aias.setIndex(itemIndex);
      return valueText(resultOf(run));
    } catch (error) {
      return `{"e":${aias.stringify(aias.fault(error, before))}}`;
    } finally {
      if (changes.test(source)) aias.items.forget();
    }
  }

  aias.evaluateBlocks = (request) => {
    aias.begin(request);
    aias.installRoots();
    const answers = [];
    let length = 0;
    for (const block of request.blocks) {
      answers.push(answer(block));
      length += answers[answers.length - 1].length;
      if (length > request.limits.outputBytes) return '{"fault":{"kind":"outputLimit","message":"the expressions gave back too much"}}';
    }
    return `{"values":[${answers.join(',')}]}`;
  };

  /** Touches what loads lazily (time zones, formats, regular expressions), before files are closed to the process. */
  aias.warmUp = () => {
    aias.begin({ facts: { now: 0, seed: '1', timeZone: 'UTC', extraRoots: {} }, limits: {} });
    new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', dateStyle: 'full', timeStyle: 'full' }).format(0);
    new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' }).format(1);
    new Date().toLocaleString();
    ['b', 'a'].sort((left, right) => left.localeCompare(right));
    let sum = 0;
    for (let round = 0; round < 20000; round += 1) sum += /a(b+)c/.exec(`abbc${round}`)[1].length;
    return String(sum + Math.random());
  };
})();
