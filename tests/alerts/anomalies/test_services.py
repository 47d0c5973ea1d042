"""Anomalies in what an organization has sent: who drives them, and what it takes to find them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.anomalies.services import detect
from organizations.models import Organization
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage import partitions

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LAST = NOW.replace(minute=0, second=0, microsecond=0) - HOUR


@pytest.fixture(autouse=True)
def _forget_partitions() -> Iterator[None]:
    # A test's partitions go away with its transaction; what the process remembers of them must, too.
    partitions.forget()
    yield
    partitions.forget()


@pytest.fixture
def acme() -> Tenant:
    """An organization that has made a call in each hour of four weeks."""
    tenant = make_tenant("Acme")
    hours = [LAST - ago * HOUR for ago in range(1, 28 * 24 + 1)]
    tenant.api.keep(
        *(
            record(f"of {at(hour)}", timestamp=at(hour), model="usual", tokens={"total": 100})
            for hour in hours
        )
    )
    return tenant


def test_a_key_that_runs_wild_is_found_with_its_model(acme: Tenant) -> None:
    wild = acme.another_credential("Wild")
    wild.api.keep(
        *(
            record(f"wild {number}", timestamp=at(LAST), model="dear", tokens={"total": 1000})
            for number in range(50)
        )
    )
    acme.api.keep(record("as usual", timestamp=at(LAST), model="usual", tokens={"total": 100}))
    tokens, requests = detect(acme.id, NOW)
    assert (tokens.metric, requests.metric) == ("tokens", "requests")
    assert tokens.hour == requests.hour == LAST
    assert (requests.anomaly.seen, requests.anomaly.expected, requests.anomaly.weeks) == (51, 1, 4)
    assert tokens.anomaly.score > requests.anomaly.score > 6
    assert [(driver.kind, driver.value, driver.seen, driver.expected) for driver in requests.drivers] == [
        ("credential", wild.credential_id, 50, 0),
        ("model", "dear", 50, 0),
    ]


def test_an_hour_like_any_other_is_not_found(acme: Tenant) -> None:
    acme.api.keep(record("as usual", timestamp=at(LAST), model="usual", tokens={"total": 120}))
    assert detect(acme.id, NOW) == []


def test_another_organizations_hours_are_not_its_own(acme: Tenant) -> None:
    globex = make_tenant("Globex")
    globex.api.keep(*(record(str(number), timestamp=at(LAST)) for number in range(50)))
    assert detect(acme.id, NOW) == []
    assert detect(globex.id, NOW) == []


def test_nobody_is_no_organization() -> None:
    with pytest.raises(Organization.DoesNotExist):
        detect(-1, NOW)


def test_a_quiet_hour_takes_two_statements(acme: Tenant) -> None:
    with CaptureQueriesContext(connection) as found:
        detect(acme.id, NOW)
    assert len([query for query in found.captured_queries if "usage_rollup" in query["sql"]]) == 1
    # The scope opened and closed, the organization's zone, the hours.
    assert len(found) <= 6
