// What scripts read of the run: fetched from the client when first asked for, kept as text, parsed once. `forget()` drops the parsed
// values after an expression that may have changed them, so that the next one sees the run's own data.
(() => {
  const aias = globalThis.aias;
  const { defineProperty, keys } = Object;
  const texts = new Map();
  let values = new Map();

  /** Bytes in base64, as n8n shows them; undefined where the script may not ask for files. */
  function bytesOf(file) {
    try {
      return aias.parse(aias.askText({ what: 'file', file })).value;
    } catch (error) {
      if (error.code === 'unknown_question') return undefined;
      throw error;
    }
  }

  /** Makes `data` of a file its bytes: fetched when read, unseen by JSON. What a script sets stands for the file from then on. */
  function showBytes(file) {
    if (typeof file?.id !== 'string' || 'data' in file) return;
    const question = { ...file };
    let bytes;
    defineProperty(file, 'data', {
      configurable: true, enumerable: false,
      get() {
        if (bytes === undefined) bytes = bytesOf(question);
        return bytes;
      },
      set(value) {
        for (const name of ['id', 'bytes', 'fileSize']) delete file[name];
        defineProperty(file, 'data', { value, writable: true, configurable: true, enumerable: true });
      },
    });
  }

  function showFiles(item) {
    const files = item?.binary;
    if (typeof files !== 'object' || files === null) return;
    const names = keys(files);
    for (let place = 0; place < names.length; place += 1) showBytes(files[names[place]]);
  }

  function fetch(question) {
    const key = aias.stringify(question);
    if (values.has(key)) return values.get(key);
    if (!texts.has(key)) texts.set(key, aias.askText(question));
    const { value } = aias.parse(texts.get(key));
    if (question.what === 'paired') showFiles(value);
    if (question.what === 'input' || question.what === 'items') {
      for (let place = 0; place < value.length; place += 1) showFiles(value[place]);
    }
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
