"""The demo: believable, the same for the same moment, loaded once."""

import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from organizations.models import Credential, Invitation, Membership
from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant, make_tenant, record
from usage.complete import Context, complete
from usage.demo import load
from usage.demo.cast import CAST, GATEWAY, LEGACY, REPORTS, STAGING, TASKS
from usage.demo.catalogue import FINE_TUNED
from usage.demo.exported import ASKED
from usage.demo.generate import Dated, generate
from usage.demo.people import INVITED, TEAM
from usage.demo.rhythm import Calendar
from usage.imports.run import run as load_run
from usage.models import Export, Record
from usage.rollups.verify import verify

BERLIN = ZoneInfo("Europe/Berlin")
CLIENT_IDS = {member.name: f"cl_{number:020d}" for number, member in enumerate(CAST)}


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """Ninety days up to a Wednesday's noon."""
    return Calendar(NOW, 90, BERLIN)


@pytest.fixture(scope="module")
def records(calendar: Calendar) -> list[Dated]:
    """All that the demo consists of."""
    return list(generate(calendar, CLIENT_IDS))


def by_local(records: list[Dated], part: Callable[[datetime], Any]) -> Counter[Any]:
    return Counter(part(dated.moment.astimezone(BERLIN)) for dated in records)


def test_it_is_large_enough_to_look_at_and_small_enough_to_load(records: list[Dated]) -> None:
    assert 50_000 < len(records) < 80_000


def test_every_record_is_acceptable_and_none_comes_twice(calendar: Calendar, records: list[Dated]) -> None:
    numbers = {client_id: number for number, client_id in enumerate(CLIENT_IDS.values())}
    context = Context(1, None, numbers, calendar.now, calendar.start)
    rows = [complete(dated.record, context) for dated in records]
    assert len({row.key for row in rows}) == len(rows)
    assert all(row.cost_nanos == (None if row.succeeded else 0) for row in rows)
    assert all(calendar.start <= row.occurred_at <= calendar.now for row in rows)


def test_the_same_moment_gives_the_same_records(calendar: Calendar, records: list[Dated]) -> None:
    again = list(generate(calendar, CLIENT_IDS))
    assert [dated.record for dated in again] == [dated.record for dated in records]


def test_it_has_every_day_of_ninety_and_grows(records: list[Dated]) -> None:
    days = by_local(records, datetime.date)
    assert len(days) == 90
    ordered = [days[day] for day in sorted(days)]
    assert sum(ordered[-29:-1]) > 1.5 * sum(ordered[:28])


def test_weekends_and_nights_are_quiet(records: list[Dated]) -> None:
    weekdays = by_local(records, datetime.weekday)
    assert weekdays[6] < weekdays[1] / 2
    hours = by_local(records, lambda moment: moment.hour)
    assert hours[4] < hours[10] / 2


def test_documents_are_read_at_night(records: list[Dated]) -> None:
    parsed = [dated for dated in records if dated.member == "Document pipeline"]
    hours = by_local(parsed, lambda moment: moment.hour)
    assert hours[2] > 3 * hours[14]


def test_an_afternoon_went_wrong_and_the_rest_did_not(calendar: Calendar, records: list[Dated]) -> None:
    assert calendar.incident.start.astimezone(BERLIN).weekday() == 2
    stricken = [dated for dated in records if dated.record.provider == "openai"]
    during = [dated.record for dated in stricken if dated.moment in calendar.incident]
    besides = [dated.record for dated in stricken if dated.moment not in calendar.incident]
    assert len(during) > 60
    assert sum(one.status == "error" for one in during) > len(during) / 4
    assert sum(one.status == "error" for one in besides) < len(besides) / 40

    def typical(some: list[Any]) -> float:
        return float(
            median(one.latency_ms for one in some if one.status is None and one.capability == "chat")
        )

    assert typical(during) > 3 * typical(besides)


def test_latency_has_a_long_tail(records: list[Dated]) -> None:
    ordered = sorted(dated.record.latency_ms or 0 for dated in records if dated.record.model == "gpt-4.1")
    half, most = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
    assert 1_000 < half < 6_000
    assert most > 2.5 * half


