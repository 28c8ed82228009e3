// Two runs side by side: what each node did in the one and in the other, and where what came out differs.
import { same } from "./document.js";
import { h, moment, t } from "./dom.js";

const SHOWN = 4000;

/// What stands in the dialog; `first` and `second` are executions as the API gives them.
export function comparison(first, second) {
  const [a, b] = [states(first), states(second)];
  const names = [...new Set([...a.keys(), ...b.keys()])];
  const rows = names.map((name) => ({ name, sides: [a.get(name), b.get(name)], differs: differ(a.get(name), b.get(name)) }));
  const count = rows.filter((row) => row.differs).length;
  return [
    h("p", { role: "status" }, count ? t("runs_differ", { count }) : t("runs_same")),
    h("div.table-scroll", { tabindex: "0", role: "group", "aria-label": t("compare_runs") }, h("table.list.runs-compared", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("node")), ...[first, second].map((run) => h("th", { scope: "col" }, moment(run.created_at, "medium"))))),
      h("tbody", {}, ...rows.map((row) => h(row.differs ? "tr.differs" : "tr", {}, h("th", { scope: "row" }, row.name), ...row.sides.map((state) => h("td", {}, ...[side(state, row.differs)].flat()))))))),
  ];
}

/// By node; the last time counts where one ran more than once.
const states = (run) => new Map(run.steps.map((step) => [step.node, step]));

const differ = (a, b) => a?.status !== b?.status || !same(a?.output, b?.output) || a?.error?.message !== b?.error?.message;

function side(state, isShown) {
  if (!state) return t("did_not_run");
  const count = (state.output ?? []).reduce((sum, items) => sum + (items?.length ?? 0), 0);
  const head = h("span", {}, h(`span.status.${state.status}`, {}, t(`status_${state.status}`)), " ", count === 1 ? t("one_item") : t("items", { count }));
  if (!isShown) return head;
  const items = (state.output ?? []).map((list) => (list ?? []).map((item) => item.json ?? item));
  return [head, h("pre", {}, state.error?.message ?? JSON.stringify(items.length === 1 ? items[0] : items, null, 1).slice(0, SHOWN))];
}
