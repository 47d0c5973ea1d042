"""The figures of alerts, of exports, and of all organizations together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.periods import billing_period, zone
from portal import numbers
from tests.contracts.figures.asking import Api, before_of, moment
from tests.contracts.figures.claims import COUNT, MONEY, Claims, Is, Moved, Tells, nanos, numbers_in
from tests.contracts.figures.reading import Page
from tests.usage.factories import NOW, Tenant
from usage.exports.services import KEPT


def events(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the alerts: what each says are the event's own numbers."""
    claims = Claims()
    for name, is_open in (("holding", True), ("events", False)):
        found = [
            one["message"]
            for one in api.get("/alerts/events")["items"]
            if (one["resolvedAt"] is None) is is_open and numbers_in(one["message"])
        ]
        for number, message in enumerate(found, start=1):
            claims.sentence(f"{name} p" if number == 1 else f"{name} p {number}", message)
    return claims


def event(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim one alert."""
    claims, one = Claims(), api.get(f"/alerts/events/{api.world.event}")
    claims.sentence("live h1", one["message"])
    claims.sentence("advice p", one["recommendation"])
    for label, name in (("Value", "value"), ("Threshold", "threshold")):
        claims.tells(f"facts / {label}", numbers.exact(Decimal(one[name])))
    return claims


def rules(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the rules with their thresholds."""
    claims, found = Claims(), api.get("/alerts/rules")["items"]
    claims.rows("rules", ((one["name"], {"When": Tells(_judged(one))}) for one in found))
    return claims


def _judged(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the thresholds, and how long what is judged takes."""
    return (*one["threshold"], *re.findall(r"\d+", one["window"] or ""))


def rule(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim one rule."""
    claims, one = Claims(), api.get(f"/alerts/rules/{api.world.rule}")
    claims.tells("facts / Condition", *_judged(one))
    claims.tells("facts / Minimum requests", one["leastRequests"])
    claims.tells("facts / Recovery margin", one["hysteresis"])
    claims.tells("facts / Cooldown", numbers.exact(one["quietMinutes"]))
    claims.tells("facts / Last changed", one["revision"])
    return claims


def deliveries(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the deliveries: they say what the event says."""
    claims = Claims()
    found = [one for one in api.get("/alerts/events")["items"] if numbers_in(one["message"])]
    for number, one in enumerate(found, start=1):
        claims.sentence("deliveries p" if number == 1 else f"deliveries p {number}", one["message"])
    return claims


def exports(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim for how long files are kept: all that the page tells without an export."""
    claims = Claims()
    claims.tells("ask p", KEPT.days)
    return claims


def organizations(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the organizations, each by its own answers, and what comes together in each currency."""
    claims, found = Claims(), [_of(api, tenant) for tenant in (api.world.tenant, api.world.abroad)]
    claims.tells("organizations-title h2", len(found))
    claims.rows("organizations", ((one["slug"], _row(one)) for one in found))
    for one in found:
        for label, name in (("Requests", "requests"), ("Tokens", "tokens"), ("Cost", "cost")):
            kind = MONEY if name == "cost" else COUNT
            moved = Moved(kind, one[name], one["before"][name], is_arrow=True)
            claims.add(f"organizations / {one['slug']} / {label} note", moved)
        _lacking(claims, f"organizations / {one['slug']} / Cost note", one)
    for currency in sorted({one["currency"] for one in found}):
        _together(claims, currency, [one for one in found if one["currency"] == currency])
    return claims


def _lacking(claims: Claims, place: str, one: Mapping[str, Any]) -> None:
    """Claim that a cost says how it moved and how many requests it lacks, where it lacks any."""
    if not one["unpriced"]:
        return
    moved = numbers.change(nanos(one["cost"]), nanos(one["before"]["cost"]))
    is_known = Decimal(one["cost"]) and _known(one["before"]) is not None
    claims.tells(place, *(numbers_in(moved.text) if is_known else ()), f"{one['unpriced']:,}")


def _known(one: Mapping[str, Any]) -> Any:
    """Return a cost; None where it is nothing for want of prices."""
    return None if one["unpriced"] and not Decimal(one["cost"]) else one["cost"]


def _of(api: Api, tenant: Tenant) -> dict[str, Any]:
    slug = tenant.organization.slug
    client = api.world.reader_of(slug)
    its = Api(api.world, client, tenant)
    period = billing_period(NOW, zone(tenant.organization.timezone))
    window = {"from": moment(period.start), "to": moment(period.end)}
    now, before = its.get("/usage"), its.get("/usage", **before_of(its, window, month=True))
    limit = its.limit()
    held = None if limit is None else Decimal(limit["spent"]) + Decimal(limit["reserved"])
    return {
        "slug": slug,
        "currency": now["currency"],
        **_sums(now),
        "before": _sums(before),
        "share": None if limit is None or held is None else int(held * 100 / Decimal(limit["limit"])),
        "open": len([one for one in its.get("/alerts/events")["items"] if one["resolvedAt"] is None]),
    }


def _sums(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "requests": answer["requests"]["total"],
        "tokens": answer["tokens"]["total"],
        "cost": answer["cost"],
        "unpriced": answer["unpricedRecords"],
    }


def _row(one: Mapping[str, Any]) -> dict[str, Is]:
    return {
        "Requests": Is(COUNT, one["requests"]),
        "Tokens": Is(COUNT, one["tokens"]),
        "Cost": Is(MONEY, _known(one)),
        "Spend limit": Is(COUNT, one["share"]),
        "Open alerts": Is(COUNT, one["open"]),
    }


def _together(claims: Claims, currency: str, found: Sequence[Mapping[str, Any]]) -> None:
    names = ("requests", "tokens", "cost", "unpriced")
    sums = {name: sum(Decimal(str(one[name])) for one in found) for name in names}
    note = {"Cost note": Tells((f"{sums['unpriced']:,}",))} if sums["unpriced"] else {}
    row: dict[str, Is | Tells] = {
        "Organizations": Is(COUNT, len(found)),
        "Requests": Is(COUNT, sums["requests"]),
        "Tokens": Is(COUNT, sums["tokens"]),
        "Cost": Is(MONEY, _known(sums)),
        **note,
    }
    claims.rows("by-currency", [(currency, row)])
