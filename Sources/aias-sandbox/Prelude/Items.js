// What scripts read of the run: fetched from the client when first asked for, kept as text, parsed once. `forget()` drops the parsed
// values after an expression that may have changed them, so that the next one sees the run's own data.
(() => {
  const aias = globalThis.aias;
  const texts = new Map();
  let values = new Map();

  function fetch(question) {
    const key = aias.stringify(question);
    if (values.has(key)) return values.get(key);
    if (!texts.has(key)) texts.set(key, aias.askText(question));
    const { value } = aias.parse(texts.get(key));
    values.set(key, value);
    return value;
  }

  aias.items = {
    input: (input = 0) => fetch({ what: 'input', input }),
    /** Without an output: the one that leads to the node that asks. */
    ofNode: (node, output = undefined, run = undefined) => fetch({ what: 'items', node, output, run }),
    paired: (node, index) => fetch({ what: 'paired', node, index }),
    isExecuted: (node) => fetch({ what: 'executed', node }),
    parameters: (node) => fetch({ what: 'parameters', node }),
    context: (node) => fetch({ what: 'context', node }),
    forget() { values = new Map(); },
  };
})();
