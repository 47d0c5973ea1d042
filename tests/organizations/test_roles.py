import pytest

from organizations.roles import ALL_SCOPES, Role, Scope, grantable, may_assign, scopes_of, unknown_scopes

MAY_ASSIGN = {
    Role.OWNER: {Role.OWNER, Role.ADMIN, Role.BILLING, Role.ANALYST, Role.DEVELOPER},
    Role.ADMIN: {Role.ADMIN, Role.BILLING, Role.ANALYST, Role.DEVELOPER},
    Role.BILLING: set(),
    Role.ANALYST: set(),
    Role.DEVELOPER: set(),
}


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.OWNER, set(ALL_SCOPES)),
        (Role.ADMIN, set(ALL_SCOPES)),
        (Role.BILLING, {"usage:read", "billing:read", "billing:write"}),
        (Role.ANALYST, {"usage:read", "billing:read"}),
        (Role.DEVELOPER, {"usage:read", "keys:write"}),
    ],
)
def test_each_role_has_its_scopes(role: str, scopes: set[str]) -> None:
    assert scopes_of(role) == scopes


@pytest.mark.parametrize("by", Role.values)
@pytest.mark.parametrize("role", Role.values)
def test_only_owners_make_owners_and_only_managers_make_the_rest(by: str, role: str) -> None:
    assert may_assign(by, role) is (role in MAY_ASSIGN[Role(by)])


def test_a_key_hands_out_no_more_than_it_has() -> None:
    assert grantable(None, frozenset({"keys:write"})) == {"keys:write"}
    assert grantable(Role.OWNER, scopes_of(Role.OWNER)) == set(ALL_SCOPES)


def test_a_developers_keys_write_and_read_usage() -> None:
    assert grantable(Role.DEVELOPER, scopes_of(Role.DEVELOPER)) == {Scope.USAGE_WRITE, Scope.USAGE_READ}


def test_unknown_scopes_are_named_in_their_order() -> None:
    assert unknown_scopes(["b", "usage:read", "a"]) == ["b", "a"]
