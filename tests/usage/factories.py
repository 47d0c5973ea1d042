"""Tenants with their keys, and the records they send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.test import Client

from organizations.models import Organization, User
from organizations.services import create_credential, create_organization
from organizations.tenancy import Caller, system_scope

NOW: Final = datetime(2026, 7, 15, 12, 34, 56, 789012, tzinfo=UTC)
"""When it is, in tests that stop the clock: a Wednesday in the middle of a month."""

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: JSON as it reads, anything else as bytes."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The faults that the answer lists."""
        found: list[dict[str, Any]] = self.body["errors"]
        return found

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a page."""
        found: list[dict[str, Any]] = self.body["items"]
        return found

    @property
    def ids(self) -> list[str]:
        """The ids of a page's records."""
        return [item["id"] for item in self.items]


class Api:
    """A client of the API with the key of one credential."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._client = Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=True)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Make one request below the base path; bytes are sent as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = self._client.generic(
            method,
            f"/api/v1{path}",
            data,
            content_type=content_type,
            # The client forgets the type of a body that is empty.
            CONTENT_TYPE=content_type,
            headers=dict(headers or {}),
            query_params=dict(query) if query else None,
        )
        if response.streaming:
            return Answer(response.status_code, b"".join(response), response.headers)
        return Answer(response.status_code, _read(response), response.headers)

    def get(self, path: str, **query: Any) -> Answer:
        """Ask; a parameter that is a keyword of Python is written with an underscore after it."""
        return self.call("GET", path, query={name.rstrip("_"): value for name, value in query.items()})

    def send(self, records: Any, *, content_type: str = JSON, **headers: str) -> Answer:
        """Post records."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", "/records", records, content_type=content_type, headers=named)

    def keep(self, *records: Mapping[str, Any]) -> None:
        """Post records that are all to be accepted."""
        answer = self.send(list(records))
        assert (answer.status, answer.body["accepted"]) == (200, len(records)), answer.body


def _read(response: Any) -> Any:
    if not response.content:
        return None
    is_json = "json" in response["Content-Type"]
    return json.loads(response.content) if is_json else response.content


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization, its first credential, and a client with that credential's key."""

    organization: Organization
    client_id: str
    credential_id: int
    api: Api = field(repr=False)

    @property
    def id(self) -> int:
        """The organization's primary key."""
        return self.organization.pk

    def another_credential(self, name: str = "Another", scopes: Sequence[str] = ()) -> Tenant:
        """Return the same organization through a new credential."""
        issued = create_credential(
            organization_id=self.id, name=name, scopes=scopes or ("usage:write", "usage:read")
        )
        credential = issued.credential
        return Tenant(self.organization, credential.client_id, credential.pk, Api(issued.key))

    def caller(self, **changes: Any) -> Caller:
        """Return the caller that the tenant's key stands for."""
        from dataclasses import replace

        from organizations.door import caller_from_key

        return replace(caller_from_key(f"Bearer {self.api.key}"), **changes)


def make_tenant(
    name: str, *, plan: str = "enterprise", timezone: str = "UTC", currency: str = "USD"
) -> Tenant:
    """Make an organization with an owner of its own."""
    email = f"owner@{name.lower().replace(' ', '-')}.example"
    with system_scope():
        # An account there is already needs no password, which would take long to hash.
        User.objects.get_or_create(email=email, defaults={"password": "!"})
    made = create_organization(name=name, plan=plan, owner_email=email, timezone=timezone, currency=currency)
    credential = made.issued.credential
    return Tenant(made.organization, credential.client_id, credential.pk, Api(made.issued.key))


def record(record_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a small record of the plain dialect."""
    named = {} if record_id is None else {"id": record_id}
    return {**named, "type": "conversation.completion", **fields}


def at(moment: datetime) -> str:
    """Write a moment as a client does."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