def test_it_has_what_the_pages_show(records: list[Dated]) -> None:
    every = [dated.record for dated in records]
    assert {"openai", "anthropic", "google", "mistral", "in-house"} == {one.provider for one in every}
    assert len({one.model for one in every}) == 10
    assert len({one.capability for one in every}) == 6
    assert len({one.endpoint for one in every}) == 6
    meters = set().union(*(one.quantities or {} for one in every))
    assert meters == {"pages", "documents", "processorRuns", "conversations", "messages", "credits", "quota"}
    assert len({one.conversation_id for one in every}) > 10_000
    assert any(one.tokens and one.tokens.cached_prompt for one in every)
    assert any(one.tokens and one.tokens.reasoning for one in every)


def test_a_call_takes_the_credits_that_it_is_worth(records: list[Dated]) -> None:
    one = next(
        dated.record
        for dated in records
        if dated.record.model == "claude-sonnet-4-5"
        and dated.record.status is None
        and dated.record.tokens
        and dated.record.tokens.cached_prompt
    )
    tokens = one.tokens
    assert tokens is not None
    prompt, completion, cached = tokens.prompt or 0, tokens.completion or 0, tokens.cached_prompt or 0
    million = Decimal(10**6)
    expected = ((prompt - cached) * 3 + cached * Decimal("0.3") + completion * 15) / million
    assert one.quantities is not None
    assert one.quantities["credits"] == (expected * 1000).quantize(Decimal("0.001"))


def test_the_old_widget_ends_and_the_reports_key_is_never_used(records: list[Dated]) -> None:
    last = max(dated.moment for dated in records if dated.member == LEGACY.name)
    assert timedelta(days=38) < NOW - last < timedelta(days=40)
    members = {dated.member for dated in records}
    assert {member.name for member in CAST} - members == {REPORTS.name}


def test_staging_fails_more_often(records: list[Dated]) -> None:
    def failing(member: str) -> float:
        some = [dated.record.status for dated in records if dated.member == member]
        return some.count("error") / len(some)

    assert failing(STAGING.name) > 2 * failing(GATEWAY.name)


