"""A workflow's file is taken in where it is dropped: on the list of workflows, and chosen by a button."""

import json

from playwright.sync_api import expect

from documents import greeting
from editor_desk import Desk

DROP = """([text, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: 'application/json' }));
  const target = document.querySelector('file-drop');
  for (const kind of ['dragover', 'drop']) target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
}"""


def test_a_file_dropped_on_the_list_is_imported(server, studio, chromium):
    desk = Desk(server, chromium, "stu@example.com")
    page = desk.page
    page.goto("/workflows")
    expect(page.get_by_role("button", name="Choose a file")).to_be_visible()
    page.evaluate(DROP, [json.dumps({**greeting("dropped"), "name": "Dropped"}), "dropped.json"])
    expect(page.get_by_text("dropped.json is taken in")).to_be_visible()
    expect(page.get_by_label("Workflow as JSON")).to_have_value(json.dumps({**greeting("dropped"), "name": "Dropped"}))
    page.get_by_role("button", name="Import and publish").click()
    expect(page.get_by_role("heading", name="Dropped")).to_be_visible()
    # By the button, the same.
    page.goto("/workflows")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a file").click()
    chosen.value.set_files({"name": "again.json", "mimeType": "application/json", "buffer": json.dumps({**greeting("again"), "name": "Again"}).encode()})
    expect(page.get_by_text("again.json is taken in")).to_be_visible()
    # Mended meanwhile, and chosen once more.
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a file").click()
    chosen.value.set_files({"name": "again.json", "mimeType": "application/json", "buffer": b"{}"})
    expect(page.get_by_label("Workflow as JSON")).to_have_value("{}")
    page.evaluate(
        "document.querySelector('file-drop').take({ name: 'folder', text: () => Promise.reject(new DOMException('gone', 'NotFoundError')) })")
    expect(page.get_by_text("folder cannot be read")).to_be_visible()
    expect(page.get_by_label("Workflow as JSON")).to_have_value("{}")
    desk.close()
