"""The stages of the ingest pipeline that this room provides."""

from typing import Final

import msgspec
from django.db.backends.utils import CursorWrapper

from core.cursors import server_bound_cursor
from organizations.models import Credential
from organizations.tenancy import tenant_scope
from usage.batch import Batch, Row
from usage.complete import Context, complete
from usage.dialects.errors import Fault, RecordError
from usage.pipeline import Stage

_ENCODER: Final = msgspec.json.Encoder()
_STORE: Final = "SELECT usage_store(%s::bigint, %s::json)"


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
        with server_bound_cursor() as bound:
            bound.execute(_STORE, [batch.caller.organization_id, _ENCODER.encode(batch.rows).decode()])
            row = bound.fetchone()
        batch.known = frozenset(key.hex for key in row[0]) if row else frozenset()


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
