"""Making, rotating and revoking credentials."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core import clock, keys
from core.problems import conflict, forbidden, invalid_field
from organizations.models import Credential
from organizations.queries import locked_credential
from organizations.roles import ALL_SCOPES, unknown_scopes
from organizations.tenancy import tenant_scope


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """A credential with its secret, which exists here and nowhere else."""

    credential: Credential
    key: str = field(repr=False)


def create_credential(
    *,
    organization_id: int,
    name: str,
    scopes: Iterable[str],
    environment: str = "production",
    created_by_id: int | None = None,
    grantable: frozenset[str] = frozenset(ALL_SCOPES),
) -> IssuedCredential:
    """Make a credential and return it with its secret, the only time it is shown.

    Raises: `Problem` 422 for a scope that does not exist or none at all, 403 for one beyond ``grantable``.
    """
    wanted = _checked_scopes(scopes)
    _check_grantable(wanted, grantable)
    key = keys.generate()
    with tenant_scope(organization_id):
        credential = Credential.objects.create(
            organization_id=organization_id,
            client_id=keys.generate_client_id(),
            name=name,
            environment=environment,
            scopes=wanted,
            key_hash=keys.hash_key(key),
            key_hint=keys.hint(key),
            created_by_id=created_by_id,
        )
    return IssuedCredential(credential, key)


def rotate_credential(
    *,
    organization_id: int,
    client_id: str,
    owned_by_id: int | None = None,
    grantable: frozenset[str] = frozenset(ALL_SCOPES),
) -> IssuedCredential:
    """Give the credential a new secret; the old one stops working at once.

    With ``owned_by_id``, only that user's credentials exist.
    Raises: `Problem` 404 for none such, 409 for a revoked one, 403 when it may more than ``grantable``.
    Concurrency: rotations take turns; the last one's secret is the one that works.
    """
    key = keys.generate()
    with tenant_scope(organization_id):
        credential = locked_credential(organization_id, client_id, owned_by_id=owned_by_id)
        _check_grantable(credential.scopes, grantable)
        if credential.revoked_at is not None:
            raise conflict(
                "A revoked credential can't be rotated; make a new one.", code="credential_revoked"
            )
        credential.key_hash = keys.hash_key(key)
        credential.key_hint = keys.hint(key)
        credential.rotated_at = clock.now()
        credential.save(update_fields=["key_hash", "key_hint", "rotated_at"])
    return IssuedCredential(credential, key)


def revoke_credential(*, organization_id: int, client_id: str, owned_by_id: int | None = None) -> Credential:
    """End the credential for good; once revoked it stays so, with the first moment kept.

    With ``owned_by_id``, only that user's credentials exist.
    Raises: `Problem` 404.
    """
    with tenant_scope(organization_id):
        credential = locked_credential(organization_id, client_id, owned_by_id=owned_by_id)
        if credential.revoked_at is None:
            credential.revoked_at = clock.now()
            credential.save(update_fields=["revoked_at"])
    return credential


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(scopes))
    accepted = ", ".join(ALL_SCOPES)
    unknown = unknown_scopes(wanted)
    if unknown:
        raise invalid_field(
            "/scopes", "unknown_scope", f"There is no scope {unknown[0]!r}; accepted: {accepted}."
        )
    if not wanted:
        raise invalid_field("/scopes", "required", f"A key needs at least one scope of: {accepted}.")
    return wanted


def _check_grantable(scopes: Iterable[str], grantable: frozenset[str]) -> None:
    beyond = [scope for scope in scopes if scope not in grantable]
    if beyond:
        raise forbidden(
            f"You can't hand out more than you may yourself: {', '.join(beyond)}.", code="scope_required"
        )
