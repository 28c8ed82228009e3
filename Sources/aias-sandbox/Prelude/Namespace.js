// The prelude's own names. Every later file adds to `aias`; Entry.js takes it off the global object before any script runs.
// What the prelude needs of the language it takes here, so that a script that changes the built-ins hurts only itself.
(() => {
  const ask = globalThis.__ask;
  const syntax = globalThis.__syntax;
  delete globalThis.__ask;
  delete globalThis.__syntax;
  const { parse, stringify } = JSON;
  const indirectEval = globalThis.eval;

  /** An error that the builder must see: data that cannot be given, a value that is none. n8n's name for it. */
  class ExpressionError extends Error {
    constructor(message, code) {
      super(message);
      this.name = 'ExpressionError';
      this.code = code;
    }
  }

  globalThis.aias = {
    parse,
    stringify,
    /** Compiles and runs a text; a SyntaxError carries its line and column. */
    eval(source) {
      try {
        return indirectEval(source);
      } catch (error) {
        throw error instanceof SyntaxError ? syntax(source) ?? error : error;
      }
    },
    ExpressionError,
    /** The request being answered: `{facts, limits, …}`; set by Entry.js. */
    request: undefined,
    /** The text of the client's answer to a question (see ScopeAnswers.swift), or an ExpressionError. */
    askText(question) {
      const text = ask(stringify(question));
      if (!text.startsWith('{"error":')) return text;
      const { error } = parse(text);
      throw new ExpressionError(error.message, error.code);
    },
    /** Adds properties that `for…in` and JSON do not see. */
    hide(target, properties) {
      for (const name of Object.keys(properties)) {
        Object.defineProperty(target, name, { value: properties[name], writable: true, configurable: true, enumerable: false });
      }
    },
  };
})();
