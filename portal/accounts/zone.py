"""In which zone the pages of one's account write moments."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from core.periods import zone
from core.problems import Problem
from organizations.models import User
from portal.access import caller_of

UTC: Final = ZoneInfo("UTC")


def account_zone(request: HttpRequest) -> dict[str, Any]:
    """Give templates ``account_zone``, looked up once and only where it is written.

    It is the zone of the organization that the user is in, else UTC.
    """

    @cache
    def look_up() -> ZoneInfo:
        if not isinstance(request.user, User):
            return UTC
        try:
            return zone(caller_of(request).timezone)
        except Problem:
            return UTC

    return {"account_zone": look_up}
