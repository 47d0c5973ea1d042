"""How it went around events: what their rules would have read, and what it was held against."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from alerts.models import Event
from alerts.rules.courses import MOST_POINTS, Basis, Course, Point, course
from alerts.rules.evaluate import evaluate, evaluate_hourly
from billing.models import Window
from organizations.tenancy import tenant_scope
from tests.alerts.rules.ruling import built_in, change, delete, events, make_rule, only
from tests.alerts.rules.test_hourly import usual
from tests.billing.spending import limit_to
from tests.usage.factories import NOW, Tenant, record

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=365)
GoTo = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _no_others(acme: Tenant) -> None:
    only(acme)


def drawn(tenant: Tenant, event: Event, *, now: datetime = NOW, since: datetime = LONG_AGO) -> Course:
    """Return the course of an event of which something is known."""
    with tenant_scope(tenant.id):
        found = course(event, now, since)
    assert found is not None
    return found


def at(found: Course, moment: datetime) -> Point:
    """Return the point of a moment."""
    (point,) = (one for one in found.points if one.at == moment)
    return point


def sent(tenant: Tenant, number: int, ago: timedelta, **fields: Any) -> None:
    tenant.api.keep(*[record(timestamp=(NOW - ago).isoformat(), **fields) for _ in range(number)])


def test_what_was_judged_is_on_the_course_with_its_threshold(acme: Tenant, go_to: GoTo) -> None:
    make_rule(acme, metric="errorRate", thresholds=[Decimal(20)], least_requests=4, each="credential")
    other = acme.another_credential()
    sent(other, 9, 10 * MINUTE, status="error")
    sent(acme, 3, 3 * HOUR)
    sent(acme, 3, 20 * MINUTE)
    sent(acme, 1, 10 * MINUTE, status="error")
    evaluate()
    (event,) = events(acme, scope={"kind": "credential", "value": acme.client_id})
    go_to(NOW + 2 * HOUR)
    evaluate()
    (event,) = events(acme, pk=event.pk)
    found = drawn(acme, event, now=NOW + 2 * HOUR)
    assert (found.basis, found.unit, len(found.points) <= MOST_POINTS + 2) == (Basis.JUDGED, "percent", True)
    assert at(found, NOW) == Point(NOW, Decimal(25), Decimal(20))
    hours = {point.at: point.value for point in found.points if point.at.minute == 0 and point.at != NOW}
    nine, ten, eleven = (NOW.replace(minute=0, second=0, microsecond=0, hour=hour) for hour in (9, 10, 11))
    assert (hours[nine], hours[ten], hours[eleven]) == (None, Decimal(0), None)
    assert found.points[0].at >= NOW - 6 * HOUR
    assert event.resolved_at == NOW + 2 * HOUR == found.points[-1].at


def test_what_came_later_is_not_in_what_was_judged(acme: Tenant) -> None:
    make_rule(acme)
    sent(acme, 10, 10 * MINUTE)
    evaluate()
    sent(acme, 5, 5 * MINUTE)
    found = drawn(acme, events(acme)[0])
    assert at(found, NOW).value == Decimal(10)


def test_a_change_is_drawn_as_the_metric_against_what_would_have_been_too_much(acme: Tenant) -> None:
    make_rule(acme, condition="rises", thresholds=[Decimal(50)], least_requests=3)
    sent(acme, 4, 90 * MINUTE)
    sent(acme, 7, 10 * MINUTE)
    evaluate()
    (event,) = events(acme)
    found = drawn(acme, event)
    assert (event.unit, found.basis, found.unit) == ("percent", Basis.CHANGE, "requests")
    assert at(found, NOW) == Point(NOW, Decimal(7), Decimal(6))


def test_a_fall_is_held_against_less(acme: Tenant) -> None:
    make_rule(acme, condition="falls", metric="cost", thresholds=[Decimal(75)], least_requests=2)
    sent(acme, 2, 90 * MINUTE, cost="2")
    sent(acme, 1, 10 * MINUTE, cost="0.5")
    evaluate()
    found = drawn(acme, events(acme)[0])
    assert at(found, NOW) == Point(NOW, Decimal("0.5"), Decimal(1))
    assert found.unit == acme_currency(acme)


def acme_currency(tenant: Tenant) -> str:
    """Return the tenant's currency."""
    return tenant.organization.currency


