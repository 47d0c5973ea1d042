"""Typed readers for environment variables: a wrong value stops the start and names its variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import overload
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from honcho.environ import parse

from core.money import parse_money

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def load_file(path: Path, environ: MutableMapping[str, str] = os.environ) -> None:
    """Add the `NAME=value` lines of a file to the environment, which itself has the last word."""
    if not path.is_file():
        return
    for name, value in parse(path.read_text(encoding="utf-8")).items():
        environ.setdefault(name, value)


class Env:
    """Read variables of one environment; an empty value counts as not set.

    Raises: ImproperlyConfigured, which names the variable and says what it accepts.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def _get(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    @overload
    def text(self, name: str, default: str) -> str: ...
    @overload
    def text(self, name: str, default: None = None) -> str | None: ...

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return the value as it stands."""
        value = self._get(name)
        return default if value is None else value

    def required(self, name: str, why: str) -> str:
        """Return the value of a variable that has no default."""
        value = self._get(name)
        if value is None:
            raise ImproperlyConfigured(f"{name} is not set: {why}.")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        """Return a switch, written as true/false, yes/no, on/off or 1/0."""
        value = self._get(name)
        if value is None:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise _wrong(name, value, "one of true, false, yes, no, on, off, 1, 0")

    def integer(self, name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
        """Return a whole number between `least` and `most`, both included."""
        value = self._get(name)
        if value is None:
            return default
        expected = f"a whole number from {least} to {most}"
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", value) or not least <= int(value) <= most:
            raise _wrong(name, value, expected)
        return int(value)

    def choice(self, name: str, accepted: Sequence[str], default: str) -> str:
        """Return one of the accepted words."""
        value = self._get(name)
        if value is None:
            return default
        if value not in accepted:
            raise _wrong(name, value, f"one of {', '.join(accepted)}")
        return value

    def listing(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Return the parts of a comma-separated value, without empty ones."""
        value = self._get(name)
        if value is None:
            return list(default)
        return [part.strip() for part in value.split(",") if part.strip()]

    def duration(self, name: str, default: timedelta) -> timedelta:
        """Return a length of time, written as 500ms, 30s, 15m, 12h or 7d."""
        value = self._get(name)
        if value is None:
            return default
        match = DURATION.fullmatch(value)
        if match is None:
            raise _wrong(name, value, "a duration such as 500ms, 30s, 15m, 12h or 7d")
        return int(match[1]) * UNITS[match[2]]

    def amount(self, name: str, default: int) -> int:
        """Return an amount of money of at least nothing, written as 0.05, in nanos."""
        value = self._get(name)
        if value is None:
            return default
        try:
            nanos = parse_money(value)
        except ValueError:
            nanos = -1
        if nanos < 0:
            raise _wrong(name, value, "an amount such as 0.05, with at most nine decimal places")
        return nanos

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Return networks, comma-separated, each an address or in CIDR notation."""
        try:
            return [ip_network(part) for part in self.listing(name)]
        except ValueError as error:
            raise _wrong(
                name, self._get(name), "networks such as 10.1.0.0/16, separated by commas"
            ) from error

    def url(self, name: str, schemes: Sequence[str], default: str) -> str:
        """Return a URL of one of the accepted schemes; a password in it is never repeated in an error."""
        value = self._get(name)
        if value is None:
            return default
        expected = f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018 (the port is parsed, and refused, on access)
        except ValueError as error:
            raise _wrong(name, None, expected) from error
        if parts.scheme not in schemes or "://" not in value:
            raise _wrong(name, None, expected)
        return value


def _wrong(name: str, value: str | None, expected: str) -> ImproperlyConfigured:
    given = "" if value is None else f", not {value!r}"
    return ImproperlyConfigured(f"{name} must be {expected}{given}.")
