"""How many statements an answer takes: as many for much data as for little, and each for a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.channels.services import create_channel
from billing.book import process
from organizations.counters import Counters
from organizations.roles import ALL_SCOPES
from organizations.tenancy import tenant_scope
from tests.alerts.reports.reporting import make_report, member
from tests.alerts.rules.ruling import make_rule
from tests.alerts.telling import deliveries, fire, webhook
from tests.billing.invoices.months_of_use import issue
from tests.billing.pricing import price
from tests.contracts.document import operations
from tests.contracts.plans import make_plan
from tests.usage.exports import support
from tests.usage.factories import NOW, Answer, Tenant, at, make_tenant
from usage import partitions
from usage.rollups.fold import fold_pending

TRANSACTION: Final = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, slots=True)
class World:
    """An organization with so much of everything; its key may do all."""

    tenant: Tenant
    export: str
    invoice: str
    reservation: str
    spare: str
    channel: str
    event: str
    delivery: str
    rule: str
    report: str
    outside: str


LITTLE: Final = {"records": 10, "credentials": 3, "models": 1, "exports": 1}
MUCH: Final = {"records": 2_000, "credentials": 30, "models": 7, "exports": 4}


def make_world(*, records: int, credentials: int, models: int, exports: int) -> World:
    """Make an organization, its records spread over ten days, four fifths of them folded."""
    owner = make_tenant(f"With {records} records", plan=make_plan())
    tenant = owner.another_credential("Asks", scopes=ALL_SCOPES)
    clients = [owner.another_credential(f"Key {number}").client_id for number in range(credentials - 2)]
    clients += [tenant.client_id]
    sent = [
        {
            "id": f"r{number}",
            "type": "task.execution",
            "timestamp": at(NOW - timedelta(days=10 * number / records)),
            "clientId": clients[number % len(clients)],
            "model": f"model-{number % models}",
            "provider": "openai",
            "capability": f"capability-{number % models}",
            "endpoint": f"/v1/{number % models}",
            "status": "error" if number % 7 == 0 else "success",
            "statusCode": 500 if number % 7 == 0 else 200,
            "latencyMs": number,
            "tokens": {"prompt": number, "completion": 1},
            "quantities": {f"meter{number % models}": 1, "credits": 1},
            "cost": "0.01",
        }
        for number in range(records)
    ]
    folded = records * 4 // 5
    tenant.api.keep(*sent[:folded])
    fold_pending()
    tenant.api.keep(*sent[folded:])
    done = [support.write(tenant, support.ask(tenant))["id"] for _ in range(exports)]
    assert tenant.api.call("PUT", "/spend-limit", {"limit": "1000000"}).status == 200
    for client in clients[: len(clients) // 2]:
        path = f"/spend-limit?clientId={client}"
        assert tenant.api.call("PUT", path, {"limit": "1000"}).status == 200
    held = [
        tenant.api.call("POST", "/authorize", {"estimatedCost": "1"}).body["reservationId"]
        for _ in range(exports)
    ]
    issue(tenant)
    invoice = tenant.api.get("/invoices").body["invoices"][0]["reference"]
    told = tell(tenant, times=exports)
    with tenant_scope(tenant.id):
        outside = create_channel(
            organization_id=tenant.id, kind="email", name="Outside", address="books@outside.example"
        )
    reports = [
        make_report(tenant, members=[member(tenant, f"{n}@example.com").email], channels=[UUID(told[0])])
        for n in range(exports)
    ]
    return World(
        tenant, done[0], invoice, held[0], clients[0], *told, str(reports[0].pk), str(outside.channel.pk)
    )


def tell(tenant: Tenant, *, times: int) -> tuple[str, str, str, str]:
    """Make channels, and tell each of as many events; return one of each, and a rule."""
    channels = [webhook(tenant, "https://hooks.example.com/hook", f"Hook {n}").channel for n in range(times)]
    events = [fire(tenant, threshold=Decimal(number)) for number in range(times)]
    assert events[0] is not None
    rules = [make_rule(tenant, channels=[channel.pk for channel in channels]) for _ in range(times)]
    return str(channels[0].pk), str(events[0].pk), str(deliveries(tenant)[0].pk), str(rules[0].pk)


def get(path: str, **query: Any) -> Callable[[World], Answer]:
    return lambda world: world.tenant.api.get(path, **query)


WEEK = {"from_": at(NOW - timedelta(days=7)), "to": at(NOW)}


def call(method: str, path: str, body: Any = None) -> Callable[[World], Answer]:
    return lambda world: world.tenant.api.call(method, path, body)


def one(kind: str, method: str = "GET", then: str = "", body: Any = None) -> Callable[[World], Answer]:
    """Return how one of the alerts' objects is asked for."""

    def ask(world: World) -> Answer:
        pk = {
            "rules": world.rule,
            "channels": world.channel,
            "events": world.event,
            "deliveries": world.delivery,
            "reports": world.report,
        }[kind]
        return world.tenant.api.call(method, f"/alerts/{kind}/{pk}{then}", body)

    return ask


