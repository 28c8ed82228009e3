globalThis.aias = {};
