"""The stages of the ingest pipeline that this room provides."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from core.calls import ask
from organizations.models import Credential
from organizations.tenancy import tenant_scope
from usage.batch import Batch, Row, Unconfirmed
from usage.complete import Context, complete
from usage.dialects.errors import Fault, RecordError
from usage.pipeline import Stage, Then

_ENCODER: Final = msgspec.json.Encoder()
_STORE: Final = "SELECT known, receipt FROM usage_store($1::bigint, $2::json)"
_TAKE_IN: Final = (
    "usage_take_in($1::bigint, $2::json, $3::integer[], $4::timestamptz, $5::bytea, $6::text) AS taken"
)


class Complete(Stage):
    """Turns what was decoded into rows: defaults, units, limits; repetitions are dropped."""

    def prepare(self, batch: Batch) -> None:
        context = _context(batch)
        rows: dict[str, Row] = {}
        for index, record in batch.records:
            try:
                row = complete(record, context)
            except Fault as fault:
                batch.errors.append(RecordError.of(index, record.id, fault))
                continue
            if row.key in rows:
                batch.repeated += 1
            else:
                rows[row.key] = row
        # One order for all senders: see usage_store.
        batch.rows = [rows[key] for key in sorted(rows)]


class Store(Stage):
    """Keeps the rows that aren't known yet, and queues them for the totals."""

    def settle(self, batch: Batch, cursor: CursorWrapper) -> None:
        known, batch.receipt = ask(_STORE, *_rows(batch))
        batch.known = _keys(known)

    def settle_alone(self, batch: Batch, late: Sequence[int], thens: Sequence[Then]) -> None:
        """Do all of it in one round trip: see usage_take_in."""
        weeks = f"{{{','.join(map(str, late))}}}"
        sender = (f"\\x{batch.entry.key_hash.hex()}", batch.entry.answer) if batch.entry else (None, None)
        calls = (then.call("$1", "receipt", f"${place}") for place, then in enumerate(thens, 7))
        statement = f"SELECT {', '.join(['known', *calls])} FROM {_TAKE_IN}"
        given = (*_rows(batch), weeks, batch.received_at.isoformat(), *sender, *(then.note for then in thens))
        # Within a transaction of the caller's, a failure must leave that as it was, and its scope comes back.
        with tenant_scope(batch.caller.organization_id) if connection.in_atomic_block else nullcontext():
            known, *_ = ask(statement, *given)
        if known is None:
            raise Unconfirmed
        batch.known = _keys(known)


def _rows(batch: Batch) -> tuple[str, str]:
    return str(batch.caller.organization_id), _ENCODER.encode(batch.rows).decode()


def _keys(array: str | None) -> frozenset[str]:
    """Return the keys of an array of UUIDs as PostgreSQL writes it."""
    inner = (array or "")[1:-1]
    return frozenset(inner.replace("-", "").split(",")) if inner else frozenset()


def _context(batch: Batch) -> Context:
    caller = batch.caller
    credentials = {} if caller.credential_id is None else {caller.client_id or "": caller.credential_id}
    named = {
        record.client_id for _, record in batch.records if record.client_id is not None
    } - credentials.keys()
    if named:
        with tenant_scope(caller.organization_id):
            found = Credential.objects.filter(organization_id=caller.organization_id, client_id__in=named)
            credentials.update(found.values_list("client_id", "id"))
    return Context(
        caller.organization_id, caller.client_id, credentials, batch.received_at, batch.history_from
    )
