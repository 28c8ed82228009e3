"""The first console in a real browser: sign in by link, start a workflow, look at its run."""

import shutil

from playwright.sync_api import sync_playwright

from documents import keep, line, node

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def test_a_run_is_started_and_watched(server):
    key = server.create_tenant("browser", owner="bea@example.com")["api_key"]
    server.import_workflow(key, line(
        "Report", node("Start", "manualTrigger", 1, 0), keep("Set", 200, a="={{ 40 + 2 }}"),
        node("Stop", "stopAndError", 1, 400, errorMessage="The report is empty")))
    link = server.command("sign-in-link", "bea@example.com", "--data", str(server.folder)).stdout.strip()
    path = link[link.index("/sign-in"):]
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(server.base + path)
        page.get_by_role("button").click()
        page.wait_for_url("**/workflows")
        page.get_by_role("button", name="Run").click()
        page.wait_for_url("**/executions/*")
        page.get_by_text("The report is empty").first.wait_for()
        page.locator("summary", has_text="Set").click()
        assert '"a": "42"' in page.locator(".steps").inner_text()
        page.goto(server.base + "/executions")
        assert page.locator("tbody tr").count() == 1
        assert not faults
        browser.close()
