// The platform's API as the editor uses it. A refusal is thrown as `Refused` with its code, message and faults.
import { watch } from "../lib/live.js";
import { t } from "./dom.js";

export class Refused extends Error {
  constructor(status, problem) {
    // The server's own words where they are meant for people at this page; those of who stands before it are not.
    super(status === 401 ? t("signed_out") : problem?.detail ?? problem?.title ?? t("server_failed", { count: status }));
    this.status = status;
    this.code = problem?.code;
    this.faults = problem?.faults ?? [];
  }
}

/// Whose page this is: what it asks is refused where the browser is in another tenant by now.
const { tenant } = document.documentElement.dataset;

async function ask(method, path, body, options = {}) {
  const headers = { Accept: "application/json", ...(tenant ? { "Page-Tenant": tenant } : {}) };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    ...options, method, headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => { throw new Error(t("unreachable")); });
  const text = await answer.text();
  let json;
  try {
    json = text ? JSON.parse(text) : undefined;
  } catch (error) {
    // What stands before the server refuses in words of its own.
    if (answer.ok) throw error;
  }
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}

async function all(path) {
  const rows = [];
  let cursor;
  do {
    const page = await ask("GET", `${path}${path.includes("?") ? "&" : "?"}limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    rows.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor && rows.length < 2000);
  return rows;
}

/// What is asked for once and kept; where it did not come, it is asked for again.
export function once(holder, name, ask) {
  if (!holder[name]) {
    const asked = ask();
    holder[name] = asked;
    asked.catch(() => { if (holder[name] === asked) holder[name] = undefined; });
  }
  return holder[name];
}

export class API {
  constructor(workflow) {
    this.workflow = workflow;
    this.own = `/v1/workflows/${workflow}`;
  }

  load() { return ask("GET", this.own); }
  kinds() { return ask("GET", "/v1/node-kind-summaries").then((page) => page.data); }
  kind(name) { return ask("GET", `/v1/node-kinds/${encodeURIComponent(name)}`); }
  save(document, revision) { return ask("PUT", `${this.own}/draft`, { document, revision }); }
  convert(document) { return ask("POST", "/v1/workflow-conversions", { format: "n8n", document }); }
  tryOut(body) { return ask("POST", `${this.own}/trials`, body); }
  markdown(texts) { return ask("POST", "/v1/markdown", { texts }); }
  evaluate(body) { return ask("POST", `${this.own}/evaluations`, body); }
  run(id) { return ask("GET", `/v1/executions/${id}`); }
  runProgress(id) { return ask("GET", `/v1/executions/${id}/progress`); }
  runs() { return ask("GET", `/v1/executions?workflow_id=${this.workflow}&limit=30`).then((page) => page.data); }
  replay(id, body) { return ask("POST", `/v1/executions/${id}/replays`, body); }
  cancel(id) { return ask("POST", `/v1/executions/${id}/cancellation`); }
  publish(name, note) { return ask("POST", `${this.own}/publication`, { ...(name ? { name } : {}), ...(note ? { note } : {}) }); }
  label(number, name, note) { return ask("PUT", `${this.own}/versions/${number}/label`, { ...(name ? { name } : {}), ...(note ? { note } : {}) }); }
  versions() { return all(`${this.own}/versions`); }
  version(number) { return ask("GET", `${this.own}/versions/${number}`); }
  credentials() { return all("/v1/credentials"); }
  credentialTypes() { return ask("GET", "/v1/credential-types").then((page) => page.data); }
  createCredential(body) { return ask("POST", "/v1/credentials", body); }
  comments() { return all(`${this.own}/comments`); }
  comment(body) { return ask("POST", `${this.own}/comments`, body); }
  editComment(id, text) { return ask("PUT", `${this.own}/comments/${id}`, { text }); }
  deleteComment(id) { return ask("DELETE", `${this.own}/comments/${id}`); }
  resolveComment(id, isResolved) { return ask(isResolved ? "POST" : "DELETE", `${this.own}/comments/${id}/resolution`); }
  resources(path, search) { return ask("GET", `/v1/resources/${path}?search=${encodeURIComponent(search)}`); }
  members() { return all("/v1/members"); }
  tellPresence(body) { return ask("POST", `${this.own}/presence`, body, { keepalive: true }); }
  watchDraft() { return watch(`workflow:${this.workflow}`); }
  watchRun(id) { return watch(`run:${id}`); }
}
