"""System checks of the environment: what `manage.py check` and a start refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections
from django.db.utils import OperationalError

from config.roles import Rights, read_rights

HINT = "Run `manage.py bootstrap_database`; DATABASE_URL should name a login that is only the application's."
SHORTEST_TOKEN = 20
STRONGER_LOGIN = "The login {login!r} acts as {role!r} but may become more than that again."


@register(Tags.database)
def application_role(
    *, app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse an application role that row-level security doesn't bind or that may change the tables."""
    if "default" not in (databases or ()):
        return []
    rights = _rights()
    if isinstance(rights, CheckMessage):
        return [rights]
    messages: list[CheckMessage] = [
        Error(f"The application's database role {rights.role!r} {words}.", hint=HINT, id="headroom.E001")
        for words in rights.excess()
    ]
    if rights.login_is_stronger:
        text = STRONGER_LOGIN.format(login=rights.login, role=rights.role)
        messages.append(CheckWarning(text, hint=HINT, id="headroom.W001"))
    return messages


@register(Tags.security, deploy=True)
def production_profile(*, app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what a production start would do without: its profile, its own servers, its protection."""
    return [
        CheckWarning(text, hint=hint, id=f"headroom.{number}")
        for number, wrong, text, hint in _production_findings()
        if wrong
    ]


def _rights() -> Rights | CheckMessage:
    try:
        with connections["default"].cursor() as cursor:
            return read_rights(cursor)
    except OperationalError as error:
        return Error(f"The database does not answer: {error}", id="headroom.E002")


def _production_findings() -> list[tuple[str, bool, str, str]]:
    local = {"localhost", "127.0.0.1", "[::1]", "*"}
    return [
        (
            "W010",
            settings.PROFILE != "production",
            "The profile is development.",
            "Set HEADROOM_PROFILE=production.",
        ),
        ("W011", settings.EMBEDDED_POSTGRES, "PostgreSQL is the embedded one.", "Set DATABASE_URL."),
        ("W012", settings.EMBEDDED_REDIS, "Redis is the embedded one.", "Set REDIS_URL."),
        (
            "W013",
            bool(local & set(settings.ALLOWED_HOSTS)),
            "ALLOWED_HOSTS names this machine or everything.",
            "Set ALLOWED_HOSTS to the public host names.",
        ),
        (
            "W014",
            not settings.EMBEDDED_POSTGRES and settings.DATABASE_URL == settings.DATABASE_OWNER_URL,
            "The application signs in to PostgreSQL as the tables' owner does.",
            "Set DATABASE_OWNER_URL, and DATABASE_URL to a login of the application's own.",
        ),
        (
            "W015",
            0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN,
            f"METRICS_TOKEN has fewer than {SHORTEST_TOKEN} characters.",
            "Set it to random ones, or not at all: /metrics is then not served.",
        ),
    ]