RULE: Final = {
    "name": "Busy",
    "metric": "requests",
    "condition": "above",
    "window": "1h",
    "threshold": "10",
}
HOOK: Final = {"kind": "webhook", "name": "Hook", "url": "https://hooks.example.com/hook"}


@dataclass(frozen=True, slots=True)
class Budget:
    """How an operation is asked, and why it asks the database what it asks; and how often Redis."""

    ask: Callable[[World], Answer]
    reasons: tuple[str, ...]
    round_trips: int = 1
    once: bool = False


DOOR: Final = "whose key it is"
TENANT: Final = "whose rows are to be seen, and as of one moment"
SCOPE: Final = "whose rows are to be seen, and who changes them"
READ: Final = (DOOR, TENANT)
WRITE: Final = (DOOR, SCOPE)
NAMES: Final = "the client ids of credentials"
LIMITS: Final = ("the limits", "what was spent of them", "what is held of them")
FORECAST: Final = ("the sums by day", "the sums by hour of the last weeks", "of the period so far")
THEN: Final = ("in the period", "in the one before")
GATE: Final = ("the key, the limits, and the hold, decided in one",)

BUDGETS: Final[dict[str, Budget]] = {
    "listAuditEntries": Budget(
        get("/audit"), (*READ, "the changes", "the names of those who made them", "the names of plans")
    ),
    "listKeys": Budget(get("/keys"), (*READ, "the page", "how many there are")),
    "getKey": Budget(lambda world: world.tenant.api.get(f"/keys/{world.spare}"), (*READ, "the key")),
    "createKey": Budget(
        call("POST", "/keys", {"name": "New", "scopes": ["usage:read"]}), (*WRITE, "the new key")
    ),
    "rotateKey": Budget(
        lambda world: world.tenant.api.call("POST", f"/keys/{world.spare}/rotate"),
        (*WRITE, "the key, held", "its new secret"),
    ),
    "revokeKey": Budget(
        lambda world: world.tenant.api.call("DELETE", f"/keys/{world.spare}"),
        (*WRITE, "the key, held", "when it was revoked"),
        once=True,
    ),
    "listRecords": Budget(get("/records", take="1000"), (*READ, "the page", NAMES)),
    "getRecord": Budget(
        get("/records/r1"), (*READ, "when it happened, which says where it is", "the record", NAMES)
    ),
    "createRecords": Budget(
        lambda world: world.tenant.api.send([{"type": "x"}] * 100),
        ("the key confirmed, and the batch kept, charged and burnt down, in one",),
    ),
    "getUsage": Budget(
        get("/usage", includePeak="true", **WEEK), (*READ, "the busiest minute", "the sums", "the allowances")
    ),
    "getUsageSeries": Budget(get("/usage/series"), (*READ, "the sums by day")),
    "queryUsage": Budget(
        get("/usage/query", groupBy="clientId,model", metrics="requests,latency.p95,credits", **WEEK),
        (*READ, "the sums by bucket and group", NAMES),
    ),
    "forecastUsage": Budget(get("/usage/forecast"), (*READ, *FORECAST)),
    "getKeyUsage": Budget(
        get("/usage/keys", timeframe="30d"),
        (
            *READ,
            "the keys",
            "their sums",
            "when each was last used",
            "the sums by endpoint",
            "the sums by bucket",
            "the errors",
            "their sums in the window before, to compare with",
            "the rules about keys",
            "what others have found of them",
        ),
        round_trips=2,
    ),
    "getModelUsage": Budget(get("/usage/models"), (*READ, "the sums by bucket and model")),
    "getCapabilityUsage": Budget(get("/usage/capabilities"), (*READ, "the sums by bucket and capability")),
    "getMetrics": Budget(
        get("/metrics"),
        (*READ, "the keys", "their sums", "the sums by model", "the sums by capability", "the sums in all"),
        round_trips=2,
    ),
    "requestExport": Budget(
        call("POST", "/exports", {"dataset": "daily", "format": "csv"}),
        (
            *WRITE,
            "the organization, so that requests take turns",
            "how many are under way",
            "the export",
            "the export as it is answered",
        ),
    ),
    "listExports": Budget(get("/exports"), (*READ, "the page, with who asked")),
    "getExport": Budget(
        lambda world: world.tenant.api.get(f"/exports/{world.export}"), (*READ, "the export")
    ),
    "downloadExport": Budget(
        lambda world: world.tenant.api.get(f"/exports/{world.export}/file"), (*READ, "the export")
    ),
    "getCosts": Budget(
        get("/costs", **WEEK),
        (
            *READ,
            "the sums by key",
            "the sums by day",
            "of seven days",
            "of the month",
            "of the billing period",
            "the sums by model",
            "the sums by capability",
            NAMES,
            *FORECAST,
        ),
    ),
    "compareCosts": Budget(
        get("/costs/compare", model="gpt-4o", **WEEK),
        (*READ, "how many records there are", "the records, as they cost and as they would"),
    ),
    "explainCost": Budget(
        get("/costs/records/r1"), (*READ, "when it happened, which says where it is", "the record")
    ),
    "getCredits": Budget(
        get("/credits"),
        (
            *READ,
            "the page of grants",
            "how many there are",
            "the balances",
            "whether the plan goes on beyond",
        ),
    ),
    "listCreditTransactions": Budget(get("/credits/transactions"), (*READ, "the page")),
    "getPlan": Budget(get("/plan"), (*READ, "what the key's plan says of overage")),
    "listPrices": Budget(
        get("/prices"), (*READ, "which prices hold", "the prices", "the discounts", "the rates")
    ),
    "authorize": Budget(call("POST", "/authorize", {"estimatedCost": "0.5"}), GATE),
    "authorizeEnvoy": Budget(get("/gateway/envoy/"), GATE),
    "authorizeForward": Budget(get("/gateway/forward"), GATE),
    "authorizeNginx": Budget(get("/gateway/nginx"), GATE),
    "listInvoices": Budget(get("/invoices"), (*READ, "the page", "how many there are")),
    "getInvoice": Budget(
        lambda world: world.tenant.api.get(f"/invoices/{world.invoice}"), (*READ, "the invoice", "its lines")
    ),
    "listReservations": Budget(get("/reservations"), (*READ, "the page")),
    "getReservation": Budget(
        lambda world: world.tenant.api.get(f"/reservations/{world.reservation}"), (*READ, "the reservation")
    ),
    "releaseReservation": Budget(
        lambda world: world.tenant.api.call("DELETE", f"/reservations/{world.reservation}"),
        (*WRITE, "the reservation", "its release"),
        once=True,
    ),
    "getSpendLimit": Budget(get("/spend-limit"), (*READ, *LIMITS)),
    "setSpendLimit": Budget(
        call("PUT", "/spend-limit", {"limit": "5000"}),
        (
            *WRITE,
            "the organization",
            "that charges wait",
            "what was spent so far",
            "the limit",
            *LIMITS,
        ),
    ),
    "listSpendLimitDecisions": Budget(get("/spend-limit/decisions"), (*READ, "the page")),
    "replaySpendLimit": Budget(
        get("/spend-limit/replay", limit="10", **WEEK), (*READ, "the organization", "the spending by quarter")
    ),
    "listSpendLimits": Budget(get("/spend-limits"), (*READ, *LIMITS)),
    "listAlertRules": Budget(
        get("/alerts/rules"), (*READ, "the page", "the channels of its rules", "how many there are")
    ),
    "createAlertRule": Budget(
        call("POST", "/alerts/rules", RULE),
        (
            *WRITE,
            "the organization, held",
            "how many rules it has",
            "the new rule",
            "its channels",
        ),
    ),
    "getAlertRule": Budget(one("rules"), (*READ, "the rule", "its channels")),
    "changeAlertRule": Budget(
        one("rules", "PATCH", body={"threshold": "30"}),
        (*WRITE, "the rule, held", "its new threshold", "its channels"),
    ),
    "deleteAlertRule": Budget(
        one("rules", "DELETE"),
        (*WRITE, "the rule, held", "its open events", "its channels", "how far it has come", "its end"),
        once=True,
    ),
    "listAlertChannels": Budget(get("/alerts/channels"), (*READ, "the page", "how many there are")),
    "createAlertChannel": Budget(
        call("POST", "/alerts/channels", HOOK),
        (*WRITE, "the organization, held", "how many channels it has", "the new channel"),
    ),
    "getAlertChannel": Budget(one("channels"), (*READ, "the channel")),
    "changeAlertChannel": Budget(
        one("channels", "PATCH", body={"name": "Renamed"}), (*WRITE, "the channel, held", "its new name")
    ),
    "testAlertChannel": Budget(
        one("channels", "POST", "/test"),
        (
            *WRITE,
            "the channel",
            "how many tests there were",
            "whose name to write",
            "the delivery",
            "its attempts",
        ),
    ),
    "rotateAlertChannelSecret": Budget(
        one("channels", "POST", "/rotate"), (*WRITE, "the channel, held", "its new secret")
    ),
    "listAlertEvents": Budget(get("/alerts/events"), (*READ, "the page")),
    "getAlertEvent": Budget(one("events"), (*READ, "the event")),
    "listAlertDeliveries": Budget(get("/alerts/deliveries"), (*READ, "the page", "the attempts at them")),
    "getAlertDelivery": Budget(one("deliveries"), (*READ, "the delivery", "its attempts")),
    "confirmAlertChannel": Budget(
        lambda world: world.tenant.api.call("POST", f"/alerts/channels/{world.outside}/confirmation"),
        (
            *WRITE,
            "the channel, held",
            "how many tests there were",
            "that it waits",
            "whose name to write",
            "the delivery",
            "its attempts",
        ),
    ),
    "listReports": Budget(
        get("/alerts/reports"), (*READ, "the page", "their recipients", "how many there are")
    ),
    "createReport": Budget(
        lambda world: world.tenant.api.call(
            "POST", "/alerts/reports", {"name": "Mine", "cadence": "weekly", "channels": [world.channel]}
        ),
        (
            *WRITE,
            "the organization, held",
            "how many reports it has",
            "the new report",
            "which members got it",
            "the channels",
            "which channels got it",
            "the new recipients",
            "the report as it is now",
            "its recipients",
        ),
        once=True,
    ),
    "getReport": Budget(one("reports"), (*READ, "the report", "its recipients")),
    "changeReport": Budget(
        one("reports", "PATCH", body={"name": "Renamed"}),
        (*WRITE, "the report, held", "its new name", "the report as it is now", "its recipients"),
    ),
    "testReport": Budget(
        lambda world: world.tenant.api.call(
            "POST", f"/alerts/reports/{world.report}/test", {"channel": world.channel}
        ),
        (
            *WRITE,
            "the report",
            "its recipients",
            "how many tests there were",
            "the channel",
            "the organization with its plan",
            *(f"what {each} made up {when}" for each in ("keys", "models", "capabilities") for when in THEN),
            *(f"{each} {when}" for each in ("the totals", "the days") for when in THEN),
            *FORECAST,
            *LIMITS,
            "what keys are called",
            "the delivery",
            "its attempts",
        ),
    ),
    "deleteReport": Budget(
        one("reports", "DELETE"),
        (
            *WRITE,
            "the report, held",
            "its recipients",
            "what is pending of it, cancelled",
            "the recipients' end",
            "that of its digests",
            "its end",
        ),
        once=True,
    ),
    "deleteAlertChannel": Budget(
        one("channels", "DELETE"),
        (
            *WRITE,
            "the channel, held",
            "what is pending, cancelled",
            "the log's link to it",
            "the rules that were told there",
            "the reports that went there",
            "its end",
        ),
        once=True,
    ),
    "removeSpendLimit": Budget(
        call("DELETE", "/spend-limit"), (*WRITE, "that charges wait", "its end"), once=True
    ),
}

