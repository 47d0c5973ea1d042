"""Maintenance: while the operator works on it, pages and calls are answered with when to come back.

It is a file in the data directory, so that it needs neither database nor Redis, outlasts a restart, and every
process of the host sees it within a second.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from core import clock
from core.moments import format_moment, parse_moment
from core.problems import Problem, problem_response, unavailable
from core.views import API_PATH

FILE: Final = "maintenance.json"
CODE: Final = "maintenance"
SOON: Final = timedelta(minutes=5)
"""When to come back, where nobody said when it ends."""
MOST: Final = 500
LOOK_SECONDS: Final = 1.0
"""How long it is taken for granted that there is none."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said meanwhile; ``until`` is when it is to be over, ``whole`` whether records wait as well."""

    message: str = ""
    until: datetime | None = None
    whole: bool = False

    def wait_seconds(self, now: datetime) -> int:
        """Return after how long to come back: until the end, and a little later once that has passed."""
        left = SOON if self.until is None else self.until - now
        return max(int(left.total_seconds()), 60)


def path() -> Path:
    """Return the file whose presence is the maintenance."""
    return Path(settings.DATA_DIR) / FILE


def begin(notice: Notice) -> None:
    """Answer everything with the notice from now on.

    Concurrency: whoever reads meanwhile sees the old file or the new one, whole.
    """
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    until = None if notice.until is None else format_moment(notice.until)
    fresh = target.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"message": notice.message, "until": until, "whole": notice.whole}))
    fresh.replace(target)


def end() -> bool:
    """Answer as usual again; return whether it was otherwise."""
    try:
        path().unlink()
    except FileNotFoundError:
        return False
    return True


def current() -> Notice | None:
    """Return what is to be said, None when there is no maintenance."""
    try:
        text = path().read_text()
    except FileNotFoundError:
        return None
    try:
        read = json.loads(text)
        until = read["until"]
        moment = None if until is None else parse_moment(until)
        return Notice(str(read["message"]), moment, bool(read["whole"]))
    except (ValueError, KeyError, TypeError):
        # Somebody made the file by hand: its presence says enough.
        return Notice()


class Maintenance:
    """Answers 503 with ``Retry-After``: pages with a page, the API with a problem.

    Probes and metrics come before it. Files of pages pass; so do the calls that keys make all the time
    (``DIRECT_PATHS``: records and the gate) unless they are to wait as well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.page: Callable[[HttpRequest], Any] = CSPMiddleware(_page)
        self.passing = tuple(place for _, place in settings.DIRECT_PATHS)
        self._look_from = 0.0

    def __call__(self, request: HttpRequest) -> Any:
        """Answer the request, or say when to come back."""
        notice = self._current()
        if notice is None or self._passes(request.path_info, notice):
            return self.get_response(request)
        if request.path_info.startswith(API_PATH):
            return problem_response(_problem(notice))
        return self.page(request)

    def _current(self) -> Notice | None:
        now = time.monotonic()
        if now < self._look_from:
            return None
        notice = current()
        if notice is None:
            self._look_from = now + LOOK_SECONDS
        return notice

    def _passes(self, place: str, notice: Notice) -> bool:
        if place.startswith(settings.STATIC_URL):
            return True
        return not notice.whole and place.startswith(self.passing)


def _problem(notice: Notice) -> Problem:
    detail = " ".join(part for part in ("The server is being worked on.", notice.message) if part)
    return unavailable(detail, retry_after=notice.wait_seconds(clock.now()), code=CODE)


def _page(request: HttpRequest) -> HttpResponse:
    notice = current() or Notice()
    body = render_to_string("503.html", {"notice": notice})
    wait = str(notice.wait_seconds(clock.now()))
    return HttpResponse(body, status=503, headers={"Retry-After": wait, "Cache-Control": "no-store"})
