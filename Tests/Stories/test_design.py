"""The page of the design language: all parts of the pages, in light and dark, wide and narrow."""

import pathlib
import re

import pytest
from playwright.sync_api import expect

from test_browser import chromium  # noqa: F401
from test_editor_access import violations

STYLES = pathlib.Path(__file__).resolve().parents[2] / "Web" / "styles"
# What only pages with data of their own have: a row's buttons, and lines under a name.
ELSEWHERE = {"actions", "sub"}


@pytest.fixture(scope="module")
def page(server, chromium):  # noqa: F811
    context = chromium.new_context(base_url=server.base, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith(server.base) else None)
    assert page.goto("/design").status == 200
    yield page
    context.close()
    assert not faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_reads_well_everywhere(page, scheme, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_role("heading", name="Design language", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page, f"design, {scheme}, {width}") == []


def test_every_part_is_shown(page):
    """The classes of the sheet of components, and the colours of the sheet of tokens."""
    shown = set(page.evaluate("[...document.querySelectorAll('[class]')].flatMap((one) => [...one.classList])"))
    wanted = set(re.findall(r"\.([a-z][a-z-]*)", re.sub(r"/\*.*?\*/", "", (STYLES / "components.css").read_text(), flags=re.S)))
    assert wanted - shown - ELSEWHERE == set()
    tokens = set(re.findall(r"^    --([a-z-]+): light-dark\(oklch", (STYLES / "tokens.css").read_text(), flags=re.M))
    assert tokens - shown - {"accent-ink"} == set()


def test_it_is_open_to_everybody_and_names_nobody(server, page):
    status, _, headers = server.request("GET", "/design")
    assert status == 200 and "script-src 'self'" in headers["Content-Security-Policy"]
    page.locator("button[popovertarget=asks]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
