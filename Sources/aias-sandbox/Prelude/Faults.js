// What went wrong, as the client's ScriptError: `{kind, message, line?, column?}`.
(() => {
  const aias = globalThis.aias;

  /** Line and column in the builder's text; `lines` were put before it and `columns` before its first line. */
  function place(error, { lines = 0, columns = 0 } = {}) {
    const frame = /aias-script:(\d+):(\d+)/.exec(String(error?.stack ?? ''));
    const line = frame && !(error instanceof SyntaxError) ? Number(frame[1]) : error?.line;
    const column = frame && !(error instanceof SyntaxError) ? Number(frame[2]) : error?.column;
    if (!Number.isInteger(line) || line <= lines) return {};
    if (!Number.isInteger(column)) return { line: line - lines };
    return { line: line - lines, column: line - lines === 1 ? Math.max(1, column - columns) : column };
  }

  function kindOf(error) {
    if (error instanceof aias.ExpressionError) return 'data';
    if (error instanceof aias.OutputError) return 'outputLimit';
    return error instanceof SyntaxError ? 'syntax' : 'runtime';
  }

  function message(error) {
    if (error instanceof aias.ExpressionError || error instanceof aias.OutputError) return error.message;
    if (error instanceof Error) return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
    try { return typeof error === 'object' ? error?.message ?? aias.stringify(error) : String(error); } catch { return 'an error that cannot be shown'; }
  }

  aias.OutputError = class extends Error {};
  aias.fault = (error, before) => ({ kind: kindOf(error), message: String(message(error)).slice(0, 4000), ...place(error, before) });

  /** JSON text of what a script gave back; a BigInt becomes a number where that is exact, else text. */
  aias.output = (value) => {
    const text = aias.stringify(value, (_, member) => {
      if (typeof member !== 'bigint') return member;
      return Number.isSafeInteger(Number(member)) ? Number(member) : String(member);
    });
    const limit = aias.request.limits.outputBytes;
    if (text !== undefined && text.length > limit) throw new aias.OutputError(`more than ${limit} bytes were given back`);
    return text;
  };
})();
