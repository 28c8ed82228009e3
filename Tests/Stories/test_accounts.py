"""An address is proven by whoever made the account, and what is given to it goes to nobody else."""

import re

import pytest
from playwright.sync_api import expect

from people import Mailbox
from server import Server

PASSWORD = "a long password of hers"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    mailbox = Mailbox()
    server = Server(tmp_path_factory.mktemp("accounts"), environment={"AIAS_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}).start()
    try:
        yield server, mailbox
    finally:
        server.stop()
        mailbox.stop()


def link(mailbox, email, page):
    """The path of the link to a page in the newest mail."""
    return re.search(r"http://[^/]+(/\S+)", mailbox.words(email, f"/{page}?token="))[1]


def test_an_address_is_confirmed_by_who_signed_up_with_it(place, chromium):
    server, mailbox = place
    hers, other = chromium.new_context(), chromium.new_context()
    page = hers.new_page()
    page.goto(server.base + "/sign-up")
    for name, value in [("name", "Vera"), ("email", "vera@example.com"), ("password", PASSWORD), ("tenant_name", "Vera's"), ("subdomain", "veras")]:
        page.locator(f"input[name={name}]").fill(value)
    page.locator("input[name=subdomain]").press("Enter")
    page.wait_for_url(lambda address: "sign-up" not in address)
    path = link(mailbox, "vera@example.com", "verify-email")

    # In another browser the link alone is not enough, and it is not used up by trying.
    elsewhere = other.new_page()
    elsewhere.goto(server.base + path)
    elsewhere.get_by_label("Password").fill("not her password")
    elsewhere.keyboard.press("Enter")
    expect(elsewhere.get_by_text("Give the password of the account whose address this proves.")).to_be_visible()

    # Where she is signed in nothing more is asked for.
    page.goto(server.base + path)
    expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(lambda address: "verify-email" not in address)
    elsewhere.goto(server.base + path)
    elsewhere.get_by_label("Password").fill(PASSWORD)
    elsewhere.keyboard.press("Enter")
    expect(elsewhere.get_by_text("This link was used or has expired; ask for a new one.")).to_be_visible()
    hers.close()
    other.close()


def test_an_invitation_takes_an_account_from_a_stranger(place):
    server, mailbox = place
    body = {"name": "Mallory", "email": "zoe@example.com", "password": "a stranger's password", "tenant_name": "M", "subdomain": "mallory"}
    assert server.request("POST", "/v1/sign-ups", body)[0] == 201
    assert server.request("POST", "/v1/sessions", {"email": "zoe@example.com", "password": "a stranger's password"})[0] == 201
    key = server.create_tenant("acme", owner="ana@example.com")["api_key"]
    assert server.request("POST", "/v1/invitations", {"email": "zoe@example.com", "role": "admin"}, key=key)[0] == 204
    token = link(mailbox, "zoe@example.com", "invitation").split("token=")[1]
    status, answer, _ = server.request("POST", "/v1/invitation-acceptances", {"token": token})
    assert status == 422, answer
    status, answer, _ = server.request("POST", "/v1/invitation-acceptances", {"token": token, "name": "Zoe", "password": PASSWORD})
    assert status == 201, answer
    assert server.request("POST", "/v1/sessions", {"email": "zoe@example.com", "password": "a stranger's password"})[0] == 401
    assert server.request("POST", "/v1/sessions", {"email": "zoe@example.com", "password": PASSWORD})[0] == 201
