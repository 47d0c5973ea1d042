"""An organization in New York, its keys, and what they used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import time_machine
from django.db import transaction
from django.test import override_settings

from organizations.services import change_plan, create_credential, revoke_credential
from tests.usage.factories import Api, Tenant, make_tenant
from tests.usage.model import NANOS
from tests.usage.queries.dataset import NOW, RECORDS, records
from tests.usage.queries.oracle import Use
from usage.adjustments import Adjustment, adjust
from usage.complete import record_key
from usage.rollups.fold import fold_pending

HOME: Final = "America/New_York"
BATCH: Final = 500
FOLDED_AFTER: Final = (4, 8)
"""After how many batches what is pending is folded: those that come later are late, the last ones pending."""
ADJUSTED: Final = (2, 5, 9)
"""The batches of which some records are given a cost as soon as they are stored; of the first, at the end."""
HISTORY_DAYS: Final = 3660
"""Ten years: what a plan without a limit shows."""

USED: Final = 4
"""How many of the keys, the first ones, have any use."""
REVOKED: Final = (3, 4)
_MADE: Final = (
    ("Delta", 200), ("Bravo", 100), ("Charlie", 60), ("Bravo", 50), ("Alpha", 40), ("Bravo", 3),
)  # fmt: skip
"""The other keys in order of their making: their names, and how many days ago."""

SPANS: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
    "all": timedelta(days=451),
}


@dataclass(frozen=True, slots=True)
class Key:
    """A credential as the tests know it."""

    client_id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class World:
    """The organization, a key to ask with, the credentials in order of their making, and the records."""

    tenant: Tenant
    keys: tuple[Key, ...]
    uses: tuple[Use, ...]
    history_from: datetime

    @property
    def api(self) -> Api:
        """A client with a key that may ask."""
        return self.tenant.api

    def ask(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the answer to a question that has one."""
        answer = self.api.call("GET", path, query=query)
        assert answer.status == 200, (path, query, answer.body)
        return answer.body

    @contextmanager
    def on_plan(self, plan: str) -> Iterator[World]:
        """Ask on another plan for a while, with a key of which none of its requests a minute are used."""
        with transaction.atomic():
            change_plan(organization_id=self.tenant.id, plan=plan)
            yield replace(self, tenant=self.tenant.another_credential("On another plan"))
            transaction.set_rollback(True)


def make_world() -> World:
    """Make the organization, its keys at different times, and its records, some of them not folded."""
    with _days_ago(400):
        tenant = make_tenant("Oracle", timezone=HOME)
    keys = [Key(tenant.client_id, "First key", _ago(400)), *(_key(tenant, *made) for made in _MADE)]
    sent = records([key.client_id for key in keys[:USED]])
    sent = _send(tenant, sent)
    for place in REVOKED:
        keys[place] = _revoked(tenant, keys[place])
    tz = ZoneInfo(HOME)
    first_day = NOW.astimezone(tz).date() - timedelta(days=HISTORY_DAYS)
    history_from = datetime.combine(first_day, time.min, tz).astimezone(UTC)
    return World(tenant, tuple(keys), tuple(map(Use.of, sent)), history_from)


def _send(tenant: Tenant, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send the records, give some a cost afterwards, and return all with what they cost in the end."""
    stored: list[dict[str, Any]] = []
    # Unpriced records are to stay so, whatever other stages may know.
    with override_settings(USAGE_PIPELINE=["usage.stages.Complete", "usage.stages.Store"]):
        for number in range(RECORDS // BATCH):
            batch = sent[number * BATCH : (number + 1) * BATCH]
            tenant.api.keep(*batch)
            # What was folded and what is pending: each is adjusted before the one and after the other.
            stored += _adjusted(tenant, batch) if number in ADJUSTED else batch
            if number + 1 in FOLDED_AFTER:
                assert fold_pending() > 0
    return _adjusted(tenant, stored[:BATCH]) + stored[BATCH:]


def _adjusted(tenant: Tenant, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give half of the records without a cost one, and return all as they are then."""
    unpriced = [each for each in batch if "cost" not in each][::2]
    costs = {each["id"]: 10 ** (place % 12) for place, each in enumerate(unpriced)}
    adjusted = adjust(
        tenant.id,
        [
            Adjustment(
                UUID(hex=record_key(tenant.id, each["id"])),
                datetime.fromisoformat(each["timestamp"]),
                costs[each["id"]],
            )
            for each in unpriced
        ],
    )
    assert len(adjusted) == len(unpriced) > 0
    return [
        {**each, "cost": f"{Decimal(costs[each['id']]) / NANOS:.9f}", "adjusted": True}
        if each["id"] in costs
        else each
        for each in batch
    ]


def _key(tenant: Tenant, name: str, days: int) -> Key:
    with _days_ago(days):
        issued = create_credential(organization_id=tenant.id, name=name, scopes=["usage:write"])
    return Key(issued.credential.client_id, name, _ago(days))


def _revoked(tenant: Tenant, key: Key) -> Key:
    with _days_ago(1):
        revoke_credential(organization_id=tenant.id, client_id=key.client_id)
    return replace(key, revoked_at=_ago(1))


def _ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def _days_ago(days: int) -> time_machine.travel:
    return time_machine.travel(_ago(days), tick=False)
