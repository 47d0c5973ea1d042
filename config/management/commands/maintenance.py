"""Begin and end maintenance: `manage.py maintenance on --minutes 30`, `off`, `status`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import maintenance
from config.maintenance import MOST, Notice
from core import clock
from core.moments import format_moment


class Command(BaseCommand):
    """Begins and ends maintenance on this host; needs no database."""

    help = "Answer pages and the API with 503 and when to come back, until it is switched off."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be asked for."""
        parser.add_argument("state", choices=["on", "off", "status"])
        parser.add_argument("--minutes", type=int, help="How long it will take, from 1 to 10080.")
        parser.add_argument("--message", default="", help=f"What to say, of at most {MOST} characters.")
        parser.add_argument(
            "--records",
            action="store_true",
            help="Have records and the gate wait as well; clients send records again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin, end, or say how it is.

        Raises: CommandError.
        """
        state = options["state"]
        if state != "on" and (options["minutes"] is not None or options["message"] or options["records"]):
            raise CommandError("--minutes, --message and --records go with on.")
        if state == "on":
            maintenance.begin(_notice(options))
        elif state == "off":
            maintenance.end()
        self.stdout.write(_said())


def _notice(options: dict[str, Any]) -> Notice:
    minutes, message = options["minutes"], options["message"].strip()
    if minutes is not None and not 1 <= minutes <= 7 * 24 * 60:
        raise CommandError("--minutes must be from 1 to 10080, which is a week.")
    if len(message) > MOST:
        raise CommandError(f"--message must have at most {MOST} characters.")
    until = None if minutes is None else clock.now() + timedelta(minutes=minutes)
    return Notice(message, until, options["records"])


def _said() -> str:
    notice = maintenance.current()
    if notice is None:
        return "No maintenance: everything is answered."
    until = "" if notice.until is None else f" until {format_moment(notice.until)}"
    rest = "records and the gate wait as well" if notice.whole else "records and the gate are answered"
    return f"Maintenance{until}: {rest}."
