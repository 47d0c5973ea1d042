"""What the API answers for the filter of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.test import Client

from tests.contracts.figures.reading import Page
from tests.contracts.figures.world import World
from tests.usage.factories import NOW, Tenant

UNNAMED: Final = "(none)"
OF_QUESTIONS: Final = ("metrics", "granularity", "groupBy", "limit", "sort")
MINUTE: Final = timedelta(minutes=1)

Row = Mapping[str, Any]


class Api:
    """The API, asked with the session that reads the pages."""

    def __init__(self, world: World, client: Client | None = None, tenant: Tenant | None = None) -> None:
        self.world = world
        self.client = client or world.reader
        asked = (tenant or world.tenant).organization
        self.zone = ZoneInfo(asked.timezone)
        self.currency = asked.currency

    def get(self, path: str, **parameters: Any) -> Any:
        """Return an answer below the base path, or at an address that a page names."""
        whole = path if path.startswith("/api/") else f"/api/v1{path}"
        given = {name.rstrip("_"): value for name, value in parameters.items()}
        answer = self.client.get(whole, given or None)
        assert answer.status_code == 200, (whole, given, answer.content)
        return answer.json()

    def of(self, page: Page, name: str) -> Any:
        """Return what the API answers at the address that a page names."""
        return self.get(page.api(name))

    def rows(
        self, chosen: Mapping[str, str], metrics: Sequence[str], granularity: str = "total", by: str = ""
    ) -> list[Row]:
        """Return the rows of a question."""
        question = {**chosen, "metrics": ",".join(metrics), "granularity": granularity, "limit": "1000"}
        question |= {"groupBy": by} if by else {}
        found: list[Row] = []
        while True:
            answer = self.get("/usage/query", **question, offset=len(found))
            found += answer["rows"]
            if not answer["pagination"]["hasMore"]:
                return found

    def total(self, chosen: Mapping[str, str] | None, metrics: Sequence[str]) -> Row:
        """Return what adds up over a window; nothing of anything where there is none."""
        if chosen is None:
            return dict.fromkeys(metrics)
        [row] = self.rows(chosen, metrics)
        return row

    def records(self, start: str, end: str, chosen: Mapping[str, str]) -> Iterator[Row]:
        """Yield every record of a window."""
        cursor: dict[str, str] = {}
        while True:
            answer = self.get("/records", from_=start, to=end, take="1000", **chosen, **cursor)
            yield from answer["items"]
            if answer["cursor"] is None:
                return
            cursor = {"cursor": answer["cursor"]}

    def limit(self) -> Row | None:
        """Return the organization's own spend limit, None without one."""
        items = self.get("/spend-limits")["items"]
        return next((one for one in items if one["clientId"] is None), None)

    def local(self, moment: str) -> datetime:
        """Return a moment of the API on the organization's clock."""
        return datetime.fromisoformat(moment).astimezone(self.zone)

    def wall(self, moment: str) -> str:
        """Return a moment as tables have it: the organization's clock, without an offset."""
        return self.local(moment).replace(tzinfo=None).isoformat()


def chosen_of(page: Page, name: str = "figures") -> dict[str, str]:
    """Return the window and the filters of a page, as the address of its figures has them."""
    query = QueryDict(page.api(name).partition("?")[2])
    return {key: query[key] for key in query if key not in OF_QUESTIONS}


def before_of(api: Api, chosen: Mapping[str, str], *, month: bool = False) -> dict[str, str]:
    """Return the same filters for as much of the days before as has passed of these."""
    start, end = (datetime.fromisoformat(chosen[name]) for name in ("from", "to"))
    first_day, last_day = (one.astimezone(api.zone).date() for one in (start, end))
    day = first_day - (last_day - first_day)
    if month:
        day = (first_day - timedelta(days=1)).replace(day=1)
    first = datetime.combine(day, datetime.min.time(), api.zone).astimezone(UTC)
    passed = (min(NOW, end) - start) // MINUTE * MINUTE
    last = start if end <= NOW else min(first + passed, start)
    return {**chosen, "from": moment(first), "to": moment(last)}


def moment(value: datetime) -> str:
    """Write a moment as the API does."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def called(value: Any) -> str:
    """Return how a page calls what a row is grouped by."""
    return str(value) if value else UNNAMED
