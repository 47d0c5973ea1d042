"""The figures of the plan, of credits, invoices and prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from portal import numbers
from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api
from tests.contracts.figures.claims import COUNT, MONEY, Claims, Is, Tells, nanos
from tests.contracts.figures.reading import Page

_MILLION: Final = 1_000_000


def billing(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim what the plan entitles to, and what its pages come to."""
    claims, plan = Claims(), api.get("/plan")
    claims.tells("plan / Requests per minute", numbers.exact(plan["requestsPerMinute"]))
    claims.tells("ways / Costs", numbers.short_money(nanos(api.get("/costs")["billingPeriod"])))
    standing = api.get("/credits")
    left = [Decimal(str(standing[one]["remaining"])) for one in _ALLOWANCES]
    claims.tells("ways / Credits", *map(numbers.exact, left))
    bills = api.get("/invoices", limit=1)
    [newest] = bills["invoices"]
    claims.tells("ways / Invoices", numbers.exact_money(nanos(newest["total"])), bills["pagination"]["total"])
    claims.tells("ways / Prices", api.get("/prices")["pagination"]["total"])
    return claims


_ALLOWANCES: Final = ("credits", "quota")


def allowances(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim how much is left of what was granted, and every grant."""
    claims, answer = Claims(), api.get("/credits")
    for number, name in enumerate(_ALLOWANCES, start=1):
        one = {key: Decimal(str(value)) for key, value in answer[name].items()}
        share = max(one["remaining"], Decimal(0)) * 100 / one["granted"]
        claims.tells(f"gauge-{number} h2", numbers.exact(one["remaining"]))
        claims.tells(f"gauge-{number} drawn", f"{share:.0f}", title=[f"{share:.1f}"])
        for label, value in {
            "Granted to date": one["granted"],
            "Used": one["consumed"],
            "Used beyond grants": one["uncovered"] + one["overage"],
            "Expired": one["expired"],
            "Revoked": one["revoked"],
        }.items():
            claims.is_(f"gauge-{number} / {label}", COUNT, value)
    claims.rows("grants", ((one["reason"], _grant(one)) for one in answer["grants"]))
    moved = api.of(page, "transactions")["items"]
    claims.rows("transactions", ((one["postedAt"], {"Amount": Is(COUNT, _left(one))}) for one in moved))
    return claims


def _left(one: Mapping[str, Any]) -> Decimal:
    """Return by how much a transaction of the ledger moves what is left."""
    held = ("available", "uncovered", "overage")
    amounts = (Decimal(str(posting["amount"])) for posting in one["postings"] if posting["account"] in held)
    return sum(amounts, Decimal(0))


def _grant(one: Mapping[str, Any]) -> dict[str, Is]:
    return {
        "Remaining": Is(COUNT, one["remaining"]),
        "Granted": Is(COUNT, one["amount"]),
        "Priority": Is(COUNT, one["priority"]),
    }


def invoices(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the invoices with their totals."""
    claims = Claims()
    claims.rows(
        "invoices",
        ((one["reference"], {"Total": Is(MONEY, one["total"])}) for one in api.get("/invoices")["invoices"]),
    )
    return claims


def invoice(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim an invoice: each line, each model's part, and how they come to its total."""
    claims, answer = Claims(), api.get(f"/invoices/{api.world.invoice}")
    claims.says("page h1", f"Invoice {answer['number']}")
    claims.tells("page p", *([f"{answer['unpricedRecords']:,}"] if answer["unpricedRecords"] else []))
    claims.tells("facts-title h2", numbers.exact_money(nanos(answer["total"])))
    rows: list[tuple[str, Mapping[str, Is | Tells]]] = []
    for names, lines in groupby(answer["lines"], key=lambda line: (line["provider"], line["model"])):
        found = list(lines)
        whole = sum(Decimal(line["cost"]) for line in found)
        named = " / ".join(filter(None, names)) or "No model named"
        rows.append((named, {"Amount": Tells((charts.exact("cost", whole),))}))
        rows += [(_what(line), _line(line)) for line in found]
    rows += [
        ("Subtotal", {"Amount": Is(MONEY, answer["linesTotal"])}),
        ("Rounding", {"Amount": Is(MONEY, answer["rounding"])}),
        ("Total", {"Amount": Is(MONEY, answer["total"])}),
    ]
    claims.rows("lines", rows)
    return claims


_BASES: Final = {
    "reported": "Requests, at the cost reported with them",
    "whole": "Requests, rated one by one",
}
_METERS: Final = {"prompt": "Prompt tokens", "completion": "Completion tokens"}


def _what(line: Mapping[str, Any]) -> str:
    return _BASES.get(line["basis"]) or _METERS[line["meter"]]


def _line(line: Mapping[str, Any]) -> dict[str, Is | Tells]:
    rate = () if line["rate"] is None else (charts.exact("cost", line["rate"]), f"{line['per']:,}")
    return {
        "Quantity": Is(COUNT, line["quantity"]),
        "Rate": Tells(rate),
        "Amount": Is(MONEY, line["cost"]),
    }


def prices(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the prices in force, for a million."""
    claims, answer = Claims(), api.of(page, "prices")
    claims.tells("prices-title h2", numbers.exact(answer["pagination"]["total"]))
    claims.rows(
        "prices",
        (
            (
                f"{one['provider']}/{one['model']}",
                {
                    f"{_METERS[rate['meter']].removesuffix(' tokens')}, {one['currency']} per 1M": Is(
                        MONEY, Decimal(rate["amount"]) * _MILLION / rate["per"]
                    )
                    for rate in one["rates"]
                },
            )
            for one in answer["items"]
        ),
    )
    return claims
