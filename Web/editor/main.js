// <workflow-editor data-workflow data-strings …> becomes the editor; what the server drew stands there until all is loaded.
import { API } from "./api.js";
import { Editor } from "./editor.js";
import { Kinds } from "./kinds.js";
import { h, setStrings, t } from "./dom.js";
import { isGroup } from "./groups.js";
import { load, loadRest } from "./lazy.js";

/// Whether the guide to a first workflow is under way in this one.
const isGuided = (workflow) => { try { return localStorage.getItem("aias-guide") === workflow; } catch { return false; } };

const needsParameters = (kind) => kind && (!kind.outputs.fixed || !kind.inputs.fixed || kind.output_rules.length > 0);

class WorkflowEditor extends HTMLElement {
  connectedCallback() {
    setStrings(Object.fromEntries(this.dataset.strings.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])));
    this.start().catch((error) => {
      this.append(h("p.notice.bad", { role: "alert" }, t("load_failed", { reason: error.message })));
      throw error;
    });
  }

  /// Those who are in the draft see each other, and what they wrote on it.
  async meet() {
    try {
      const [{ Presence }, { Comments }] = await Promise.all([load("presence"), load("comments")]);
      this.editor.presence = new Presence(this.editor);
      this.editor.comments = new Comments(this.editor);
      if (this.editor.mayWrite && (new URLSearchParams(location.search).has("guide") || isGuided(this.dataset.workflow))) await this.editor.toolbar.guide(false);
    } catch (error) {
      // Without it one works alone, and nothing is lost.
      console.warn(error);
    }
  }

  async start() {
    const api = new API(this.dataset.workflow);
    const [loaded, list] = await Promise.all([api.load(), api.kinds()]);
    const kinds = new Kinds(list);
    const notes = loaded.document.nodes.filter((node) => node.kind === "sticky_note" && !isGroup(node)).map((node) => String(node.config?.content ?? ""));
    const words = notes.length ? Promise.resolve(load("markdown")).then(({ learn }) => learn(api, notes)) : undefined;
    // Ports of some kinds depend on their parameters.
    const wanted = [...new Set(loaded.document.nodes.map((node) => node.kind))].filter((name) => needsParameters(kinds.get(name)));
    for (const kind of await Promise.all(wanted.map((name) => api.kind(name)))) kinds.learn(kind);
    // Without it notes are shown as they are written.
    await words?.catch(() => {});
    const may = (name) => name in this.dataset;
    const rights = {
      write: may("mayWrite"), run: may("mayRun"), readRuns: may("mayReadRuns"), publish: may("mayPublish"), comment: may("mayComment"),
      readCredentials: may("mayReadCredentials"), writeCredentials: may("mayWriteCredentials"),
    };
    performance.mark("editor-loaded");
    this.editor = new Editor(this, api, kinds, loaded, rights);
    // The next frame is the first that shows it.
    requestAnimationFrame(() => { performance.mark("editor-ready"); this.dataset.ready = ""; loadRest(() => this.meet()); });
  }
}

customElements.define("workflow-editor", WorkflowEditor);
