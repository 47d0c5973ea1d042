"""The credentials that others ask for, remembered by the process: a client id never changes its owner."""

from typing import Final

from core import keys
from core.problems import Problem, invalid_field
from organizations.models import Credential
from organizations.tenancy import tenant_scope

_REMEMBERED: Final = 8192
_known: dict[tuple[int, str], int] = {}


def credential_of(organization_id: int, client_id: str) -> int:
    """Return the organization's credential of that client id.

    Raises: `Problem` 422 when it has none such.
    """
    found = _known.get((organization_id, client_id))
    if found is None:
        found = _look_up(organization_id, client_id)
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[organization_id, client_id] = found
    return found


def forget() -> None:
    """Forget them all."""
    _known.clear()


def _look_up(organization_id: int, client_id: str) -> int:
    found = None
    if keys.is_client_id(client_id):
        with tenant_scope(organization_id):
            mine = Credential.objects.filter(organization_id=organization_id, client_id=client_id)
            found = mine.values_list("pk", flat=True).first()
    if found is None:
        raise unknown_client(client_id)
    return found


def unknown_client(client_id: str) -> Problem:
    """Return the problem of a client id that isn't the organization's."""
    detail = f"There is no credential {client_id[:40]!r} in this organization."
    return invalid_field("/clientId", "unknown_client", detail)
