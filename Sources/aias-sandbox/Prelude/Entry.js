// The door: what the process calls with a request's JSON text. `undefined` means "not settled yet, call settle()".
(() => {
  const aias = globalThis.aias;
  delete globalThis.aias;
  return {
    evaluate: (text) => aias.evaluateBlocks(aias.parse(text)),
    run: (text) => aias.runScript(aias.parse(text)),
    settle: () => aias.settle(),
    warmUp: () => aias.warmUp(),
  };
})();
