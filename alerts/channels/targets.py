"""The address of a channel: read, checked, and as it may be shown."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from alerts.models import Kind
from alerts.outbound.addresses import is_refused
from alerts.senders import chat
from core.problems import Problem, invalid_field

MOST: Final = 2000
_HINT: Final = 4


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send, and what people may see of it."""

    text: str = field(repr=False)
    shown: str


def read_target(kind: str, *, url: str | None, address: str | None) -> Target:
    """Return the target of a channel of some kind, from the ``url`` or ``address`` given for it.

    Raises: `Problem` 422 naming the field that is missing, too much, or not acceptable.
    """
    wanted, given, other = ("address", address, url) if kind == Kind.EMAIL else ("url", url, address)
    if other is not None:
        unwanted = "url" if wanted == "address" else "address"
        raise invalid_field(f"/{unwanted}", "unknown_field", f"A channel of kind {kind} has {wanted}.")
    if given is None:
        raise invalid_field(f"/{wanted}", "required", f"A channel of kind {kind} needs {wanted}.")
    if kind == Kind.EMAIL:
        return _mailbox(given)
    return _webhook(given) if kind == Kind.WEBHOOK else _service(kind, given)


def _mailbox(address: str) -> Target:
    try:
        validate_email(address)
    except ValidationError as error:
        raise invalid_field("/address", "invalid", "Must be an e-mail address.") from error
    return Target(address, address)


def _webhook(url: str) -> Target:
    schemes = ("https", "http") if settings.ALERT_ALLOWED_NETWORKS else ("https",)
    parts = _split(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise _not_acceptable(
            f"Must be an address that begins with {' or '.join(f'{s}://' for s in schemes)}."
        )
    if parts.username is not None or parts.fragment or not _has_port(parts):
        raise _not_acceptable("Must have neither a user nor a fragment, and a port only from 1 to 65535.")
    _refuse_private(parts)
    return Target(url, _masked(parts, url))


def _service(kind: str, url: str) -> Target:
    parts = _split(url)
    try:
        chat.check(kind, url)
    except chat.NotAnAddress as error:
        raise _not_acceptable(str(error)) from error
    if parts.scheme in ("mmost", "ntfy") and not settings.ALERT_ALLOWED_NETWORKS:
        raise _not_acceptable(f"Must be an address that begins with {parts.scheme}s://.")
    _refuse_private(parts)
    return Target(url, _masked(parts, url))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _not_acceptable("Is not an address.") from error
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        raise _not_acceptable("Is not an address.")
    return parts


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _refuse_private(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if is_refused(host, allowed=settings.ALERT_ALLOWED_NETWORKS):
        raise _not_acceptable(f"{host} is an address where no request may go.")


def _masked(parts: SplitResult, url: str) -> str:
    # Of addresses made of keys, even the place of the host is one.
    host = parts.netloc.rpartition("@")[2] if parts.scheme in ("https", "http") else ""
    return f"{parts.scheme}://{host}{'/' if host else ''}…{url[-_HINT:]}"[:254]


def _not_acceptable(detail: str) -> Problem:
    return invalid_field("/url", "invalid", detail)
