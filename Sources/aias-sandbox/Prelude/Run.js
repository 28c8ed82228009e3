// Scripts of Code, Function and Function Item nodes: an async function's body, and what it gives back made into items.
(() => {
  const aias = globalThis.aias;
  const itemKeys = new Set(['json', 'binary', 'pairedItem', 'error', 'index']);
  const before = { lines: 1 };
  let settled;
  let timers = [];
  let timerCount = 0;

  // Timers fire at once, in the order of their times: nothing in the sandbox has a reason to wait.
  function setTimer(action, delay = 0, ...values) {
    timerCount += 1;
    timers.push({ id: timerCount, delay: Number(delay) || 0, action: () => action(...values) });
    return timerCount;
  }
  const clearTimer = (id) => { timers = timers.filter((timer) => timer.id !== id); };
  function nextTimer() {
    let first = timers[0];
    for (const timer of timers) if (timer.delay < first.delay) first = timer;
    clearTimer(first.id);
    first.action();
  }
  function refuseRequire(name) {
    throw new Error(`require('${name}') is not possible: scripts run without modules; DateTime, $jmespath, Buffer and crypto.randomUUID are built in`);
  }

  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const fail = (message) => { throw new TypeError(message); };
  const kind = (value) => (value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value === 'undefined' ? 'nothing' : `a ${typeof value}`);

  function checkItem(item, index) {
    if (!isObject(item.json)) fail(`item ${index}: "json" must be an object, but is ${kind(item.json)}`);
    if (item.binary !== undefined && !isObject(item.binary)) fail(`item ${index}: "binary" must be an object, but is ${kind(item.binary)}`);
    return item;
  }

  function checkKeys(item, index) {
    const unknown = Object.keys(item).find((key) => !itemKeys.has(key));
    if (unknown !== undefined) fail(`item ${index}: unknown key "${unknown}" beside "json"; an item's own fields belong under "json"`);
  }

  /** Items of `return` in all-items mode: items, bare objects, one object. */
  function manyItems(result) {
    if (result === undefined || result === null || typeof result !== 'object') {
      fail(`the code must return items: an array of objects, one for each item, but returned ${kind(result)}`);
    }
    const list = Array.isArray(result) ? result : [result];
    list.forEach((item, index) => { if (!isObject(item)) fail(`item ${index}: an item must be an object, but is ${kind(item)}`); });
    const carriers = list.filter((item) => Object.keys(item).some((key) => itemKeys.has(key) && key !== 'error' && key !== 'index'));
    if (carriers.length === 0) return list.map((json) => ({ json }));
    list.forEach(checkKeys);
    return list.map((item, index) => checkItem('json' in item ? item : { json: {}, ...item }, index));
  }

  /** The item of `return` in each-item mode; null or nothing drops it. */
  function oneItem(result, index) {
    if (result === null || result === undefined) return [];
    if (Array.isArray(result)) fail(`item ${index}: the code must return one object for each item, but returned an array`);
    if (!isObject(result)) fail(`item ${index}: the code must return an object, but returned ${kind(result)}`);
    const [item] = manyItems(result);
    return [{ ...item, pairedItem: { item: index } }];
  }

  /** What `run` gives for one item after another. Where the node goes on after errors, an item that fails is given as `{fault, pairedItem}`. */
  async function oneByOne(run) {
    const out = [];
    for (const [index, item] of aias.items.input().entries()) {
      aias.setIndex(index);
      try {
        out.push(...await run(item, index));
      } catch (error) {
        if (!aias.request.continuesOnError) throw error;
        out.push({ fault: aias.fault(error, before), pairedItem: { item: index } });
      }
    }
    return out;
  }

  const modes = {
    async allItems(script) {
      const result = await script(aias.items.input(), aias.items.input()[0]);
      return result === null ? [] : manyItems(result);
    },
    async eachItem(script) {
      const all = aias.items.input();
      return oneByOne(async (item, index) => oneItem(await script(all, item), index));
    },
    async function(script) {
      const result = await script(aias.items.input());
      if (!Array.isArray(result)) fail(`a function must return an array of items, but returned ${kind(result)}`);
      return result.map((item, index) => (isObject(item) ? checkItem(item, index) : fail(`item ${index}: an item must be an object, but is ${kind(item)}`)));
    },
    async functionItem(script) {
      return oneByOne(async (source, index) => {
        const files = { getBinaryData: () => source.binary, setBinaryData: (data) => { source.binary = data; } };
        aias.hide(globalThis, { getBinaryData: files.getBinaryData, setBinaryData: files.setBinaryData, getBinaryDataAsync: async () => source.binary });
        const json = await script(aias.items.input(), source.json, index);
        if (!isObject(json)) fail(`item ${index}: a function item must return an object, but returned ${kind(json)}`);
        return [{ json, ...(source.binary ? { binary: source.binary } : {}), pairedItem: { item: index } }];
      });
    },
  };

  function staticData(request) {
    const stores = { global: request.staticGlobal, node: request.staticNode };
    const before = { global: aias.stringify(stores.global), node: aias.stringify(stores.node) };
    const read = (type = 'global') => stores[type] ?? fail(`static data is kept for 'global' and for 'node', not for '${type}'`);
    aias.hide(globalThis, { $getWorkflowStaticData: read, getWorkflowStaticData: read });
    return (type) => {
      const text = aias.output(stores[type]);
      return text === before[type] ? '' : `,"static${type === 'global' ? 'Global' : 'Node'}":${text}`;
    };
  }

  function compile(source) {
    const head = '(async function (items, item, index) {\n';
    return aias.eval(`${head}${source}\n})\n//# sourceURL=aias-script`);
  }

  aias.runScript = (request) => {
    aias.begin(request);
    aias.installRoots();
    const give = (error) => { settled = `{"fault":${aias.stringify(aias.fault(error, before))}}`; };
    try {
      const changed = staticData(request);
      aias.hide(globalThis, {
        helpers: aias.helpers(), $helpers: aias.helpers(), require: refuseRequire, setTimeout: setTimer, setImmediate: (action, ...values) => setTimer(action, 0, ...values),
        clearTimeout: clearTimer, clearImmediate: clearTimer, queueMicrotask: (action) => { Promise.resolve().then(action); },
        getNodeParameter: (name) => aias.items.parameters(request.facts.nodeName)[name],
      });
      modes[request.mode](compile(request.source)).then((items) => {
        settled = `{"items":${aias.output(items)},"logs":${aias.stringify(aias.logs())}${changed('global')}${changed('node')}}`;
      }).catch(give);
    } catch (error) {
      give(error);
    }
    return settled;
  };

  /** Called when all promises that can go on have gone on: fires a timer, or gives up. */
  aias.settle = () => {
    if (settled !== undefined) return settled;
    if (timers.length === 0) return '{"fault":{"kind":"runtime","message":"the code waits for a promise that nothing will ever settle"}}';
    try {
      nextTimer();
    } catch (error) {
      settled = `{"fault":${aias.stringify(aias.fault(error, before))}}`;
    }
    return settled;
  };
})();
