// Follows a run that is under way: the server's page is fetched again when something was committed, and its parts are exchanged.
import { watch } from "../lib/live.js";

const run = document.getElementById("run");
const key = run?.dataset.live;

const controls = () => [...document.querySelectorAll("#main :is(a, button, summary, input, select, textarea, [tabindex])")];

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = [...document.querySelectorAll(".steps details")].map((one) => one.open);
  const fresh = page.getElementById("main");
  const active = document.activeElement;
  const at = controls().indexOf(active);
  fresh.querySelectorAll(".steps details").forEach((one, index) => { one.open = open[index] ?? one.open; });
  document.getElementById("main").replaceChildren(...fresh.childNodes);
  // Whoever goes by keys stays where they are.
  const alike = (one) => one?.tagName === active.tagName && (one.tagName === "SUMMARY" || one.textContent === active.textContent);
  const all = at < 0 ? [] : controls();
  (alike(all[at]) ? all[at] : all.find(alike))?.focus({ preventScroll: true });
  return Boolean(document.getElementById("run")?.dataset.live);
}

if (key) {
  const source = watch(key);
  let waiting = false;
  let again = false;
  // One after another, so that no older page takes the place of a newer one.
  const update = () => {
    again = waiting;
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      again = false;
      try {
        // A question that is open stays so until it is answered.
        if (document.querySelector(":popover-open")) again = true;
        else if (!(await refresh())) source.close();
      } catch {
        // Away for a moment: the next event asks.
      }
      waiting = false;
      if (again) update();
    }, 150);
  };
  source.addEventListener("run", update);
  source.addEventListener("open", update);
}
