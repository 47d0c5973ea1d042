"""Calling keys by their names in what is said of them; their client ids stay in the scope."""

from collections.abc import Sequence
from dataclasses import replace

from alerts.events import Draft
from alerts.models import ScopeKind
from organizations.models import Credential


def with_names(drafts: Sequence[Draft]) -> list[Draft]:
    """Return drafts whose messages name the keys that they are about: one statement, if there are any.

    Tenancy: call in the system's scope; client ids are nobody else's.
    """
    about = {draft.scope.get("value") for draft in drafts if draft.scope.get("kind") == ScopeKind.CREDENTIAL}
    about.discard(None)
    if not about:
        return list(drafts)
    found = Credential.objects.filter(client_id__in=about).values_list("client_id", "name")
    names = {client_id: name for client_id, name in found if name}
    return [_named(draft, names.get(draft.scope.get("value", ""))) for draft in drafts]


def _named(draft: Draft, name: str | None) -> Draft:
    if name is None:
        return draft
    said = draft.message.replace(f"Key {draft.scope['value']}: ", f"Key {name}: ", 1)
    return replace(draft, message=said[:500])
