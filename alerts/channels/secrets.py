"""Secrets that webhooks are signed with."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final

from alerts.models import Channel
from core.sealing import unseal

PREFIX: Final = "whsec_"
OVERLAP: Final = timedelta(hours=24)
"""For so long after a rotation, messages are signed with the secret before as well."""
_BYTES: Final = 32


def generate() -> str:
    """Return a new secret in the form of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def in_force(channel: Channel, now: datetime) -> tuple[str, ...]:
    """Return the secrets that a channel's messages are signed with at a moment, the newest first.

    Raises: `core.sealing.Unreadable`.
    """
    held = [channel.secret]
    if channel.old_secret_until is not None and now < channel.old_secret_until:
        held.append(channel.old_secret)
    return tuple(unseal(secret) for secret in held if secret is not None)
