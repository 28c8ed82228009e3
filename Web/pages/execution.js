// Follows a run that is under way: the server's page is fetched again when something was committed, and its parts are exchanged.
const run = document.getElementById("run");
const address = run?.dataset.live;

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = [...document.querySelectorAll(".steps details")].map((one) => one.open);
  const fresh = page.getElementById("main");
  fresh.querySelectorAll(".steps details").forEach((one, index) => { one.open = open[index] ?? one.open; });
  document.getElementById("main").replaceChildren(...fresh.childNodes);
  return Boolean(document.getElementById("run")?.dataset.live);
}

if (address) {
  const source = new EventSource(address);
  let waiting = false;
  const update = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      // A question that is open stays so until it is answered.
      if (document.querySelector(":popover-open")) return update();
      if (!(await refresh())) source.close();
    }, 150);
  };
  source.addEventListener("run", update);
  source.addEventListener("open", update);
}
