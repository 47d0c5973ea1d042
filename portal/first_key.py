"""The way to the first record: a key, and the command that sends one with it."""

from __future__ import annotations

import json
from typing import Final

from django.http import HttpRequest

from organizations.roles import Scope, grantable
from organizations.services import create_credential
from organizations.tenancy import Caller

NAME: Final = "Getting started"
PLACEHOLDER: Final = "$HEADROOM_KEY"
RECORDS_PATH: Final = "/api/v1/records"
_WANTED: Final = frozenset({Scope.USAGE_WRITE.value, Scope.USAGE_READ.value})
_RECORD: Final = {
    "type": "conversation.completion",
    "model": "gpt-4o",
    "tokens": {"prompt": 1200, "completion": 300},
}


def may_make_key(caller: Caller) -> bool:
    """Tell whether the member may make a key that sends records."""
    return Scope.KEYS_WRITE in caller.scopes and bool(_scopes(caller))


def make_key(caller: Caller) -> str:
    """Make a key that sends and reads records, and return it, the only time it is shown.

    Raises: `Problem` 403 when the member may not.
    """
    caller.require(Scope.KEYS_WRITE)
    issued = create_credential(
        organization_id=caller.organization_id,
        name=NAME,
        scopes=_scopes(caller),
        created_by_id=caller.user_id,
        grantable=grantable(caller.role, caller.scopes),
    )
    return issued.key


def command(request: HttpRequest, key: str | None) -> str:
    """Return the command that sends a first record to this server, to be pasted into a shell."""
    # A shell fills the placeholder in, which it does not within single quotes.
    authorization = f"'Authorization: Bearer {key}'" if key else f'"Authorization: Bearer {PLACEHOLDER}"'
    return (
        f"curl -sS {request.build_absolute_uri(RECORDS_PATH)} \\\n"
        f"  -H {authorization} \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(_RECORD)}'"
    )


def _scopes(caller: Caller) -> list[str]:
    return sorted(_WANTED & grantable(caller.role, caller.scopes))
