"""Somebody at the workflow editor, in a real browser, and what their browser complained about."""

import contextlib
import os
import re
import shutil
import time

from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WAIT_MS = 30_000

# A browser that is behind: it tells of closed dialogs only when many keys have come since, as one under load does.
LATE = """addEventListener('close', (event) => {
  if (event.late || !event.isTrusted) return;
  event.stopImmediatePropagation();
  const { target } = event;
  setTimeout(() => { const again = new Event('close'); again.late = true; target.dispatchEvent(again); }, 600);
}, true);"""
SLOW = ["**/v1/node-kinds/*", "**/editor/panel.js*", "**/editor/versions.js*"]
expect.set_options(timeout=WAIT_MS)


def holds(page, predicate, argument=None):
    """Waits until a function in the page gives something true. Asked from here: what Playwright polls with is forbidden by the page's policy."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(predicate, argument):
        assert time.monotonic() < deadline, f"not within {WAIT_MS} ms: {predicate}"
        page.wait_for_timeout(50)


def picture(page, name, **options):
    """A picture for people, kept where a folder for them is named."""
    folder = os.environ.get("AIAS_SHOTS")
    page.screenshot(path=f"{folder}/{name}.png" if folder else None, **options)


@contextlib.contextmanager
def scripts(server, prelude):
    """A page in which the editor's scripts are called without an editor, as the prelude gives them."""
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(base_url=server.base)
        page.goto("/sign-in")
        page.evaluate(prelude)
        yield page
        browser.close()


class Desk:
    """A signed-in person; `faults` holds console errors, page errors and requests to other origins."""

    def __init__(self, server, chromium, owner, late=False, **options):
        self.server = server
        self.faults = []
        self.context = chromium.new_context(base_url=server.base, **{"viewport": {"width": 1440, "height": 900}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        if late:
            self.page.add_init_script(LATE)
            self.context.new_cdp_session(self.page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
            for address in SLOW:
                self.page.route(address, lambda route: (time.sleep(0.5), route.continue_()))
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        self.page.on("request", self._look_at)
        link = server.command("sign-in-link", owner, "--data", str(server.folder)).stdout.strip()
        self.page.goto(link[link.index("/sign-in"):])
        self.page.get_by_role("button").click()
        self.page.wait_for_url("**/dashboard")

    def _look_at(self, request):
        if not request.url.startswith((self.server.base, "data:", "blob:")):
            self.faults.append(f"left the origin: {request.url}")

    def open(self, workflow):
        self.page.goto(f"/workflows/{workflow}/editor")
        self.ready()
        return self.page

    def new(self):
        self.page.goto("/workflows")
        self.page.get_by_role("button", name="New workflow").click()
        self.ready()
        return self.page

    def ready(self):
        self.page.wait_for_selector("workflow-editor[data-ready]")

    @property
    def workflow(self):
        return re.search(r"/workflows/([0-9a-f-]+)", self.page.url)[1]

    def document(self):
        """The document as the editor holds it."""
        return self.page.evaluate("document.querySelector('workflow-editor').editor.doc.toJSON()")

    def saved(self):
        """Waits until the draft is saved and gives it as the server has it."""
        expect(self.page.locator(".saved")).to_have_attribute("data-state", "saved")

    def node(self, name):
        return self.page.locator(".node", has=self.page.locator(".name", has_text=re.compile(f"^{re.escape(name)}$")))

    def port(self, name, side="out", index=0):
        return self.node(name).locator(f"[data-port={side}][data-index='{index}']")

    def edges(self):
        names = {node["id"]: node["name"] for node in self.document()["nodes"]}
        return {
            (node["name"], edge["output"], names[edge["to"]], edge["input"])
            for node in self.document()["nodes"] for edge in node["connections"]}

    def close(self):
        self.context.close()
        assert not self.faults, self.faults


def blank(server, key, name="Blank", nodes=()):
    status, made, _ = server.request("POST", "/v1/workflows", {"document": {"name": name, "nodes": list(nodes)}}, key=key)
    assert status == 201, made
    return made["id"]


def kept(server, key, workflow):
    status, found, _ = server.request("GET", f"/v1/workflows/{workflow}", key=key)
    assert status == 200, found
    return found["document"]
