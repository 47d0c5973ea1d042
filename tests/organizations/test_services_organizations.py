import threading
from typing import Any

import pytest
from django.db import connection

from core.problems import Problem
from organizations.models import Membership, Organization, User
from organizations.queries import organization
from organizations.services import (
    CreatedOrganization,
    change_plan,
    create_organization,
    rename,
    set_timezone,
)
from organizations.tenancy import system_scope, tenant_scope


def make(**terms: Any) -> CreatedOrganization:
    return create_organization(**{"name": "Acme", "plan": "free", "owner_email": "ada@acme.example", **terms})


def stored(created: CreatedOrganization) -> Organization:
    with tenant_scope(created.organization.pk):
        return organization(created.organization.pk)


def test_an_organization_begins_with_an_owner_and_a_key_of_every_scope(db: Any) -> None:
    created = make(name=" Acme GmbH ", plan="starter", timezone="Europe/Berlin", currency="EUR")
    row = stored(created)
    assert (row.name, row.slug, row.plan.slug) == ("Acme GmbH", "acme-gmbh", "starter")
    assert (row.timezone, row.rollup_timezone, row.currency) == ("Europe/Berlin", "Europe/Berlin", "EUR")
    assert len(created.issued.credential.scopes) == 6
    assert created.issued.credential.created_by_id == created.owner.pk
    assert created.password is not None
    assert created.owner.check_password(created.password)
    assert created.password not in repr(created)
    with system_scope():
        assert Membership.objects.get(organization=row).user == created.owner


def test_who_has_an_account_keeps_it(db: Any) -> None:
    first = make()
    second = make(name="Globex", owner_email="ADA@acme.example")
    assert (second.owner, second.password) == (first.owner, None)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("Acme", ["acme", "acme-2", "acme-3"]),
        ("日本", ["organization", "organization-2", "organization-3"]),
        ("x" * 120, ["x" * 54, "x" * 54 + "-2", "x" * 54 + "-3"]),
    ],
)
def test_organizations_of_one_name_have_slugs_of_their_own(db: Any, name: str, slugs: list[str]) -> None:
    assert [make(name=name).organization.slug for _ in range(3)] == slugs


@pytest.mark.django_db(transaction=True)
def test_organizations_made_at_once_have_slugs_of_their_own() -> None:
    together, slugs = threading.Barrier(4, timeout=10), []

    def one(number: int) -> None:
        together.wait()
        slugs.append(make(owner_email=f"{number}@acme.example").organization.slug)
        connection.close()

    threads = [threading.Thread(target=one, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(slugs)) == 4


@pytest.mark.parametrize(
    ("terms", "pointer", "detail"),
    [
        (
            {"plan": "gold"},
            "/plan",
            "There is no plan 'gold'; accepted: free, starter, professional, pay-as-you-go, enterprise.",
        ),
        ({"timezone": "Mars"}, "/timezone", "'Mars' is not an IANA time zone, such as Europe/Berlin."),
        ({"currency": "usd"}, "/currency", "'usd' is not an ISO 4217 code, such as USD."),
        ({"name": "  "}, "/name", "A name has 1 to 120 characters."),
        ({"name": "x" * 121}, "/name", "A name has 1 to 120 characters."),
        ({"owner_email": "ada"}, "/owner", "Enter a valid email address."),
    ],
)
def test_terms_that_will_not_do_are_named_and_nothing_is_made(
    db: Any, terms: dict[str, str], pointer: str, detail: str
) -> None:
    with pytest.raises(Problem) as caught:
        make(**terms)
    assert (caught.value.status, caught.value.errors[0].pointer, caught.value.detail) == (
        422,
        pointer,
        detail,
    )
    assert User.objects.count() == 0
    with system_scope():
        assert Organization.objects.count() == 0


def test_a_plan_is_changed_for_one_that_exists(acme: CreatedOrganization) -> None:
    change_plan(organization_id=acme.organization.pk, plan="enterprise")
    assert stored(acme).plan.slug == "enterprise"
    with pytest.raises(Problem, match="422"):
        change_plan(organization_id=acme.organization.pk, plan="gold")


def test_a_time_zone_is_changed_and_the_rollups_zone_is_not(acme: CreatedOrganization) -> None:
    set_timezone(organization_id=acme.organization.pk, timezone="Asia/Tokyo")
    assert (stored(acme).timezone, stored(acme).rollup_timezone) == ("Asia/Tokyo", "UTC")
    with pytest.raises(Problem, match="422"):
        set_timezone(organization_id=acme.organization.pk, timezone="Tokyo")


def test_a_name_is_changed_and_the_slug_is_not(acme: CreatedOrganization) -> None:
    slug = acme.organization.slug
    rename(organization_id=acme.organization.pk, name=" Acme Ltd ")
    assert (stored(acme).name, stored(acme).slug) == ("Acme Ltd", slug)
    with pytest.raises(Problem, match="422"):
        rename(organization_id=acme.organization.pk, name="")


def test_what_is_not_there_can_not_be_changed(db: Any) -> None:
    with pytest.raises(Problem, match="404"):
        rename(organization_id=1, name="x")
    with pytest.raises(Problem, match="404"), tenant_scope(1):
        organization(1)
