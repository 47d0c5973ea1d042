"""From a PostgreSQL URL to Django's connection settings, under the role the connection is meant to have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEMES = ("postgresql", "postgres")
PREPARE_AFTER = 5


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a PostgreSQL database is and who signs in there."""

    name: str
    user: str
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def conninfo(self, *, role: str | None = None, name: str | None = None) -> dict[str, Any]:
        """Return libpq's keyword arguments, stepping down to `role` when another user signs in."""
        wanted = {
            **self.options,
            "dbname": name or self.name,
            "user": self.user,
            "password": self.password,
            "host": self.host,
            "port": self.port,
            "options": step_down(self.options.get("options", ""), self.user, role),
        }
        return {key: value for key, value in wanted.items() if value}


def step_down(options: str, user: str, role: str | None) -> str:
    """Return the start-up options that make a connection of `user` act as `role`."""
    if role is None or role == user:
        return options
    return f"{options} -c role={role}".strip()


def parse_address(url: str, *, variable: str) -> Address:
    """Read `postgresql://user:password@host:port/name?option=value`; an option `host` names a directory.

    Raises: ImproperlyConfigured, naming the variable, when the user or the database is missing.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    name = unquote(parts.path.removeprefix("/"))
    if not name or not parts.username:
        raise ImproperlyConfigured(
            f"{variable} must name a user and a database: postgresql://user@host/database."
        )
    return Address(
        name=name,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        host=options.pop("host", "") or unquote(parts.hostname or ""),
        port=str(parts.port or ""),
        options=options,
    )


def connection_settings(address: Address, *, role: str, pooled: bool = False) -> dict[str, Any]:
    """Return an entry of Django's DATABASES for `address`, acting as `role`.

    On a connection that a pooler shares between transactions nothing may be prepared.
    """
    options: dict[str, Any] = {key: value for key, value in address.options.items() if key != "options"}
    startup = step_down(address.options.get("options", ""), address.user, role)
    if startup:
        options["options"] = startup
    options.setdefault("connect_timeout", "5")
    options["prepare_threshold"] = None if pooled else PREPARE_AFTER
    return {
        "ENGINE": "config.postgresql",
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": address.port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
