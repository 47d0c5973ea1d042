"""Whether people have a second factor, beside their password or single sign-on."""

from core.problems import Problem, forbidden
from organizations.models import Membership

CODE = "second_factor_required"


def has_second_factor(user_id: int) -> bool:
    """Tell whether a person has set up a code generator, a security key or a passkey."""
    from allauth.mfa.models import Authenticator

    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user_id=user_id, type__in=kinds).exists())


def check_second_factor(membership: Membership) -> None:
    """Go on only with a second factor where the organization requires one.

    Raises: `Problem` 403.
    """
    if membership.organization.require_second_factor and not has_second_factor(membership.user_id):
        raise _missing(membership.organization.name)


def _missing(name: str) -> Problem:
    return forbidden(
        f"{name} requires a second factor of its members: set one up in your account.", code=CODE
    )