def demo(**options: Any) -> tuple[dict[str, Any], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("load_demo", json=True, days=options.pop("days", 3), stdout=out, stderr=err, **options)
    return json.loads(out.getvalue()), err.getvalue()


def count(organization_id: int) -> int:
    with tenant_scope(organization_id):
        return Record.objects.filter(organization_id=organization_id).count()


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_the_command_makes_the_demo_once() -> None:
    facts, said = demo()
    assert list(facts) == ["organization", "organizationId", "clientId", "apiKey", "owner", "password"]
    assert (facts["organization"], facts["owner"]) == ("acme", "demo@headroom.example")
    added = count(facts["organizationId"])
    assert added > 500
    assert said.splitlines() == [
        "Loading 3 days of usage into acme.",
        f"{added:,} records were added to acme.",
    ]
    assert Client().login(username=facts["owner"], password=facts["password"])

    again, said = demo()
    assert again == facts | {"apiKey": None, "password": None}
    assert said.splitlines()[-1] == "The demo is in acme already; nothing was added."
    assert count(facts["organizationId"]) == added


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_its_key_answers_with_totals_that_agree_with_the_records() -> None:
    call_command("import_prices", stdout=io.StringIO())
    facts, _ = demo()
    organization = load.demo_organization()
    assert organization is not None
    assert (organization.plan.slug, organization.timezone, organization.currency) == (
        "enterprise-with-limits",
        "Europe/Berlin",
        "USD",
    )
    client = Client(headers={"authorization": f"Bearer {facts['apiKey']}"})
    since = (NOW - timedelta(days=5)).isoformat().replace("+00:00", "Z")
    answer = client.get("/api/v1/usage", {"from": since}).json()
    assert answer["requests"]["total"] == count(organization.pk)
    assert Decimal(answer["cost"]) > 0
    with tenant_scope(organization.pk):
        assert (
            answer["unpricedRecords"] == Record.objects.filter(model=FINE_TUNED.name, succeeded=True).count()
        )
    assert list(verify(organization)) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_its_credentials_have_a_past() -> None:
    facts, _ = demo()
    credentials = credentials_of(facts)
    assert set(credentials) == {"First key", *(member.name for member in CAST)}
    assert min(credentials.values(), key=lambda one: one.created_at).name == "First key"
    gateway, legacy = credentials[GATEWAY.name], credentials[LEGACY.name]
    assert gateway.last_used_at is not None
    assert gateway.last_used_at - gateway.created_at > timedelta(days=200)
    assert credentials[REPORTS.name].last_used_at is None
    assert legacy.revoked_at is not None
    assert credentials[STAGING.name].environment == "staging"


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_load_that_was_interrupted_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter(range(6))

    def cut_short(*args: Any, **options: Any) -> None:
        if next(turns, None) is None:
            raise KeyboardInterrupt
        load_run(*args, **options)

    monkeypatch.setattr(load, "run", cut_short)
    with pytest.raises(KeyboardInterrupt):
        demo()
    organization = load.demo_organization()
    assert organization is not None
    loaded = count(organization.pk)
    assert loaded > 100
    monkeypatch.setattr(load, "run", load_run)
    begun = load.begin(organization, 3)
    assert not begun.is_complete
    filling = load.Filling(begun)
    for moment in (begun.calendar.start + timedelta(hours=30, minutes=7), NOW):
        filling.until(moment)
    assert (filling.tally.duplicates, filling.tally.rejected) == (loaded, 0)
    assert count(organization.pk) == loaded + filling.tally.accepted
    assert filling.tally.accepted + loaded == len(list(generate(begun.calendar, CLIENT_IDS)))
    assert demo()[1].splitlines()[-1] == "0 records were added to acme."


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_member_of_each_role_has_joined_and_one_is_invited() -> None:
    facts, _ = demo()
    with tenant_scope(facts["organizationId"]):
        members = Membership.objects.select_related("user").order_by("pk")
        assert [(one.user.email, one.role) for one in members] == [
            (load.OWNER, "owner"),
            *((address, role) for address, _, role, _ in TEAM),
        ]
        joined = [one.created_at for one in members[1:]]
        open_ = Invitation.objects.get(accepted_at=None)
    assert joined == sorted(joined)
    assert NOW - joined[0] > timedelta(days=200)
    assert (open_.email, open_.role) == INVITED[:2]
    assert open_.created_at < NOW < open_.expires_at
    tasks = credentials_of(facts)[TASKS.name]
    assert tasks.rotated_at == NOW - timedelta(days=13)


def credentials_of(facts: dict[str, Any]) -> dict[str, Credential]:
    """Return the demo's credentials by their names."""
    with tenant_scope(facts["organizationId"]):
        return {one.name: one for one in Credential.objects.all()}


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_its_exports_are_files_to_take() -> None:
    facts, _ = demo()
    client = Client()
    assert client.login(username=facts["owner"], password=facts["password"])
    with tenant_scope(facts["organizationId"]):
        made = list(Export.objects.order_by("created_at"))
        assert [(one.dataset, one.format, one.state) for one in made] == [
            (dataset, format_, "done") for dataset, format_, *_ in ASKED if dataset == "records"
        ]
    answer = client.get(f"/exports/{made[0].pk}/file/")
    rows = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(rows) == 1 + (made[0].rows_total or 0)
    assert len(rows) > 300


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_an_empty_organization_can_be_filled() -> None:
    acme = make_tenant("Acme", plan="starter", timezone="Asia/Tokyo")
    facts, _ = demo(organization="acme")
    assert facts == {
        "organization": "acme",
        "organizationId": acme.id,
        "clientId": acme.client_id,
        "apiKey": None,
        "owner": None,
        "password": None,
    }
    assert count(acme.id) > 500
    assert "nothing was added" in demo(organization="acme")[1]


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_an_organization_with_usage_of_its_own_is_left_alone(acme: Tenant) -> None:
    acme.api.keep(record("one"))
    with pytest.raises(CommandError, match="acme has usage of its own"):
        demo(organization="acme")
    assert count(acme.id) == 1
    with tenant_scope(acme.id):
        assert Credential.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_wrong_argument_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no organization 'other'; there are: none yet."):
        demo(organization="other")
    with pytest.raises(CommandError, match="--days takes a whole number from 1."):
        demo(days=0)


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_the_days_are_at_most_those_of_the_plan() -> None:
    acme = make_tenant("Acme", plan="free")
    demo(organization="acme", days=40)
    with tenant_scope(acme.id):
        first = Record.objects.order_by("occurred_at").values_list("occurred_at", flat=True)[0]
    assert NOW - first < timedelta(days=31)


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_people_read_how_to_get_in_once() -> None:
    out = io.StringIO()
    call_command("load_demo", days=1, stdout=out, stderr=io.StringIO())
    assert out.getvalue().split()[::2] == [
        "organization",
        "organizationId",
        "clientId",
        "apiKey",
        "owner",
        "password",
    ]
    again = io.StringIO()
    call_command("load_demo", days=1, stdout=again, stderr=io.StringIO())
    assert again.getvalue() == ""
