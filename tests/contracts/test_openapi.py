"""The OpenAPI document is complete and true: every operation's answers are what it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from billing import book
from billing.invoices.services import credit, redraft
from billing.ledger.services import grant
from billing.rating import Rate
from core import clock
from organizations.services import change_plan
from tests.alerts.reports.reporting import make_report
from tests.alerts.rules.ruling import built_in
from tests.alerts.telling import deliveries, fire, mailbox, work
from tests.billing.invoices.months_of_use import call, issue, list_price, month_before
from tests.billing.pricing import price
from tests.billing.spending import limit_to
from tests.usage.exports import support
from tests.usage.factories import Answer, Api, Tenant, at, make_tenant
from usage import partitions
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

RECORD = {
    "id": "call-1",
    "type": "processor.run",
    "clientId": None,
    "endpoint": "/v1/parse",
    "capability": "parsing",
    "model": "gpt-4o",
    "provider": "openai",
    "status": "error",
    "statusCode": 504,
    "errorType": "timeout",
    "latencyMs": 812.25,
    "tokens": {"prompt": 100, "completion": 20, "cachedPrompt": 40, "cacheWrite": 10, "reasoning": 5},
    "quantities": {"pages": 3, "credits": "1.5"},
    "cost": "0.0612",
    "botId": "bot-1",
    "meta": {"team": "search", "attempt": 2, "dry": False, "note": None},
}
RULE = {
    "name": "Spend this month",
    "metric": "cost",
    "scope": {"kind": "credential"},
    "condition": "above",
    "threshold": ["50", "100"],
    "window": "month",
}
HOOK = {"kind": "webhook", "name": "Hook", "url": "https://hooks.example.com/hook"}
REPORT = {"name": "For the board", "cadence": "monthly"}
OF_NOBODY = "00000000-0000-0000-0000-000000000000"
SPARSE = {"type": "conversation.completion"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document, with every object closed: a member that it does not name is an error."""
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = json.loads(json.dumps(generator().get_schema(request=None, public=True)))
    for component in schema["components"]["schemas"].values():
        _close(component)
    return schema


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization without any use."""
    partitions.forget()
    return make_tenant("Acme")


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """The organization with a full and a sparse record, folded, and another pending."""
    client = {"clientId": acme.client_id}
    assert acme.api.call("POST", "/records", [{**RECORD, **client}, SPARSE]).status == 200
    fold_pending()
    assert acme.api.call("POST", "/records", {**RECORD, **client, "id": "call-2"}).status == 200
    return acme


CASES: dict[str, Callable[[Tenant], list[Answer]]] = {
    "authorize": lambda t: [
        t.api.call("POST", "/authorize"),
        _limited(t, lambda: t.api.call("POST", "/authorize", {"estimatedCost": "1", "ttlSeconds": 5})),
        t.api.call("POST", "/authorize", {"estimatedCost": "100"}),
        t.api.call("POST", "/authorize", {"estimatedCost": 1}),
        t.api.call("POST", "/authorize", b"a", content_type="text/plain"),
        t.api.call("POST", "/authorize", b" " * 20_000),
    ],
    "authorizeForward": lambda t: [
        t.api.get("/gateway/forward"),
        _reached(t, lambda: t.api.get("/gateway/forward")),
    ],
    "authorizeEnvoy": lambda t: [
        t.api.get("/gateway/envoy/"),
        _reached(t, lambda: t.api.get("/gateway/envoy/")),
    ],
    "authorizeNginx": lambda t: [
        t.api.get("/gateway/nginx"),
        _reached(t, lambda: t.api.get("/gateway/nginx")),
    ],
    "getSpendLimit": lambda t: [
        _limited(t, lambda: t.api.get("/spend-limit")),
        t.api.get("/spend-limit", clientId=t.client_id),
        t.api.get("/spend-limit", take="1"),
    ],
    "setSpendLimit": lambda t: [
        _entitled(t, lambda: t.api.call("PUT", "/spend-limit", {"limit": "5", "window": "week"})),
        t.api.call("PUT", "/spend-limit", {"limit": "0", "warnAt": [101]}),
        t.api.call("PUT", "/spend-limit", b"a", content_type="text/plain"),
    ],
    "removeSpendLimit": lambda t: [
        _limited(t, lambda: t.api.call("DELETE", "/spend-limit")),
        t.api.call("DELETE", "/spend-limit"),
    ],
    "listSpendLimits": lambda t: [
        _limited(t, lambda: t.api.get("/spend-limits")),
        t.api.get("/spend-limits", limit="0"),
    ],
    "listSpendLimitDecisions": lambda t: [
        _limited(t, lambda: t.api.get("/spend-limit/decisions")),
        t.api.get("/spend-limit/decisions", kind="dreamt"),
        t.api.get("/spend-limit/decisions", clientId="cl_x"),
    ],
    "replaySpendLimit": lambda t: [
        t.api.get("/spend-limit/replay", limit="0.01"),
        t.api.get("/spend-limit/replay", limit="0.01", window="week", enforcement="warn", warnAt="1,2"),
        t.api.get("/spend-limit/replay"),
    ],
    "listReservations": lambda t: [
        _limited(t, lambda: _held(t)),
        t.api.get("/reservations", state="lost"),
    ],
    "getReservation": lambda t: [
        _limited(t, lambda: t.api.get(f"/reservations/{_reservation(t)}")),
        t.api.get("/reservations/res_none"),
    ],
    "releaseReservation": lambda t: [
        _limited(t, lambda: t.api.call("DELETE", f"/reservations/{_reservation(t)}")),
        _settled(t),
        t.api.call("DELETE", "/reservations/res_none"),
    ],
    "listAuditEntries": lambda t: [t.api.get("/audit"), t.api.get("/audit", take="0")],
    "listKeys": lambda t: [t.api.get("/keys"), t.api.get("/keys", bogus="1")],
    "createKey": lambda t: [
        t.api.call("POST", "/keys", {"name": "New", "scopes": ["usage:read"]}),
        t.api.call("POST", "/keys", {"name": "New", "scopes": ["usage:fly"]}),
    ],
    "getKey": lambda t: [t.api.get(f"/keys/{t.client_id}"), t.api.get("/keys/cl_none")],
    "revokeKey": lambda t: [
        t.api.call("DELETE", f"/keys/{_new_key(t)}"),
        t.api.call("DELETE", "/keys/cl_none"),
    ],
    "rotateKey": lambda t: [t.api.call("POST", f"/keys/{_new_key(t)}/rotate")],
    "listRecords": lambda t: [
        t.api.get("/records"),
        t.api.get("/records", cursor="x"),
        t.api.get("/records", clientId="cl_x"),
    ],
    "createRecords": lambda t: [
        t.api.call("POST", "/records", [SPARSE, {"type": ""}]),
        t.api.call("POST", "/records", [{"type": ""}]),
        t.api.call("POST", "/records", b"[", content_type="application/json"),
        t.api.call("POST", "/records", b"a", content_type="text/plain"),
        t.api.call("POST", "/records", [SPARSE] * 10_001),
    ],
    "getRecord": lambda t: [t.api.get("/records/call-1"), t.api.get("/records/none")],
    "getUsage": lambda t: [
        t.api.get("/usage", includePeak="true"),
        t.api.get("/usage"),
        t.api.get("/usage", timezone="Nowhere"),
    ],
    "getUsageSeries": lambda t: [t.api.get("/usage/series"), t.api.get("/usage/series", days="91")],
    "queryUsage": lambda t: [
        t.api.get(
            "/usage/query", metrics="requests,cost,latency.p95,errorRate,credits", groupBy="model,statusCode"
        ),
        t.api.get("/usage/query", metrics="speed"),
    ],
    "forecastUsage": lambda t: [
        t.api.get("/usage/forecast", metrics="cost,tokens,pages", horizon="3"),
        t.api.get("/usage/forecast", from_="0", to="1"),
        t.api.get("/usage/forecast", metrics="errorRate"),
        t.api.get("/usage/forecast", clientId="cl_none"),
    ],
    "getKeyUsage": lambda t: [
        t.api.get("/usage/keys"),
        t.api.get("/usage/keys", includeEndpoints="false", includeErrors="false", includeLatency="false"),
        t.api.get("/usage/keys", timeframe="2w"),
        t.api.get("/usage/keys", keyId="cl_none"),
    ],
    "getModelUsage": lambda t: [t.api.get("/usage/models"), t.api.get("/usage/models", granularity="eon")],
    "getMetrics": lambda t: [
        _as_text(t.api.get("/metrics")),
        _as_text(t.api.call("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})),
        t.api.get("/metrics", name="x"),
    ],
    "getCosts": lambda t: [
        t.api.get("/costs"),
        t.api.get("/costs", from_="0", to="1"),
        t.api.get("/costs", clientId="cl_none"),
    ],
    "compareCosts": lambda t: [
        _compared(t),
        t.api.get("/costs/compare"),
        t.api.get("/costs/compare", model="gpt-4o", clientId="cl_none"),
    ],
    "explainCost": lambda t: [
        t.api.get("/costs/records/call-1"),
        _why_priced(t),
        t.api.get("/costs/records/none"),
    ],
    "listPrices": lambda t: [_priced(t).api.get("/prices"), t.api.get("/prices", tier="gold")],
    "getPlan": lambda t: [t.api.get("/plan"), t.api.get("/plan", of="x")],
    "requestExport": lambda t: [
        t.api.call("POST", "/exports", {"dataset": "daily", "format": "xlsx", "from": 0}),
        t.api.call("POST", "/exports", {"dataset": "dreams", "format": "csv"}),
        t.api.call("POST", "/exports", b"a", content_type="text/plain"),
    ],
    "listExports": lambda t: [
        _listed(t),
        t.api.get("/exports", state="lost"),
    ],
    "getExport": lambda t: [
        t.api.get(f"/exports/{_export(t, written=True)}"),
        t.api.get(f"/exports/{_export(t)}"),
        t.api.get(f"/exports/{OF_NOBODY}"),
    ],
    "downloadExport": lambda t: [
        _as_text(t.api.get(f"/exports/{_export(t, written=True)}/file")),
        t.api.get(f"/exports/{_export(t)}/file"),
        t.api.get(f"/exports/{OF_NOBODY}/file"),
    ],
    "listInvoices": lambda t: [_invoiced(t, "/invoices"), t.api.get("/invoices", kind="letter")],
    "getInvoice": lambda t: [
        _invoiced(t, "/invoices/{invoice}"),
        _as_text(_document(t)),
        t.api.get("/invoices/none"),
    ],
    "getCredits": lambda t: [_credits(t), t.api.get("/credits", allowance="wishes")],
    "listCreditTransactions": lambda t: [
        _credits(t, "/credits/transactions"),
        t.api.get("/credits/transactions", cursor="x"),
    ],
    "listAlertRules": lambda t: [t.api.get("/alerts/rules"), t.api.get("/alerts/rules", limit="0")],
    "createAlertRule": lambda t: [
        t.api.call("POST", "/alerts/rules", RULE),
        t.api.call("POST", "/alerts/rules", {**RULE, "window": "week", "condition": "below"}),
        t.api.call("POST", "/alerts/rules", b"a", content_type="text/plain"),
    ],
    "getAlertRule": lambda t: [
        t.api.get(f"/alerts/rules/{_rule(t)}"),
        t.api.get(f"/alerts/rules/{OF_NOBODY}"),
    ],
    "changeAlertRule": lambda t: [
        t.api.call("PATCH", f"/alerts/rules/{_rule(t)}", {"threshold": ["30", "20"]}),
        t.api.call("PATCH", f"/alerts/rules/{_rule(t)}", {"window": "year"}),
        t.api.call("PATCH", f"/alerts/rules/{OF_NOBODY}", {}),
    ],
    "deleteAlertRule": lambda t: [
        t.api.call("DELETE", f"/alerts/rules/{_rule(t)}"),
        t.api.call("DELETE", f"/alerts/rules/{OF_NOBODY}"),
        t.api.call("DELETE", f"/alerts/rules/{built_in(t, 'unused').pk}"),
    ],
    "listAlertChannels": lambda t: [_told(t, "/alerts/channels"), t.api.get("/alerts/channels", take="1")],
    "createAlertChannel": lambda t: [
        t.api.call("POST", "/alerts/channels", HOOK),
        t.api.call("POST", "/alerts/channels", {**HOOK, "url": "https://127.0.0.1/"}),
        t.api.call("POST", "/alerts/channels", b"a", content_type="text/plain"),
    ],
    "getAlertChannel": lambda t: [
        t.api.get(f"/alerts/channels/{_channel(t)}"),
        t.api.get(f"/alerts/channels/{OF_NOBODY}"),
    ],
    "changeAlertChannel": lambda t: [
        t.api.call("PATCH", f"/alerts/channels/{_channel(t)}", {"enabled": False}),
        t.api.call("PATCH", f"/alerts/channels/{_channel(t)}", {"enabled": "perhaps"}),
        t.api.call("PATCH", f"/alerts/channels/{OF_NOBODY}", {}),
    ],
    "deleteAlertChannel": lambda t: [
        t.api.call("DELETE", f"/alerts/channels/{_channel(t)}"),
        t.api.call("DELETE", f"/alerts/channels/{OF_NOBODY}"),
    ],
    "testAlertChannel": lambda t: [
        t.api.call("POST", f"/alerts/channels/{_channel(t)}/test"),
        t.api.call("POST", f"/alerts/channels/{OF_NOBODY}/test"),
    ],
    "confirmAlertChannel": lambda t: [
        t.api.call("POST", f"/alerts/channels/{_unconfirmed(t)}/confirmation"),
        t.api.call("POST", f"/alerts/channels/{_channel(t)}/confirmation"),
        t.api.call("POST", f"/alerts/channels/{OF_NOBODY}/confirmation"),
    ],
    "listReports": lambda t: [_reported(t, "/alerts/reports"), t.api.get("/alerts/reports", take="1")],
    "createReport": lambda t: [
        t.api.call("POST", "/alerts/reports", {**REPORT, "channels": [_channel(t)]}),
        t.api.call("POST", "/alerts/reports", {**REPORT, "members": ["nobody@example.com"]}),
        t.api.call("POST", "/alerts/reports", b"a", content_type="text/plain"),
    ],
    "getReport": lambda t: [
        _reported(t, f"/alerts/reports/{_report(t)}"),
        t.api.get(f"/alerts/reports/{OF_NOBODY}"),
    ],
    "changeReport": lambda t: [
        t.api.call("PATCH", f"/alerts/reports/{_report(t)}", {"hour": 9}),
        t.api.call("PATCH", f"/alerts/reports/{_report(t)}", {"hour": 24}),
        t.api.call("PATCH", f"/alerts/reports/{OF_NOBODY}", {}),
    ],
    "deleteReport": lambda t: [
        t.api.call("DELETE", f"/alerts/reports/{_report(t)}"),
        t.api.call("DELETE", f"/alerts/reports/{OF_NOBODY}"),
    ],
    "testReport": lambda t: [
        t.api.call("POST", f"/alerts/reports/{_report(t)}/test", {"channel": _channel(t)}),
        t.api.call("POST", f"/alerts/reports/{_report(t)}/test", {}),
        t.api.call("POST", f"/alerts/reports/{OF_NOBODY}/test", {}),
    ],
    "rotateAlertChannelSecret": lambda t: [
        t.api.call("POST", f"/alerts/channels/{_channel(t)}/rotate"),
        t.api.call("POST", f"/alerts/channels/{mailbox(t).pk}/rotate"),
    ],
    "listAlertEvents": lambda t: [_told(t, "/alerts/events"), t.api.get("/alerts/events", state="ajar")],
    "getAlertEvent": lambda t: [
        t.api.get(f"/alerts/events/{_event(t)}"),
        t.api.get(f"/alerts/events/{OF_NOBODY}"),
    ],
    "listAlertDeliveries": lambda t: [
        _told(t, "/alerts/deliveries"),
        t.api.get("/alerts/deliveries", cursor="x"),
    ],
    "getAlertDelivery": lambda t: [
        t.api.get(f"/alerts/deliveries/{_delivery(t)}"),
        t.api.get(f"/alerts/deliveries/{OF_NOBODY}"),
    ],
    "getCapabilityUsage": lambda t: [t.api.get("/usage/capabilities", granularity="month")],
}


def _compared(tenant: Tenant) -> Answer:
    price(provider="", model="other-1")
    book.forget()
    return tenant.api.get("/costs/compare", model="other-1", ofModel="gpt-4o")


def test_every_operation_has_its_answers_checked(document: dict[str, Any]) -> None:
    operations = {operation["operationId"] for _, _, operation in _operations(document)}
    assert operations == CASES.keys()


@pytest.mark.parametrize("operation_id", sorted(CASES))
def test_answers_are_what_the_document_says(
    operation_id: str, document: dict[str, Any], used: Tenant
) -> None:
    operation = next(o for _, _, o in _operations(document) if o["operationId"] == operation_id)
    answers = CASES[operation_id](used)
    assert answers[0].status < 300
    for answer in answers:
        _check(document, operation, answer)


def test_no_key_and_a_wrong_key_are_problems_as_documented(document: dict[str, Any], acme: Tenant) -> None:
    for path, method, operation in _operations(document):
        target = path.removeprefix("/api/v1").replace("{client_id}", "cl_none").replace("{record_id}", "none")
        target = target.replace("{export_id}", OF_NOBODY).replace("{reservation_id}", "res_none")
        target = target.replace("{reference}", "none")
        for name in ("channel_id", "event_id", "delivery_id", "report_id", "rule_id"):
            target = target.replace(f"{{{name}}}", OF_NOBODY)
        for api in (_Anonymous(), Api("hr_" + "0" * 36)):
            answer = api.call(method.upper(), target, {} if method == "post" else None)
            assert answer.status == 401
            _check(document, operation, answer)


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, o) for path, item in document["paths"].items() for method, o in item.items()]


def _check(document: dict[str, Any], operation: dict[str, Any], answer: Answer) -> None:
    responses = operation["responses"]
    assert str(answer.status) in responses, f"{operation['operationId']} does not document {answer.status}"
    if "content" not in responses[str(answer.status)]:
        assert answer.body is None
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    schema = responses[str(answer.status)]["content"][media_type]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.body)


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for member in schema.values():
            _close(member)
    elif isinstance(schema, list):
        for member in schema:
            _close(member)


def _priced(t: Tenant) -> Tenant:
    price(t.id, daily_from=time(0), daily_until=time(23, 59, 59))
    price(effective_until=clock.now() + timedelta(days=1), model="", provider="")
    return t


def _why_priced(t: Tenant) -> Answer:
    price(t.id, rates=(Rate("prompt", 1, 1), Rate("pages", 1, 1)))
    call = {"id": "priced", "type": "task.run", "model": "gpt-4o", "provider": "openai"}
    t.api.keep({**call, "tokens": {"prompt": 5}, "quantities": {"pages": "2.5"}})
    return t.api.get("/costs/records/priced")


def _new_key(tenant: Tenant) -> str:
    answer = tenant.api.call("POST", "/keys", {"name": "Passing", "scopes": ["usage:read"]})
    client_id: str = answer.body["clientId"]
    return client_id


def _export(tenant: Tenant, *, written: bool = False) -> str:
    asked = support.ask(tenant)
    found: str = (support.write(tenant, asked) if written else asked)["id"]
    return found


def _as_text(answer: Answer) -> Answer:
    return replace(answer, body=answer.body.decode("latin-1"))


def _invoiced(tenant: Tenant, path: str, **headers: str) -> Answer:
    """Ask for something of an invoice, its credit note and a draft, with lines of each kind."""
    before = month_before(clock.now())
    list_price(currency="USD")
    book.forget()
    tenant.api.send(
        [call("rated", before), call("reported", before, cost="1"), {**SPARSE, "timestamp": at(before)}]
    )
    invoice = issue(tenant).invoice
    note = credit(organization_id=tenant.id, invoice_id=invoice.pk, reason="Wrong recipient.")
    redraft(organization_id=tenant.id, invoice_id=invoice.pk)
    address = path.format(invoice=invoice.number, note=note.number)
    return tenant.api.call("GET", address, headers=headers)


def _document(tenant: Tenant) -> Answer:
    (_, note, _) = tenant.api.get("/invoices").body["invoices"]
    return tenant.api.call("GET", f"/invoices/{note['number']}", headers={"Accept": "application/pdf"})


def _credits(tenant: Tenant, path: str = "/credits") -> Answer:
    grant(organization_id=tenant.id, allowance="credits", amount=Decimal("1.5"), reason="Welcome")
    assert tenant.api.send([{**SPARSE, "quantities": {"credits": 2}}]).status == 200
    return tenant.api.get(path)


class _Anonymous(Api):
    def __init__(self) -> None:
        super().__init__("")
        self._client = Client()


def _channel(tenant: Tenant) -> str:
    made: str = tenant.api.call("POST", "/alerts/channels", HOOK).body["id"]
    return made


def _rule(tenant: Tenant) -> str:
    made: str = tenant.api.call("POST", "/alerts/rules", RULE).body["id"]
    return made


def _unconfirmed(tenant: Tenant) -> str:
    address = {"kind": "email", "name": "Accountant", "address": "books@outside.example"}
    made: str = tenant.api.call("POST", "/alerts/channels", address).body["id"]
    return made


def _report(tenant: Tenant) -> str:
    return str(make_report(tenant, channels=[mailbox(tenant).pk], members=["ops@example.com"]).pk)


def _reported(tenant: Tenant, path: str) -> Answer:
    _report(tenant)
    return tenant.api.get(path)


def _event(tenant: Tenant) -> str:
    event = fire(tenant, period=None)
    assert event is not None
    return str(event.pk)


def _delivery(tenant: Tenant) -> str:
    _told(tenant, "/alerts/deliveries")
    return str(deliveries(tenant)[0].pk)


def _told(tenant: Tenant, path: str) -> Answer:
    """Answer a page after an event was told in vain, for want of a mail server, and another was not yet."""
    mailbox(tenant)
    fire(tenant)
    assert work() == 1
    fire(tenant, threshold=Decimal(95), period=None)
    return tenant.api.get(path)


def _listed(tenant: Tenant) -> Answer:
    for written in (True, False):
        _export(tenant, written=written)
    return tenant.api.get("/exports")


def _limited(tenant: Tenant, ask: Callable[[], Answer]) -> Answer:
    limit_to(tenant, 10)
    return ask()


def _reached(tenant: Tenant, ask: Callable[[], Answer]) -> Answer:
    limit_to(tenant, 0.000000001)
    return ask()


def _entitled(tenant: Tenant, ask: Callable[[], Answer]) -> Answer:
    change_plan(organization_id=tenant.id, plan="pay-as-you-go")
    return ask()


def _reservation(tenant: Tenant) -> str:
    made: str = tenant.api.call("POST", "/authorize", {"estimatedCost": "1"}).body["reservationId"]
    return made


def _held(tenant: Tenant) -> Answer:
    _reservation(tenant)
    return tenant.api.get("/reservations")


def _settled(tenant: Tenant) -> Answer:
    reservation = _reservation(tenant)
    tenant.api.keep({**SPARSE, "reservationId": reservation})
    return tenant.api.call("DELETE", f"/reservations/{reservation}")
