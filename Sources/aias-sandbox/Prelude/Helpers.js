// `helpers` of scripts, as n8n has them: requests and files go through the client, which checks the addresses, counts, and keeps the record.
(() => {
  const aias = globalThis.aias;
  const { toBase64, fromBase64 } = aias.bytes;
  const ask = (question) => aias.parse(aias.askText(question)).value;
  const isObject = (value) => typeof value === 'object' && value !== null;
  const isBytes = (value) => value instanceof Uint8Array || value instanceof ArrayBuffer;
  const bytesOf = (value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value);

  function headerOf(headers, name) {
    const key = Object.keys(headers ?? {}).find((one) => one.toLowerCase() === name);
    return key === undefined ? undefined : String(headers[key]);
  }

  /** `{json}`, `{form}`, `{text}` or `{base64}`; nothing where there is no body. */
  function bodyOf({ body, headers }) {
    if (body === undefined || body === null) return undefined;
    if (isBytes(body)) return { base64: toBase64(bytesOf(body)) };
    if (!isObject(body)) return { text: String(body) };
    return headerOf(headers, 'content-type')?.includes('x-www-form-urlencoded') ? { form: body } : { json: body };
  }

  function addressOf({ url, baseURL }) {
    if (typeof url !== 'string' && typeof url?.href !== 'string' && !baseURL) throw new TypeError('httpRequest needs a url');
    const path = String(url?.href ?? url ?? '');
    if (!baseURL || /^[a-z][a-z0-9+.-]*:/i.test(path)) return path;
    return `${String(baseURL).replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`.replace(/\/$/, path === '' ? '' : '/');
  }

  function send(options) {
    if (options.proxy) throw new TypeError('httpRequest: requests through a proxy of the script are not supported');
    if (options.encoding === 'stream') throw new TypeError("httpRequest: streams are not supported; use encoding 'arraybuffer'");
    const headers = { ...options.headers };
    if (options.json === true && headerOf(headers, 'accept') === undefined) headers.Accept = 'application/json';
    if (options.json === true && typeof options.body === 'string' && headerOf(headers, 'content-type') === undefined) {
      headers['Content-Type'] = 'application/json';
    }
    if (options.auth) {
      const { username = '', user = username, password = '', pass = password } = options.auth;
      headers.Authorization = `Basic ${toBase64(aias.bytes.utf8(`${user}:${pass}`))}`;
    }
    const asBytes = ['arraybuffer', 'blob'].includes(options.encoding);
    const request = {
      method: String(options.method ?? 'GET').toUpperCase(), url: addressOf(options), headers, query: options.qs ?? {},
      arrays: options.arrayFormat, body: bodyOf(options), timeout: options.timeout, follow: !options.disableFollowRedirect,
      lax: options.skipSslCertificateValidation === true || options.rejectUnauthorized === false, bytes: asBytes,
    };
    const answer = ask({ what: 'http', request });
    return { ...answer, body: asBytes ? Buffer.from(fromBase64(answer.base64)) : answer.text };
  }

  function parsed(text) {
    try { return aias.parse(text); } catch { return text; }
  }

  function refuse(answer) {
    const error = new Error(`Request failed with status code ${answer.status}`);
    Object.assign(error, { status: answer.status, statusCode: answer.status, httpCode: String(answer.status) });
    error.response = { status: answer.status, statusCode: answer.status, statusText: answer.reason, headers: answer.headers, data: answer.body, body: answer.body };
    throw error;
  }

  function isAccepted(status, { ignoreHttpStatusErrors: ignore }) {
    if (status < 400 || ignore === true) return true;
    return isObject(ignore) && ignore.ignore === true && !(ignore.except ?? []).includes(status);
  }

  async function httpRequest(options) {
    if (!isObject(options)) throw new TypeError('httpRequest takes an object: {method, url, headers, qs, body, …}');
    const answer = send(options);
    if (!isBytes(answer.body) && options.encoding !== 'text') answer.body = parsed(answer.body);
    if (!isAccepted(answer.status, options)) refuse(answer);
    if (!options.returnFullResponse) return answer.body;
    return { body: answer.body, headers: answer.headers, statusCode: answer.status, statusMessage: answer.reason };
  }

  /** n8n's older call, with the options of the library request. */
  async function request(given) {
    const options = typeof given === 'string' ? { url: given } : { ...given, url: given.uri ?? given.url };
    if (isObject(options.form)) {
      options.body = options.form;
      options.headers = { ...options.headers, 'content-type': 'application/x-www-form-urlencoded' };
    }
    if (options.encoding === null) options.encoding = 'arraybuffer';
    const answer = send({ ...options, disableFollowRedirect: options.followRedirect === false });
    if (options.json && !isBytes(answer.body)) answer.body = parsed(answer.body);
    if (options.simple !== false && answer.status >= 300) refuse(answer);
    return options.resolveWithFullResponse ? { body: answer.body, headers: answer.headers, statusCode: answer.status, statusMessage: answer.reason } : answer.body;
  }

  async function withoutCredentials() {
    throw new Error('a Code node has no credentials to authenticate with; use an HTTP Request node, or helpers.httpRequest with headers of its own');
  }

  async function getBinaryDataBuffer(item, property) {
    const file = isObject(property) ? property : aias.items.input()[item]?.binary?.[property];
    if (!isObject(file)) throw new Error(`item ${item} has no file "${property}"`);
    return Buffer.from(fromBase64(ask({ what: 'file', file })));
  }

  const types = {
    csv: 'text/csv', gif: 'image/gif', gz: 'application/gzip', html: 'text/html', ics: 'text/calendar', jpeg: 'image/jpeg', jpg: 'image/jpeg',
    json: 'application/json', md: 'text/markdown', pdf: 'application/pdf', png: 'image/png', svg: 'image/svg+xml', txt: 'text/plain', webp: 'image/webp',
    xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', xml: 'application/xml', zip: 'application/zip',
  };

  async function prepareBinaryData(data, fileName, mimeType) {
    const bytes = isBytes(data) ? bytesOf(data) : aias.bytes.utf8(String(data));
    const extension = /\.([a-z0-9]+)$/i.exec(fileName ?? '')?.[1]?.toLowerCase();
    const file = { data: toBase64(bytes), mimeType: mimeType ?? types[extension] ?? 'application/octet-stream' };
    if (fileName !== undefined) file.fileName = fileName;
    if (extension !== undefined) file.fileExtension = extension;
    return file;
  }

  const returnJsonArray = (data) => [data].flat().map((json) => (isObject(json?.json) ? json : { json }));

  aias.helpers = () => ({
    httpRequest, request, getBinaryDataBuffer, prepareBinaryData, returnJsonArray,
    httpRequestWithAuthentication: withoutCredentials, requestWithAuthentication: withoutCredentials,
  });
})();
