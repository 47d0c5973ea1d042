"""Links that carry their own authority: signed, of one address and one purpose. No database."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer, TimestampSigner
from django.urls import reverse

from core.problems import not_found

CONFIRMED_WITHIN: Final = timedelta(days=7)
"""How long a link that confirms an address works; one that unsubscribes always does."""


_NOBODY: Final = UUID(int=0)


class Of(StrEnum):
    """What somebody is told by."""

    CHANNEL = "c"
    REPORT = "r"
    MEMBER = "m"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link is about: a channel at the address that it had, a recipient of a report, or a member.

    A member is known by the address alone.
    """

    of: Of
    organization_id: int
    id: UUID
    address: str = ""

    def is_for(self, address: str) -> bool:
        """Tell whether the link went to an address."""
        return self.address == _digest(address)


def unsubscribe_link(of: Of, organization_id: int, identity: UUID, address: str) -> str:
    """Return the address at which the owner of an e-mail address unsubscribes."""
    token = _unsubscribing().sign_object([of.value, organization_id, identity.hex, _digest(address)])
    return _absolute(settings.ALERT_PAGES["unsubscribe"], token)


def mute_link(organization_id: int, address: str) -> str:
    """Return the address at which a member wants no mails of events any more."""
    return unsubscribe_link(Of.MEMBER, organization_id, _NOBODY, address)


def confirm_link(organization_id: int, channel_id: UUID, address: str) -> str:
    """Return the address at which the owner of an e-mail address agrees to be told."""
    token = _confirming().sign_object([Of.CHANNEL.value, organization_id, channel_id.hex, _digest(address)])
    return _absolute(settings.ALERT_PAGES["confirm"], token)


def reports_link() -> str:
    """Return the address of the page where reports are managed."""
    return _absolute(settings.ALERT_PAGES["reports"])


def read_unsubscribe(token: str) -> Grant:
    """Return what a link to unsubscribe is about.

    Raises: `Problem` 404 for one that we did not make.
    """
    return _read(_unsubscribing(), token)


def read_confirm(token: str) -> Grant:
    """Return what a link to confirm an address is about.

    Raises: `Problem` 404 for one that we did not make, or that is too old.
    """
    return _read(_confirming(), token, max_age=CONFIRMED_WITHIN)


def _read(signer: Signer, token: str, **options: Any) -> Grant:
    try:
        of, organization_id, identity, address = signer.unsign_object(token, **options)
        return Grant(Of(of), organization_id, UUID(hex=identity), address)
    except (BadSignature, ValueError, TypeError) as error:
        raise not_found("This link is not one of ours, was cut short, or is too old.") from error


def _unsubscribing() -> Signer:
    return Signer(salt="headroom.unsubscribe")


def _confirming() -> TimestampSigner:
    return TimestampSigner(salt="headroom.confirm")


def _digest(address: str) -> str:
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:16]


def _absolute(name: str, *places: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=places)}"
