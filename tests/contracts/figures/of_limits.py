"""The figures of spend limits, their history and their trial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from portal import numbers
from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api, moment
from tests.contracts.figures.claims import COUNT, MONEY, Claims, Is, Tells, nanos
from tests.contracts.figures.reading import Page

_DAYS: Final = "7"
"""How many days a rolling limit goes over."""


def limits(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the limits' panels, each by the answer at its own address, and what happened last."""
    claims = Claims()
    for number, limit in enumerate(api.get("/spend-limits")["items"], start=1):
        _panel(claims, f"limit-{number}", limit)
    _decisions(claims, api.get("/spend-limit/decisions", take=5)["items"])
    return claims


def _panel(claims: Claims, name: str, limit: Mapping[str, Any]) -> None:
    amounts = {one: Decimal(limit[one]) for one in ("limit", "spent", "reserved", "remaining")}
    exact = {one: charts.exact("cost", value) for one, value in amounts.items()}
    share = f"{amounts['spent'] * 100 / amounts['limit']:.1f}"
    short = {one: numbers.short_money(nanos(value)) for one, value in amounts.items()}
    claims.tells(f"{name} p", short["spent"], short["limit"], title=[exact["spent"], exact["limit"]])
    whole = max(amounts["limit"], amounts["spent"] + amounts["reserved"])
    parts = [f"{amounts[one] * 100 / whole:.2f}" for one in ("spent", "reserved")]
    ticks = [f"{Decimal(at) * amounts['limit'] / whole:.2f}" for at in limit["warnAt"]]
    claims.tells(
        f"{name} drawn",
        *(exact[one] for one in ("spent", "limit", "reserved", "remaining")),
        title=["100", *parts, *ticks],
    )
    claims.tells(f"{name} / Limit", exact["limit"], _DAYS)
    claims.tells(f"{name} / Spent", short["spent"], share, title=[exact["spent"]])
    claims.tells(f"{name} / Reserved", short["reserved"])
    claims.tells(f"{name} / Left", short["remaining"], title=[exact["remaining"]])
    claims.tells(f"{name} / Resets", _DAYS)
    claims.tells(f"{name} / Forecast", _DAYS)
    claims.tells(f"{name} / Warns at", *limit["warnAt"])


def history(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the history of limits."""
    claims = Claims()
    _decisions(claims, api.of(page, "decisions")["items"])
    return claims


def _decisions(claims: Claims, items: list[Mapping[str, Any]]) -> None:
    columns = {"Spent, EUR": "spent", "Limit, EUR": "limit", "Reserved, EUR": "reserved"}
    claims.rows(
        "decisions",
        (
            (
                one["decidedAt"],
                {
                    "What": Tells(() if one["threshold"] is None else (str(one["threshold"]),)),
                    **{label: Is(MONEY, one[name]) for label, name in columns.items()},
                    "Limit, EUR note": Tells((_DAYS,)),
                },
            )
            for one in items
        ),
    )


def trial(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim what a limit would have done, by the replay, and each day of it by what was spent."""
    claims, answer = Claims(), api.of(page, "trial")
    claims.tells("try p", 15)
    claims.card("spent", MONEY, answer["spent"])
    claims.card("stopped", MONEY, answer["stopped"])
    seconds, pauses = answer["pausedSeconds"], answer["pauses"]
    claims.is_("card paused in full", COUNT, seconds)
    claims.tells("card paused", *_lasting(seconds), title=[seconds])
    claims.card("pauses", COUNT, len(pauses))
    often = [len(pauses)] if len(pauses) > 1 else []
    claims.tells("result-title h2", *often, *_lasting(seconds))
    claims.tells("trial drawn", *often, *_lasting(seconds))
    _days(claims, api, answer)
    claims.rows("pauses", ((one["pausedAt"], _pause(one, answer)) for one in pauses))
    claims.rows(
        "warnings",
        ((one["warnedAt"], {"Event": Tells((str(one["threshold"]),))}) for one in answer["warnings"]),
    )
    return claims


def _lasting(seconds: int) -> list[str]:
    """Return the numbers of a length of time, by its two largest units."""
    parts = []
    for size in (86_400, 3_600, 60):
        number, seconds = divmod(seconds, size)
        parts += [str(number)] if number else []
    return parts[:2]


def _pause(one: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Is | Tells]:
    end = one["resumedAt"] or answer["period"]["to"]
    seconds = int((datetime.fromisoformat(end) - datetime.fromisoformat(one["pausedAt"])).total_seconds())
    return {
        "Duration": Tells(tuple(_lasting(seconds)), value=str(seconds)),
        "Spent before, EUR": Is(MONEY, one["spent"]),
        "Refused, EUR": Is(MONEY, one["stopped"]),
    }


def _days(claims: Claims, api: Api, answer: Mapping[str, Any]) -> None:
    """Claim the days: what was spent by quarters of an hour, within a pause or outside of all."""
    mine = {} if answer.get("clientId") is None else {"clientId": answer["clientId"]}
    found: dict[str, list[Decimal]] = {}
    start, end = (datetime.fromisoformat(answer["period"][name]) for name in ("from", "to"))
    rows = api.rows({"from": moment(start), "to": moment(end), **mine}, ("cost",), "day")
    days = [str(api.local(row["timestamp"]).date()) for row in rows]
    for day in days:
        found[day] = [Decimal(0), Decimal(0)]
    for item in api.records(moment(start), moment(end), mine):
        at = datetime.fromisoformat(item["timestamp"])
        quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        place = any(_holds(one, quarter, end) for one in answer["pauses"])
        found[str(api.local(item["timestamp"]).date())][place] += Decimal(item["cost"] or 0)
    claims.rows(
        "trial-table",
        (
            (day, {"Allowed, EUR": Is(MONEY, found[day][0]), "Refused, EUR": Is(MONEY, found[day][1])})
            for day in reversed(days)
        ),
    )
    lines = [[found[day][place] for day in days] for place in (0, 1)]
    charts.series(claims, "trial", lines, "cost", api.currency)


def _holds(pause: Mapping[str, Any], quarter: datetime, end: datetime) -> bool:
    resumed = pause["resumedAt"]
    until = end if resumed is None else datetime.fromisoformat(resumed)
    return datetime.fromisoformat(pause["pausedAt"]) <= quarter < until