def test_a_calendars_period_is_shown_as_far_as_it_has_come(acme: Tenant) -> None:
    make_rule(acme, window="day", thresholds=[Decimal(3)])
    sent(acme, 3, 5 * HOUR)
    evaluate()
    found = drawn(acme, events(acme)[0])
    assert found.points[0] == Point(
        NOW.replace(hour=0, minute=0, second=0, microsecond=0), Decimal(0), Decimal(3)
    )
    assert found.points[-1].value == Decimal(3)
    values = [point.value or 0 for point in found.points]
    assert values == sorted(values)


def test_missed_requests_have_no_threshold(acme: Tenant) -> None:
    make_rule(acme, condition="noTraffic", thresholds=[])
    sent(acme, 3, 3 * HOUR)
    evaluate()
    found = drawn(acme, events(acme)[0])
    assert (found.basis, at(found, NOW)) == (Basis.TRAFFIC, Point(NOW, Decimal(0), None))


def test_an_anomaly_is_held_against_the_usual_of_each_hour(acme: Tenant) -> None:
    make_rule(acme, condition="anomaly", metric="cost", window="", thresholds=[])
    usual(acme)
    sent(acme, 1, 50 * MINUTE, cost="50")
    evaluate_hourly()
    (event,) = events(acme)
    found = drawn(acme, event)
    judged = at(found, event.period_end or NOW)
    assert found.basis is Basis.USUAL
    assert judged.value == Decimal(50)
    held = judged.threshold
    assert held is not None
    assert 2 <= held < 50
    others = [point for point in found.points if point is not judged]
    assert {point.value for point in others} == {Decimal(1)}
    assert all(point.threshold is not None and point.threshold >= 2 for point in others)


def test_a_share_of_a_limit_is_drawn_as_what_was_spent(acme: Tenant) -> None:
    make_rule(acme, condition="aboveShare", metric="cost", window="", thresholds=[Decimal(40)])
    limit_to(acme, 100, window=Window.WEEK)
    sent(acme, 9, 10 * MINUTE, cost="5")
    evaluate()
    found = drawn(acme, events(acme)[0])
    assert (found.basis, found.unit) == (Basis.SPENT, acme_currency(acme))
    assert at(found, NOW) == Point(NOW, Decimal(45), Decimal(40))


def test_a_rule_is_read_as_it_was_when_the_event_fired(acme: Tenant) -> None:
    made = make_rule(acme, window="6h", thresholds=[Decimal(2)])
    sent(acme, 2, 4 * HOUR)
    evaluate()
    change(acme, made, window="1h", thresholds=[Decimal(50)])
    (event,) = events(acme)
    assert (drawn(acme, event).rule.window, at(drawn(acme, event), NOW).value) == ("6h", Decimal(2))
    delete(acme, made)
    assert drawn(acme, event).rule.window == "6h"


def test_a_default_rule_is_known_as_it_was_made(acme: Tenant) -> None:
    only(acme, "unpriced")
    rule = built_in(acme, "unpriced")
    sent(acme, 2, 10 * MINUTE, model="unheard-of", tokens={"prompt": 5, "completion": 1})
    evaluate()
    change(acme, rule, thresholds=[Decimal(5)], window="7d")
    (event,) = events(acme)
    found = drawn(acme, event)
    assert (found.rule.window, at(found, NOW).threshold) == ("day", Decimal(1))


def test_what_nobody_knows_any_more_has_no_course(acme: Tenant) -> None:
    make_rule(acme)
    sent(acme, 10, 10 * MINUTE)
    evaluate()
    (event,) = events(acme)
    with tenant_scope(acme.id):
        assert course(event, NOW, NOW + HOUR) is None
        event.rule_revision = 7
        assert course(event, NOW, LONG_AGO) is None
        event.rule_id = None
        assert course(event, NOW, LONG_AGO) is None
