"""A tenant's own name, colour and picture, in a real browser: they show at once, everywhere, and text stays readable."""

import re
import struct
import zlib

import pytest
from playwright.sync_api import expect

from documents import line, node
from test_browser import Desk, chromium  # noqa: F401

WAIT_MS = 30_000


def png(width=40, height=20, colour=(0xC2, 0x18, 0x5B)):
    """A picture of one colour."""
    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.fixture(scope="module")
def desk(server, chromium):  # noqa: F811
    desk = Desk(server, chromium, "brightside", "brid@example.com", viewport={"width": 1440, "height": 900})
    desk.page.set_default_timeout(WAIT_MS)
    yield desk
    desk.context.close()
    assert not desk.faults


def fill_of(page, name):
    return page.get_by_role("button", name=name).first.evaluate("one => getComputedStyle(one).backgroundColor")


def test_name_colour_and_picture_show_at_once(server, desk):
    page = desk.settings("Branding")
    page.get_by_label("Product name").fill("Brightside Flows")
    page.get_by_label("Use a colour of our own").check()
    page.get_by_label("Colour", exact=True).fill("#ffd400")
    page.get_by_label("Logo", exact=True).set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": png()})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Every page shows it from now on.")).to_be_visible()
    brand = page.locator(".bar .brand")
    expect(brand).to_have_text("Brightside Flows")
    assert brand.locator("img").evaluate("one => one.complete && one.naturalWidth") == 40
    assert page.title() == "Branding · Brightside Flows"
    assert fill_of(page, "Save") == "rgb(255, 212, 0)"
    # Yellow on white does not read well: that is said, and text takes a darker shade.
    expect(page.get_by_text(re.compile(r"On white it has a contrast of only 1\.4:1"))).to_be_visible()
    link = page.get_by_role("link", name="A link")
    assert link.evaluate("one => getComputedStyle(one).color") != "rgb(255, 212, 0)"
    ink = page.get_by_role("button", name="Save").evaluate("one => getComputedStyle(one).color")
    assert ink == "rgb(0, 0, 0)"
    page.goto("/workflows")
    expect(brand).to_have_text("Brightside Flows")
    assert server.request("GET", "/v1/branding", key=desk.tenant["api_key"])[1] == {
        "product_name": "Brightside Flows", "accent": "#ffd400", "has_logo": True}


def test_the_door_and_the_forms_wear_it_too(server, desk, chromium):  # noqa: F811
    form = line("Ask", node(
        "Form", "formTrigger", 2.2, 0, options={"path": "ask"}, formTitle="Ask us", formFields={"values": [{"fieldLabel": "Name", "fieldType": "text"}]}))
    server.import_workflow(desk.tenant["api_key"], form)
    context = chromium.new_context(base_url=server.base)
    page = context.new_page()
    page.goto("/t/brightside/sign-in")
    expect(page.locator(".card .brand")).to_have_text("Brightside Flows")
    assert fill_of(page, "Sign in") == "rgb(255, 212, 0)"
    page.goto("/sign-in")
    expect(page.locator(".card .brand")).to_have_text("AIAS")
    page.goto("/forms/brightside/ask")
    expect(page.get_by_role("heading", name="Ask us")).to_be_visible()
    expect(page.locator(".card .tenant")).to_have_text("Brightside Flows")
    assert page.locator(".card .tenant img").evaluate("one => one.complete && one.naturalWidth") == 40
    assert fill_of(page, re.compile("Submit|Send")) == "rgb(255, 212, 0)"
    context.close()


def test_in_the_dark_the_shades_change(server, desk, chromium):  # noqa: F811
    server.request("PUT", "/v1/branding", {"product_name": "Brightside Flows", "accent": "#101040"}, key=desk.tenant["api_key"])
    page = desk.page
    page.emulate_media(color_scheme="dark")
    page.goto("/settings/branding")
    assert fill_of(page, "Save") != "rgb(16, 16, 64)"
    expect(page.get_by_text(re.compile("In the dark it has a contrast of only"))).to_be_visible()
    page.emulate_media(color_scheme="light")
    assert fill_of(page, "Save") == "rgb(16, 16, 64)"


def test_a_picture_with_scripts_is_refused_and_the_name_typed_stays(desk):
    page = desk.page
    page.goto("/settings/branding")
    page.get_by_label("Product name").fill("Brightside")
    page.get_by_label("Logo", exact=True).set_input_files(
        {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"})
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#logo-fault")).to_contain_text("SVG is not taken")
    expect(page.get_by_label("Product name")).to_have_value("Brightside")
    desk.faults[:] = [fault for fault in desk.faults if "422" not in fault]


def test_the_platforms_own_look_comes_back(server, desk):
    page = desk.page
    page.goto("/settings/branding")
    page.get_by_label("Product name").fill("")
    page.get_by_label("Use a colour of our own").uncheck()
    page.get_by_label("Remove the logo").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".bar .brand")).to_have_text("AIAS")
    expect(page.locator(".bar .brand svg")).to_be_visible()
    assert page.locator("link[href*='/branding/']").count() == 0
