"""Who belongs to an organization, and as what."""

from core.problems import Problem, conflict, forbidden, not_found
from organizations.models import Membership
from organizations.roles import Role, may_assign
from organizations.services.locks import lock_organization
from organizations.tenancy import tenant_scope


def add_member(*, organization_id: int, user_id: int, role: str, by_role: str | None = None) -> Membership:
    """Make a user a member.

    ``by_role`` is the role of the member who does it, None for an operator.
    Raises: `Problem` 409 when they are one already, 403 when the role may not give that role.
    """
    _check_assignment(by_role, role)
    with tenant_scope(organization_id):
        lock_organization(organization_id)
        membership, added = Membership.objects.get_or_create(
            organization_id=organization_id, user_id=user_id, defaults={"role": role}
        )
        if not added:
            raise conflict("They are a member already.", code="already_a_member")
    return membership


def change_role(*, organization_id: int, user_id: int, role: str, by_role: str | None = None) -> Membership:
    """Give a member another role.

    ``by_role`` is the role of the member who does it, None for an operator.
    Raises: `Problem` 404, 403 when the role may not, 409 when the last owner would be gone.
    Concurrency: takes turns with every other change of members, so two owners can't demote each
    other at once.
    """
    with tenant_scope(organization_id):
        membership = _locked_member(organization_id, user_id)
        _check_assignment(by_role, membership.role, role)
        if membership.role != role:
            _keep_an_owner(membership)
            membership.role = role
            membership.save(update_fields=["role"])
    return membership


def remove_member(*, organization_id: int, user_id: int, by_role: str | None = None) -> None:
    """End a membership; the credentials that the member made stay the organization's.

    ``by_role`` is the role of the member who does it, None for an operator.
    Raises: `Problem` 404, 403 when the role may not, 409 when the last owner would be gone.
    Concurrency: as `change_role`.
    """
    with tenant_scope(organization_id):
        membership = _locked_member(organization_id, user_id)
        _check_assignment(by_role, membership.role)
        _keep_an_owner(membership)
        membership.delete()


def _locked_member(organization_id: int, user_id: int) -> Membership:
    lock_organization(organization_id)
    membership = Membership.objects.filter(organization_id=organization_id, user_id=user_id).first()
    if membership is None:
        raise not_found("There is no such member.")
    return membership


def _keep_an_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.filter(organization_id=membership.organization_id, role=Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise conflict("An organization needs an owner: make another member one first.", code="last_owner")


def _check_assignment(by_role: str | None, *roles: str) -> None:
    for role in roles:
        if by_role is not None and not may_assign(by_role, role):
            raise _may_not(by_role, role)


def _may_not(by_role: str, role: str) -> Problem:
    return forbidden(f"The role {by_role} can't give or take away the role {role}.", code="role_required")
