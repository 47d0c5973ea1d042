import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.problems import Problem
from organizations.models import Credential, Organization
from organizations.roles import Scope
from organizations.services import CreatedOrganization
from organizations.tenancy import NOTHING, Actor, current_scope, system_scope, tenant_scope
from organizations.tenancy import Scope as DatabaseScope
from tests.organizations.cast import caller, make_organization


def database_scope() -> tuple[str, str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('headroom.organization_id', true), ''),"
            " coalesce(current_setting('headroom.system', true), ''),"
            " coalesce(current_setting('pghistory.context_metadata', true), '')"
        )
        row: tuple[str, str, str] = cursor.fetchone()
    return row


def visible() -> list[str]:
    return sorted(Organization.objects.values_list("name", flat=True))


@pytest.fixture
def both(acme: CreatedOrganization, globex: CreatedOrganization) -> tuple[int, int]:
    return acme.organization.pk, globex.organization.pk


def test_without_a_scope_nothing_is_seen(both: tuple[int, int]) -> None:
    assert visible() == []
    assert Credential.objects.count() == 0
    assert current_scope() == NOTHING


def test_a_query_that_forgets_to_filter_sees_its_own_organization_only(both: tuple[int, int]) -> None:
    with tenant_scope(both[0]):
        assert visible() == ["Acme"]
        assert set(Credential.objects.values_list("organization_id", flat=True)) == {both[0]}
    with system_scope():
        assert visible() == ["Acme", "Globex"]


def test_the_scope_ends_with_its_block(both: tuple[int, int]) -> None:
    with tenant_scope(both[0]):
        assert database_scope() == (str(both[0]), "", "")
    assert database_scope() == ("", "", "")
    assert visible() == []


def test_leaving_a_nested_scope_puts_the_outer_one_back(both: tuple[int, int]) -> None:
    with system_scope():
        with tenant_scope(both[0]):
            with tenant_scope(both[1]):
                assert visible() == ["Globex"]
            assert visible() == ["Acme"]
            assert current_scope() == DatabaseScope(organization_id=both[0])
        assert visible() == ["Acme", "Globex"]


@pytest.mark.parametrize("error", [ValueError, IntegrityError])
def test_a_scope_that_fails_is_left_as_well(both: tuple[int, int], error: type[Exception]) -> None:
    with tenant_scope(both[0]):
        with pytest.raises(error), system_scope():
            raise error
        assert visible() == ["Acme"]
        assert current_scope().organization_id == both[0]


def test_a_statement_that_fails_in_a_nested_scope_does_not_harm_the_outer(both: tuple[int, int]) -> None:
    with tenant_scope(both[0]):
        with pytest.raises(IntegrityError), tenant_scope(both[1]):
            Organization.objects.update(currency="x")
        assert visible() == ["Acme"]


def test_what_a_failed_scope_wrote_is_undone(both: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no"), tenant_scope(both[0]):  # noqa: PT012 the scope is tested
        Organization.objects.update(name="Changed")
        raise ValueError("no")
    with system_scope():
        assert visible() == ["Acme", "Globex"]


def test_another_organizations_row_can_be_neither_written_nor_taken(both: tuple[int, int]) -> None:
    with tenant_scope(both[0]):
        assert Organization.objects.filter(pk=both[1]).update(name="Mine") == 0
        assert Credential.objects.filter(organization_id=both[1]).delete()[0] == 0
        with pytest.raises(Exception, match="row-level security"), transaction.atomic():
            Credential.objects.update(organization_id=both[1])


def test_the_actor_of_the_outer_scope_stays_unless_another_is_named(both: tuple[int, int]) -> None:
    with system_scope(actor=Actor(kind="system", job="nightly")):
        with tenant_scope(both[0]):
            assert database_scope()[2] == '{"kind": "system", "job": "nightly"}'
        with tenant_scope(both[0], actor=Actor(kind="user", user_id=7)):
            assert database_scope()[2] == '{"kind": "user", "userId": 7}'
        assert database_scope()[2] == '{"kind": "system", "job": "nightly"}'


@pytest.mark.django_db(transaction=True)
def test_a_persistent_connection_carries_no_scope_over() -> None:
    created = make_organization()
    with tenant_scope(created.organization.pk, actor=Actor(kind="user", user_id=1)):
        assert visible() == ["Acme"]
    assert database_scope() == ("", "", "")
    assert visible() == []
    with pytest.raises(ZeroDivisionError), system_scope():
        _ = 1 / 0
    assert visible() == []


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_a_scope_of_its_own() -> None:
    created = [make_organization(name) for name in ("Acme", "Globex")]
    together, seen = threading.Barrier(2, timeout=10), {}

    def look(one: CreatedOrganization) -> None:
        with tenant_scope(one.organization.pk):
            together.wait()
            seen[one.organization.name] = visible()
            together.wait()
        connection.close()

    threads = [threading.Thread(target=look, args=[one]) for one in created]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"Acme": ["Acme"], "Globex": ["Globex"]}


