"""An organization of which everything can be shown: errors, late and unpriced use, grants, limits, bills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.test import Client

from billing import book
from billing.ledger.services import grant
from billing.rating import Rate
from billing.repricings import run
from organizations.models import Credential, User
from organizations.tenancy import tenant_scope
from tests.alerts.telling import fire, webhook
from tests.billing.invoices.months_of_use import issue
from tests.billing.pricing import price
from tests.billing.repricings.support import ask
from tests.billing.spending import hold, limit_to
from tests.portal.pages import add_member, signed_in
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

NANOS: Final = 10**9
MILLION: Final = 10**6
UNPRICED: Final = "o3-unpriced"
MODELS: Final = ("gpt-4o", "gpt-4o-mini", "claude-3", None, UNPRICED)


@dataclass(frozen=True, slots=True)
class World:
    """The organization, somebody of it who sees everything, and the names of all there is."""

    tenant: Tenant
    other: Tenant
    abroad: Tenant
    user: User
    reader: Client
    names: frozenset[str]
    invoice: str
    event: str
    rule: str

    @property
    def keys(self) -> list[Credential]:
        """The organization's keys."""
        with tenant_scope(self.tenant.id):
            return list(Credential.objects.order_by("pk"))

    def reader_of(self, slug: str) -> Client:
        """Return a client of the same person, who has chosen an organization."""
        client = signed_in(self.user)
        assert client.get("/", {"organization": slug}).status_code == 200
        return client


def build(timezone: str) -> World:
    """Make the organization, with the clock at `NOW`."""
    tenant = make_tenant("Acme", timezone=timezone, currency="EUR")
    abroad = make_tenant("Globex", timezone="America/New_York", currency="USD")
    other = tenant.another_credential("Batch", scopes=("usage:write", "usage:read"))
    prices()
    give(tenant)
    tenant.api.keep(*(use("a", number, 13) for number in range(120)))
    other.api.keep(*(use("b", number, 29) for number in range(60)))
    fold_pending()
    # What comes late goes into days that were folded; what comes now is not folded yet.
    tenant.api.keep(*(use("late", number, 131) for number in range(8)))
    other.api.keep(*(use("now", number, 1) for number in range(3)))
    abroad.api.keep(record(cost="2.5", tokens={"prompt": 7}))
    reprice(tenant)
    invoice = issue(tenant).invoice.reference
    limit(tenant, other)
    user = add_member(tenant)
    add_member(abroad, "analyst", user=user)
    event = told(tenant)
    reader = signed_in(user)
    assert reader.get("/", {"organization": tenant.organization.slug}).status_code == 200
    return World(tenant, other, abroad, user, reader, names(tenant, other), invoice, event, a_rule(tenant))


def names(*tenants: Tenant) -> frozenset[str]:
    """Return what has digits and is no figure: models, keys, tiers."""
    models = {name for name in MODELS if name}
    latency = {"p50", "p95", "p99"}
    return frozenset({*models, *latency, *(tenant.client_id for tenant in tenants)})


def prices() -> None:
    """Put three models into the list, one of them with a threshold."""
    for provider, model, prompt, completion in (
        ("openai", "gpt-4o", 3, 15),
        ("openai", "gpt-4o-mini", 0.15, 0.6),
        ("anthropic", "claude-3", 3.3, 16.5),
    ):
        rates = (
            Rate("prompt", round(prompt * NANOS), MILLION),
            Rate("completion", round(completion * NANOS), MILLION),
        )
        price(provider=provider, model=model, currency="EUR", rates=rates)


def use(name: str, number: int, hours: int) -> dict[str, Any]:
    """Return a record: of five models, one unpriced and one unnamed; some fail, some tell their cost."""
    model = MODELS[number % 5]
    failed = number % 7 == 3
    known = {"cost": f"0.{number + 100}"} if number % 6 == 5 and model != UNPRICED else {}
    return record(
        f"{name}-{number}",
        timestamp=at(NOW - timedelta(hours=hours * number + 1)),
        model=model,
        provider={"claude-3": "anthropic"}.get(model or "", "openai"),
        capability=("chat", "search", None)[number % 3],
        endpoint=f"/v1/{('chat', 'search')[number % 2]}",
        tokens={"prompt": 1013 * number, "completion": 37 * number, "cachedPrompt": 11 * number},
        latencyMs=90 + number * 7,
        status="error" if failed else "success",
        statusCode=(503, 429)[number % 2] if failed else 200,
        errorType=("overloaded", "rate_limited")[number % 2] if failed else None,
        quantities={
            "conversations": 1, "messages": 3, "pages": "0.5", "processorRuns": 2, "documents": 1,
            "credits": "1.25", "quota": 40,
        },
        **known,
    )  # fmt: skip


def reprice(tenant: Tenant) -> None:
    """Give what has no price one of long ago: what is newer still has none."""
    rates = (Rate("prompt", NANOS, MILLION), Rate("completion", 2 * NANOS, MILLION))
    until = NOW - timedelta(days=20)
    price(provider="openai", model=UNPRICED, currency="EUR", rates=rates, effective_until=until)
    book.forget()
    run.run_repricing(ask(tenant).pk)


def give(tenant: Tenant) -> None:
    """Grant credits, some of them with an end, and quota, before anything is used."""
    for allowance, amount, days in (("credits", 500, None), ("credits", 20, 3), ("quota", 100_000, None)):
        ends = None if days is None else NOW + timedelta(days=days)
        grant(
            organization_id=tenant.id,
            allowance=allowance,
            amount=Decimal(amount),
            reason="Welcome",
            effective_at=NOW - timedelta(days=80),
            expires_at=ends,
        )


def limit(tenant: Tenant, other: Tenant) -> None:
    """Set limits and hold something of one."""
    limit_to(tenant, 60, warn_at=(50, 80))
    limit_to(tenant, 2.5, credential_id=other.credential_id, warn_at=(50,))
    hold(tenant, 1.25)


def told(tenant: Tenant) -> str:
    """Have something happen that is told; return the event's id."""
    webhook(tenant, "https://hooks.example.com/hook")
    event = fire(tenant)
    assert event is not None
    return str(event.pk)


def a_rule(tenant: Tenant) -> str:
    """Return the id of a rule with a threshold and a window."""
    return next(str(one["id"]) for one in tenant.api.get("/alerts/rules").items if one["window"])
