"""Adding up for many at once gives what adding up for each gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.periods import Granularity, Period, zone
from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage import partitions
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.many import Need, add_up_many
from usage.queries.rollups import ALL_SUMS, Group, RollupQuery, add_up
from usage.rollups.cubes import Dimension
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = NOW.replace(second=0, microsecond=0)
QUARTER = MINUTE.replace(minute=30)
SUMS = (*ALL_SUMS, "latency_histogram")
PERIODS = {
    "five minutes": Period(MINUTE - timedelta(minutes=5), MINUTE),
    "an hour": Period(QUARTER - HOUR, QUARTER),
    "a day and a half": Period(QUARTER - 36 * HOUR, QUARTER),
    "weeks": Period(QUARTER - 30 * 24 * HOUR, QUARTER),
}


@pytest.fixture
def tenants(db: None) -> list[Tenant]:
    """Two organizations in different zones with records of weeks, four fifths of them folded."""
    partitions.forget()
    made = [make_tenant("Acme"), make_tenant("Kiwi", timezone="Pacific/Auckland")]
    for tenant in made:
        other = tenant.another_credential()
        sent = [
            record(
                timestamp=at(NOW - number * number * timedelta(minutes=3)),
                clientId=(tenant, other)[number % 2].client_id,
                model=("large", "small", None)[number % 3],
                endpoint=f"/{number % 4}",
                status="error" if number % 5 == 0 else "success",
                latencyMs=number,
                tokens={"prompt": number},
                cost="0.5",
                quantities={"pages": number, "credits": "1.5"},
            )
            for number in range(100)
        ]
        tenant.api.keep(*sent[::5])
        tenant.api.keep(*[one for place, one in enumerate(sent) if place % 5])
    fold_pending()
    for tenant in made:
        tenant.api.keep(*[record(timestamp=at(NOW - n * 7 * HOUR), latencyMs=9, cost="1") for n in range(20)])
    return made


def one_by_one(tenant: Tenant, need: Need) -> dict[Any, list[Group]]:
    """Return what is asked for as questions about one organization are answered."""
    facets = {
        Dimension.TOTAL: Facet.CLIENT,
        Dimension.MODEL: Facet.MODEL,
        Dimension.ENDPOINT: Facet.ENDPOINT,
    }
    facet = facets[need.dimension]
    filters: dict[Facet, Any] = {}
    if need.credential_id is not None:
        filters[Facet.CLIENT] = need.credential_id
    if need.value is not None:
        filters[facet] = need.value
    query = RollupQuery(
        tenant.id,
        need.rollup_timezone,
        need.period,
        Buckets.over(need.period, Granularity.HOUR, zone("UTC")) if need.hourly else None,
        sums=SUMS if need.percentiles else ALL_SUMS,
        meters=(need.meter,) if need.meter else False,
        group_by=(facet,) if need.each else (),
        filters=filters,
    )
    with tenant_scope(tenant.id):
        found: dict[Any, list[Group]] = {}
        for group in add_up(query):
            found.setdefault(group.values[0] if need.each else None, []).append(group)
    return found


def figures(found: dict[Any, list[Group]], need: Need) -> dict[Any, Any]:
    """Return what can be compared: a meter's quantity, or the sums; of every hour that has any."""
    shown = {
        key: [
            (group.bucket, group.meters.get(need.meter) if need.meter else _plain(group, need))
            for group in groups
            if not need.meter or need.meter in group.meters
        ]
        for key, groups in found.items()
    }
    return {key: groups for key, groups in shown.items() if groups}


def _plain(group: Group, need: Need) -> dict[str, int]:
    return {name: value for name, value in group.sums.items() if need.percentiles or name in ALL_SUMS}


@pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)
def test_each_need_is_answered_as_if_it_were_alone(period: Period, tenants: list[Tenant]) -> None:
    needs: list[tuple[Tenant, Need]] = []
    for tenant in tenants:
        base: dict[str, Any] = {
            "organization_id": tenant.id,
            "rollup_timezone": tenant.organization.timezone,
            "period": period,
        }
        needs += [(tenant, Need(**base, fine=True)), (tenant, Need(**base, fine=True, each=True))]
        needs.append((tenant, Need(**base, fine=True, credential_id=tenant.credential_id)))
        if period.duration < HOUR:
            continue
        for dimension in (Dimension.TOTAL, Dimension.MODEL, Dimension.ENDPOINT):
            needs.append((tenant, Need(**base, dimension=dimension, each=True, percentiles=True)))
            needs.append((tenant, Need(**base, dimension=dimension, each=True, meter="pages")))
        needs.append((tenant, Need(**base, dimension=Dimension.MODEL, value="small", percentiles=True)))
        needs.append((tenant, Need(**base, meter="credits")))
        if period.start.minute == 0:
            needs.append((tenant, Need(**base, hourly=True, each=True)))
    with system_scope():
        found = add_up_many([need for _, need in needs], SUMS)
    for (tenant, need), one in zip(needs, found, strict=True):
        assert figures(one, need) == figures(one_by_one(tenant, need), need), need


def test_hours_are_counted_from_the_beginning_of_the_window(tenants: list[Tenant]) -> None:
    hour = datetime.fromisoformat("2026-07-15T12:00:00Z")
    period = Period(hour - 48 * HOUR, hour)
    tenant = tenants[1]
    need = Need(tenant.id, tenant.organization.timezone, period, each=True, hourly=True)
    with system_scope():
        (found,) = add_up_many([need], ALL_SUMS)
    assert figures(found, need) == figures(one_by_one(tenant, need), need)


def test_any_number_of_needs_takes_two_statements(tenants: list[Tenant]) -> None:
    needs = [
        Need(tenant.id, tenant.organization.timezone, period, meter=meter)
        for tenant in tenants
        for period in PERIODS.values()
        for meter in (None, "pages")
    ]
    with system_scope(), CaptureQueriesContext(connection) as said:
        add_up_many(needs, ALL_SUMS)
    assert len(said) == 2
    assert add_up_many([], ALL_SUMS) == []
