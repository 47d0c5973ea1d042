"""The pages of rules: what the organization wants to be told of."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from alerts.models import Rule
from alerts.rules.defaults import DEFAULTS
from organizations.tenancy import tenant_scope
from tests.alerts.rules.ruling import built_in, make_rule
from tests.alerts.telling import fire, mailbox
from tests.portal.pages import sign_in, table, text
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = pytest.mark.django_db

COSTLY = {
    "name": "Costly",
    "metric": "cost",
    "condition": "above",
    "thresholds": "50, 100",
    "window": "24h",
    "scope_kind": "organization",
    "scope_value": "",
    "severity": "warning",
    "least_requests": "",
    "hysteresis": "5",
    "quiet_minutes": "60",
}


def own(tenant: Tenant) -> Rule:
    """Return the only rule of the organization's own."""
    with tenant_scope(tenant.id):
        return Rule.objects.get(code="")


def words(page: Any) -> dict[str, list[str]]:
    """Return the rows of the list, by the rules' names."""
    rows = [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in table(page, "rules")]
    return {row[0].removesuffix(" built in"): row[1:] for row in rows}


def test_a_rule_is_made_and_said_in_words(acme: Tenant, member: Client) -> None:
    channel = mailbox(acme)
    page = member.post("/alerts/rules/new/", {**COSTLY, "channels": [str(channel.pk)]}, follow=True)
    assert "Rule Costly created." in text(page)
    row = words(member.get("/alerts/rules/"))["Costly"]
    assert row[0] == "Cost at or above 50.00 EUR or 100.00 EUR over 24 hours the organization"
    made = own(acme)
    assert made.thresholds == [Decimal(50), Decimal(100)]
    with tenant_scope(acme.id):
        assert [one.channel_id for one in made.chosen.all()] == [channel.pk]
    listed = member.get(f"/api/v1/alerts/rules/{made.pk}").json()
    assert (listed["threshold"], listed["window"], listed["quietMinutes"]) == (["50", "100"], "24h", 60)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"metric": "colour of it"}, "Choose a metric from the list"),
        ({"thresholds": "much"}, "decimal"),
        ({"thresholds": ""}, "At least one threshold is needed."),
        ({"window": ""}, "With above, accepted: 1m"),
        ({"scope_kind": "credential", "scope_value": "cl_nobody"}, "There is no such credential"),
        ({"hysteresis": "60"}, "At most 50."),
    ],
)
def test_what_does_not_go_together_is_said(member: Client, change: dict[str, str], words: str) -> None:
    answer = member.post("/alerts/rules/new/", {**COSTLY, **change})
    assert answer.status_code == 422
    assert words in text(answer)
    assert 'class="field-error"' in answer.content.decode()


def test_a_rule_is_changed_from_what_it_was(acme: Tenant, member: Client) -> None:
    rule = make_rule(acme, of=("credential", acme.client_id), thresholds=[Decimal("7.5")])
    page = member.get(f"/alerts/rules/{rule.pk}/")
    form = page.context["form"]
    given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    assert (given["thresholds"], given["scope_value"]) == ("7.5", acme.client_id)
    member.post(f"/alerts/rules/{rule.pk}/change/", {**given, "thresholds": "9", "name": "Busier"})
    changed = own(acme)
    assert (changed.name, changed.thresholds, changed.revision) == ("Busier", [Decimal(9)], 2)
    refused = member.post(f"/alerts/rules/{rule.pk}/change/", {**given, "thresholds": "0"})
    assert refused.status_code == 422


def test_what_every_organization_has_is_switched_off_and_not_removed(acme: Tenant, member: Client) -> None:
    rule = built_in(acme, "error_rate_up")
    page = member.get(f"/alerts/rules/{rule.pk}/")
    assert "Delete rule" not in text(page)
    assert 'name="metric"' not in page.content.decode()
    member.post(f"/alerts/rules/{rule.pk}/switch/", {"enabled": "off"})
    assert words(member.get("/alerts/rules/"))[rule.name][2] == "Disabled"
    assert member.post(f"/alerts/rules/{rule.pk}/remove/").status_code == 409
    member.post(f"/alerts/rules/{rule.pk}/switch/", {"enabled": "on"})
    assert built_in(acme, "error_rate_up").enabled
    assert member.post(f"/alerts/rules/{rule.pk}/switch/", {}).status_code == 422


@pytest.mark.parametrize("default", DEFAULTS, ids=lambda default: str(default["code"]))
def test_what_every_organization_has_is_asked_for_what_its_condition_uses(
    default: dict[str, Any], acme: Tenant, member: Client
) -> None:
    rule = built_in(acme, default["code"])
    form = member.get(f"/alerts/rules/{rule.pk}/").context["form"]
    assert ("thresholds" in form.fields, "window" in form.fields) == (
        bool(rule.thresholds),
        bool(rule.window),
    )
    assert ("least_requests" in form.fields) == bool(rule.window)
    given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    saved = member.post(f"/alerts/rules/{rule.pk}/change/", {**given, "quiet_minutes": "77"}, follow=True)
    assert "Rule saved." in text(saved)
    changed = built_in(acme, default["code"])
    assert changed.quiet_minutes == 77
    for name in ("metric", "condition", "window", "thresholds", "least_requests", "hysteresis"):
        assert getattr(changed, name) == getattr(rule, name), name


