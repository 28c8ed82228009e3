// n8n's roots ($json, $('Node'), $input, …) for one item index; each is fetched when it is read.
(() => {
  const aias = globalThis.aias;
  const { items, ExpressionError } = aias;
  const last = (list) => list[list.length - 1];

  /** `$('Node')`. */
  function nodeReference(name, index) {
    return {
      get item() { return items.paired(name, index()); },
      itemMatching: (at) => items.paired(name, at ?? index()),
      pairedItem: (at) => items.paired(name, at ?? index()),
      first: (output = undefined, run = undefined) => items.ofNode(name, output, run)[0],
      last: (output = undefined, run = undefined) => last(items.ofNode(name, output, run)),
      all: (output = undefined, run = undefined) => items.ofNode(name, output, run),
      get params() { return items.parameters(name); },
      get context() { return items.context(name); },
      get isExecuted() { return items.isExecuted(name); },
    };
  }

  /** `$node["Node"]`: the item with the same index, not the paired one. */
  function legacyNode(name, index) {
    const item = () => items.ofNode(name)[index()];
    return {
      get json() { return item()?.json; },
      get data() { return item()?.json; },
      get binary() { return item()?.binary ?? {}; },
      get parameter() { return items.parameters(name); },
      get context() { return items.context(name); },
    };
  }

  function inputReference(index) {
    const node = () => aias.request.facts.nodeName;
    return {
      get item() { return items.input()[index()]; },
      first: (input = 0) => items.input(input)[0],
      last: (input = 0) => last(items.input(input)),
      all: (input = 0) => items.input(input),
      get params() { return items.parameters(aias.request.facts.prevNode.name ?? node()); },
      get context() { return items.context(aias.request.facts.prevNode.name ?? node()); },
    };
  }

  function denied(what) {
    return new Proxy({}, { get(_, key) {
      if (typeof key === 'symbol' || key === 'toJSON') return undefined;
      throw new ExpressionError(`${what} cannot be read here`, 'denied');
    } });
  }

  /** Values a script may set and read back within its run: `$execution.customData`. */
  function customData() {
    const data = {};
    return {
      set(key, value) { if (typeof key === 'object') Object.assign(data, key); else data[key] = String(value); },
      setAll(values) { Object.assign(data, values); },
      get: (key) => data[key],
      getAll: () => ({ ...data }),
    };
  }

  function execution() {
    const { facts } = aias.request;
    return Object.defineProperty({ ...facts.execution }, 'customData', { value: (facts.customData ??= customData()) });
  }

  function fromAI(key, _description, _type, fallback) {
    const given = aias.request.facts.extraRoots.$fromAI ?? {};
    return key in given ? given[key] : fallback;
  }

  aias.roots = (index) => {
    const facts = () => aias.request.facts;
    const item = () => items.input()[index()];
    const getters = {
      $json: () => item()?.json,
      $data: () => item()?.json,
      $binary: () => item()?.binary ?? {},
      $input: () => inputReference(index),
      $node: () => new Proxy({}, { get: (_, name) => (typeof name === 'symbol' ? undefined : legacyNode(name, index)) }),
      $itemIndex: index,
      $position: index,
      $runIndex: () => facts().runIndex,
      $thisRunIndex: () => facts().runIndex,
      $thisItem: item,
      $thisItemIndex: index,
      $mode: () => facts().mode,
      $prevNode: () => facts().prevNode,
      $workflow: () => facts().workflow,
      $execution: execution,
      $executionId: () => facts().execution.id,
      $resumeWebhookUrl: () => facts().execution.resumeUrl,
      $vars: () => facts().variables,
      $parameter: () => items.parameters(facts().nodeName),
      $rawParameter: () => items.parameters(facts().nodeName),
      $self: () => items.context(facts().nodeName),
      $env: () => denied('the environment'),
      $secrets: () => facts().extraRoots.$secrets ?? denied('$secrets'),
      $now: () => aias.DateTime.now(),
      $today: () => aias.DateTime.now().startOf('day'),
    };
    const functions = {
      $: (name) => nodeReference(name, index),
      $items: (name, output = 0, run = undefined) => (name === undefined ? items.input() : items.ofNode(name, output, run)),
      $item: (at) => aias.roots(() => at),
      $jmespath: (value, query) => aias.jmespath(value, query),
      $jmesPath: (value, query) => aias.jmespath(value, query),
      $fromAI: fromAI,
      $fromAi: fromAI,
      $fromai: fromAI,
      $evaluateExpression: (source, at = index()) => aias.evaluateAt(String(source).replace(/^=?\s*(?:\{\{)?|(?:\}\})?\s*$/g, ''), at),
      $getPairedItem: (name, _incoming, pair) => items.paired(name, pair?.item ?? index()),
    };
    const roots = {};
    for (const name of Object.keys(getters)) Object.defineProperty(roots, name, { get: getters[name], configurable: true });
    for (const name of Object.keys(functions)) Object.defineProperty(roots, name, { value: functions[name], configurable: true, writable: true });
    return roots;
  };

  let current = 0;
  aias.setIndex = (index) => { current = index; };
  aias.index = () => current;
  /** Puts the roots of the current item, and the request's further ones, on the global object. */
  aias.installRoots = () => {
    Object.defineProperties(globalThis, Object.getOwnPropertyDescriptors(aias.roots(aias.index)));
    const extra = aias.request.facts.extraRoots;
    for (const name of Object.keys(extra)) if (!(name in globalThis)) aias.hide(globalThis, { [name]: extra[name] });
  };
})();