def test_a_scope_costs_one_statement_beside_its_transaction(
    both: tuple[int, int], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(5) as captured, tenant_scope(both[0]):  # the savepoint and back, in a test
        Organization.objects.count()
    assert [query["sql"].split()[0] for query in captured] == [
        "SAVEPOINT",
        "SELECT",
        "SELECT",
        "RELEASE",
        "SELECT",
    ]


def test_entering_the_scope_one_is_in_costs_no_statement(
    both: tuple[int, int], django_assert_num_queries: Any
) -> None:
    with tenant_scope(both[0], actor=Actor(kind="user", user_id=1)):
        with django_assert_num_queries(2), tenant_scope(both[0]):  # the savepoint and its release
            pass
        assert visible() == ["Acme"]


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_reads_everything_of_one_moment() -> None:
    created = make_organization()
    for snapshot, seen in ((True, ["Acme", "Acme"]), (False, ["Acme", "Changed"])):
        with system_scope():
            Organization.objects.update(name="Acme")
        names = []
        with tenant_scope(created.organization.pk, snapshot=snapshot):
            names += visible()
            elsewhere = threading.Thread(target=_rename_elsewhere)
            elsewhere.start()
            elsewhere.join()
            names += visible()
        assert names == seen


def test_a_nested_scope_takes_no_snapshot_of_its_own(both: tuple[int, int]) -> None:
    with tenant_scope(both[0]), tenant_scope(both[1], snapshot=True):
        assert visible() == ["Globex"]


def _rename_elsewhere() -> None:
    with system_scope():
        Organization.objects.update(name="Changed")
    connection.close()


@dataclass(frozen=True)
class Step:
    """A scope to enter, what to enter inside it, and whether it fails at its end."""

    organization: int | None
    fails: bool
    inside: tuple["Step", ...]


steps = st.recursive(
    st.builds(Step, st.sampled_from([None, 0, 1]), st.booleans(), st.just(())),
    lambda inner: st.builds(
        Step, st.sampled_from([None, 0, 1]), st.booleans(), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@given(sequence=st.lists(steps, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_nesting_of_scopes_sees_what_its_innermost_shows(
    both: tuple[int, int], sequence: list[Step]
) -> None:
    names = {None: ["Acme", "Globex"], 0: ["Acme"], 1: ["Globex"]}

    def walk(inside: Sequence[Step], shown: list[str]) -> None:
        for step in inside:
            scope = system_scope() if step.organization is None else tenant_scope(both[step.organization])
            with suppress(ArithmeticError), scope:
                assert visible() == names[step.organization]
                walk(step.inside, names[step.organization])
                if step.fails:
                    raise ArithmeticError
            assert visible() == shown

    walk(sequence, [])


def test_a_caller_without_the_scope_is_told_which_it_lacks() -> None:
    with pytest.raises(Problem) as caught:
        caller(scopes=frozenset({"usage:read"})).require(Scope.KEYS_WRITE)
    assert (caught.value.status, caught.value.code) == (403, "scope_required")
    assert caught.value.detail == "This key does not have the scope keys:write."
    with pytest.raises(Problem, match="The role analyst does not have the scope keys:write"):
        caller(role="analyst", user_id=1).require(Scope.KEYS_WRITE)
    caller(scopes=frozenset({"keys:write"})).require(Scope.KEYS_WRITE)


def test_a_caller_acts_as_its_user_or_its_credential() -> None:
    assert caller(user_id=7, role="owner").actor == Actor(kind="user", user_id=7)
    assert caller(client_id="cl_x").actor == Actor(kind="credential", client_id="cl_x")
    assert caller(user_id=7, role="admin").is_manager
    assert not caller(user_id=7, role="billing").is_manager
    assert not caller(client_id="cl_x").is_manager