RANKS = {"info": 0, "warning": 1, "critical": 2}
ORDERS: dict[str, tuple[Callable[[Rule], Any], str, str]] = {
    "created": (lambda rule: rule.created_at, "In order of creation", "Newest first"),
    "name": (lambda rule: rule.name.lower(), "By name", "By name, descending"),
    "severity": (
        lambda rule: RANKS[rule.severity],
        "By severity, lowest first",
        "By severity, highest first",
    ),
    "state": (lambda rule: not rule.enabled, "By state, enabled first", "By state, disabled first"),
}


@pytest.fixture
def many(acme: Tenant) -> list[Rule]:
    """More rules than fit on a page, in the order of their creation, with others among the first ones."""
    for number in range(20):
        made = make_rule(
            acme,
            name=f"{'Rr'[number % 2]}ule {number * 7 % 20:02}",
            severity=("warning", "critical", "info")[number % 3],
        )
        with tenant_scope(acme.id):
            moment = NOW + timedelta(minutes=number)
            Rule.objects.filter(pk=made.pk).update(created_at=moment, enabled=number % 4 != 1)
    with tenant_scope(acme.id):
        return list(Rule.objects.order_by("created_at", "pk"))


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_rules_stand_in_any_order_page_by_page(
    many: list[Rule], member: Client, sort: str, order: str
) -> None:
    figure, *said = ORDERS[sort]
    is_falling = order == "desc"
    pages = [member.get("/alerts/rules/", {"sort": sort, "order": order, "page": page}) for page in (1, 2)]
    assert [len(words(page)) for page in pages] == [25, len(many) - 25]
    listed = [name for page in pages for name in words(page)]
    assert listed == [rule.name for rule in sorted(many, key=figure, reverse=is_falling)]
    html = pages[0].content.decode()
    assert f"<caption>{said[is_falling]}</caption>" in html
    assert f'href="/alerts/rules/?sort={sort}&amp;order={"asc" if is_falling else "desc"}" hx-get' in html
    assert f'rel="next" href="/alerts/rules/?sort={sort}&amp;order={order}&amp;page=2"' in html
    assert html.count("aria-sort=") == 1


def test_rules_stand_in_order_of_creation_and_by_the_gravest_severity_unasked(
    many: list[Rule], member: Client
) -> None:
    assert list(words(member.get("/alerts/rules/"))) == [rule.name for rule in many[:25]]
    by_severity = words(member.get("/alerts/rules/?sort=severity"))
    assert [row[1] for row in by_severity.values()][:2] == ["Critical"] * 2
    refused = member.get("/alerts/rules/?sort=colour")
    assert refused.status_code == 400
    assert "accepted: created, name, severity, state." in text(refused)


@pytest.mark.parametrize("query", ["", "sort=severity&order=asc&page=2"])
def test_a_switch_leads_back_to_where_it_stood(many: list[Rule], member: Client, query: str) -> None:
    page = member.get(f"/alerts/rules/?{query}")
    assert page.context["here"] == "/alerts/rules/" + (query and f"?{query}")
    way = re.findall(r'action="([^"]+/switch/[^"]*)"', page.content.decode())[-1]
    answer = member.post(unescape(way), {"enabled": "off"})
    assert answer.status_code == 302
    assert answer["Location"] == page.context["here"]


def test_a_rule_of_ones_own_is_removed_and_its_events_stay(acme: Tenant, member: Client) -> None:
    rule = make_rule(acme)
    fire(acme, message="Busy.", rule_id=rule.pk)
    assert "Busy." in text(member.get(f"/alerts/rules/{rule.pk}/"))
    page = member.post(f"/alerts/rules/{rule.pk}/remove/", follow=True)
    assert "Rule Busy deleted." in text(page)
    assert "Busy." in text(member.get("/alerts/?state=resolved"))


def test_those_who_only_read_see_no_forms(acme: Tenant) -> None:
    rule = make_rule(acme)
    analyst = sign_in(acme, "analyst")
    for path in ("/alerts/rules/", f"/alerts/rules/{rule.pk}/"):
        page = analyst.get(path)
        assert page.status_code == 200
        assert "Disable" not in text(page)
        assert "New rule" not in text(page)
        assert "Change it" not in text(page)


def test_another_organizations_is_not_found(acme: Tenant, member: Client) -> None:
    rule = make_rule(make_tenant("Globex"))
    assert member.get(f"/alerts/rules/{rule.pk}/").status_code == 404
    for action in ("change", "switch", "remove"):
        answer = member.post(f"/alerts/rules/{rule.pk}/{action}/", {**COSTLY, "enabled": "off"})
        assert answer.status_code == 404
