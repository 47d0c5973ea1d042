"""Making organizations and changing their terms."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from core.problems import Problem, invalid_field
from organizations.factors import has_second_factor
from organizations.models import Membership, Organization, Plan, User, normalize_email
from organizations.roles import ALL_SCOPES, Role
from organizations.services.credentials import IssuedCredential, create_credential
from organizations.services.locks import lock_organization
from organizations.tenancy import Actor, system_scope, tenant_scope
from organizations.validators import validate_currency, validate_zone

_MAX_SLUG: Final = 63
_SUFFIX_ROOM: Final = 9
_SLUG_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class CreatedOrganization:
    """A new organization with its first credential; the password is None for a user who had one."""

    organization: Organization
    owner: User
    password: str | None = field(repr=False)
    issued: IssuedCredential


def create_organization(
    *,
    name: str,
    plan: str,
    owner_email: str,
    timezone: str = "UTC",
    currency: str = "USD",
    actor: Actor | None = None,
) -> CreatedOrganization:
    """Make an organization with an owner and a key of every scope.

    An owner who has no account gets one, with a password that is returned once.
    Raises: `Problem` 422 for a plan, time zone, currency, name or address that won't do.
    """
    _check_terms(name, timezone, currency)
    with system_scope(actor=actor):
        owner, password = _owner(owner_email)
        organization = _insert(name.strip(), _plan(plan), timezone, currency)
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
        issued = create_credential(
            organization_id=organization.pk, name="First key", scopes=ALL_SCOPES, created_by_id=owner.pk
        )
    return CreatedOrganization(organization, owner, password, issued)


def change_plan(*, organization_id: int, plan: str) -> Organization:
    """Put the organization on another plan, from now on.

    Raises: `Problem` 404, or 422 naming the plans there are.
    """
    with tenant_scope(organization_id):
        organization = lock_organization(organization_id)
        organization.plan = _plan(plan)
        organization.save(update_fields=["plan"])
    return organization


def set_timezone(*, organization_id: int, timezone: str) -> Organization:
    """Set the zone whose days, weeks and months the organization's figures are cut into.

    The zone of its kept daily rollups stays until these are rebuilt.
    Raises: `Problem` 404, or 422 for what is not an IANA zone.
    """
    _check("timezone", timezone, validate_zone)
    with tenant_scope(organization_id):
        organization = lock_organization(organization_id)
        organization.timezone = timezone
        organization.save(update_fields=["timezone"])
    return organization


def rename(*, organization_id: int, name: str) -> Organization:
    """Give the organization another name; its slug stays, since links and clients hold it.

    Raises: `Problem` 404, or 422 for an empty or over-long name.
    """
    _check_name(name)
    with tenant_scope(organization_id):
        organization = lock_organization(organization_id)
        organization.name = name.strip()
        organization.save(update_fields=["name"])
    return organization


def require_second_factor(*, organization_id: int, required: bool, by_id: int | None = None) -> Organization:
    """Let only members with a second factor see the organization, or every member again.

    ``by_id`` is the member who does it, None for an operator.
    Raises: `Problem` 404, or 422 when that member has no second factor and would lock themselves out.
    """
    if required and by_id is not None and not has_second_factor(by_id):
        raise invalid_field(
            "/second_factor", "no_second_factor", "Set up a second factor of your own first, in your account."
        )
    with tenant_scope(organization_id):
        organization = lock_organization(organization_id)
        organization.require_second_factor = required
        organization.save(update_fields=["require_second_factor"])
    return organization


def _owner(email: str) -> tuple[User, str | None]:
    _check("owner", email, validate_email)
    existing = User.objects.filter(email=normalize_email(email)).first()
    if existing is not None:
        return existing, None
    password = secrets.token_urlsafe(15)
    return User.objects.create_user(email, password), password


def _insert(name: str, plan: Plan, timezone: str, currency: str) -> Organization:
    """Insert under the first free slug of ``name``, ``name-2``, … and then random ones."""
    base = slugify(name)[: _MAX_SLUG - _SUFFIX_ROOM].strip("-") or "organization"
    for slug in _slugs(base):
        try:
            with transaction.atomic():
                return Organization.objects.create(
                    name=name,
                    slug=slug,
                    plan=plan,
                    timezone=timezone,
                    rollup_timezone=timezone,
                    currency=currency,
                )
        except IntegrityError:
            continue
    raise Problem(status=503, code="unavailable", detail="No free short name was found; try again.")


def _slugs(base: str) -> list[str]:
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    free = [slug for slug in (base, *numbered) if slug not in taken]
    return [*free[:1], *(f"{base}-{secrets.token_hex(4)}" for _ in range(_SLUG_ATTEMPTS))]


def _plan(slug: str) -> Plan:
    plans = {plan.slug: plan for plan in Plan.objects.all()}
    if slug not in plans:
        detail = f"There is no plan {slug[:40]!r}; accepted: {', '.join(plans)}."
        raise invalid_field("/plan", "unknown_plan", detail)
    return plans[slug]


def _check_terms(name: str, timezone: str, currency: str) -> None:
    _check_name(name)
    _check("timezone", timezone, validate_zone)
    _check("currency", currency, validate_currency)


def _check_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= 120:
        raise invalid_field("/name", "invalid", "A name has 1 to 120 characters.")


def _check(field_name: str, value: str, validator: Callable[[str], None]) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise invalid_field(
            f"/{field_name}", error.code or "invalid", f"{error.messages[0].rstrip('.')}."
        ) from error