Measured = dict[str, tuple[int, int]]


def measure(world: World, trips: list[object]) -> Measured:
    """Return the statements and the round trips to Redis of every operation, asked for a second time.

    The first time a process may have to learn what it keeps. BEGIN and COMMIT are not counted.
    """
    found: Measured = {}
    for operation_id, budget in BUDGETS.items():
        if not budget.once:
            budget.ask(world)
        trips.clear()
        with CaptureQueriesContext(connection) as queries:
            answer = budget.ask(world)
        assert answer.status < 300, (operation_id, answer.body)
        statements = [query for query in queries if not str(query["sql"]).startswith(TRANSACTION)]
        found[operation_id] = (len(statements), len(trips))
    return found


def test_every_operation_has_a_budget() -> None:
    assert BUDGETS.keys() == {operation.id for operation in operations()}


def test_no_answer_takes_more_statements_for_more_data(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[object] = []
    run = Counters._run

    def counted(*asked: Any) -> Any:
        trips.append(asked)
        return run(*asked)

    monkeypatch.setattr(Counters, "_run", counted)
    # Every two seconds a process asks whether its book of prices is still the latest; here it never does.
    monkeypatch.setattr(process, "CONFIRMED_FOR_SECONDS", 3600)
    budgets = {name: (len(budget.reasons), budget.round_trips) for name, budget in BUDGETS.items()}
    with time_machine.travel(NOW):
        price()
        for size in (LITTLE, MUCH):
            partitions.forget()
            for number in range(size["models"]):
                price(model=f"{size['records']}-{number}")
            process.forget()
            assert measure(make_world(**size), trips) == budgets
