"""A mail server for the tests: it keeps what it is sent, or answers as it is told to."""

from __future__ import annotations

import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.alerts.receivers import unused_port


@dataclass(slots=True)
class Post:
    """A mail server's handler: it accepts, or answers a recipient or the message with something else."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    to_recipient: str = ""
    to_message: str = "250 Kept"

    async def handle_RCPT(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 Known"

    async def handle_DATA(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.to_message.startswith("250"):
            raw = envelope.content
            assert isinstance(raw, bytes)
            parsed = email.message_from_bytes(raw, policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            self.mails.append(parsed)
            self.recipients += envelope.rcpt_tos
        return self.to_message


@contextmanager
def posting(settings: Any) -> Iterator[Post]:
    """Run a mail server that the settings name."""
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=unused_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "Headroom <headroom@mail.example>"
    settings.PUBLIC_URL = "https://headroom.example"
    try:
        yield handler
    finally:
        controller.stop()


def part(mail: EmailMessage, kind: str) -> str:
    """Return the content of the mail's part of a kind."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())
