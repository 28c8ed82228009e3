"""More than one person in a tenant: invited by mail, joined by the link in it."""

import base64
import re
import time

from aiosmtpd.controller import Controller

from server import free_port

MAIL_LIMIT_S = 60


class Mailbox:
    """Takes every mail in."""

    def __init__(self):
        self.mails = []
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self.controller.start()

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"

    def words(self, email, saying=""):
        """The text of the newest mail to somebody that says something, waited for."""
        deadline = time.monotonic() + MAIL_LIMIT_S
        while True:
            texts = [base64.b64decode(mail.replace("\r\n", "\n").split("\n\n", 1)[1]).decode() for to, mail in list(self.mails) if email in to]
            found = [text for text in texts if saying in text]
            if found:
                return found[-1]
            assert time.monotonic() < deadline, f"no mail to {email}"
            time.sleep(0.05)

    def stop(self):
        self.controller.stop()


def join(server, mailbox, key, email, name, role="editor"):
    """Somebody new is invited and joins."""
    status, answer, _ = server.request("POST", "/v1/invitations", {"email": email, "role": role}, key=key)
    assert status == 204, answer
    token = re.search(r"token=([\w\-.~%]+)", mailbox.words(email))[1]
    status, answer, _ = server.request("POST", "/v1/invitation-acceptances", {"token": token, "name": name, "password": "a long password of theirs"})
    assert status == 201, answer
