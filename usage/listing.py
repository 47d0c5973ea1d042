"""Records as they are listed and read: filters, cursor pages, one by its id."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.moments import format_moment
from core.paging import encode_cursor, fingerprint, place, position, read_cursor_page
from core.params import Params
from core.periods import Period
from core.problems import not_found
from organizations.door import CHOICE_PARAM
from organizations.models import Credential
from organizations.tenancy import Caller
from usage import answers, reading
from usage.links import LINKS
from usage.queries.records import RecordQuery, StoredRecord, find_record, find_records
from usage.schema import DIMENSIONS, MISSING


def record_page(
    params: Params, given: Mapping[str, str], caller: Caller, now: datetime
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of records as they are answered, and the cursor of the next page if there is one.

    ``given`` are the parameters as they came, which the cursor is tied to.
    Raises: `Problem` 400 or 404 naming a parameter.
    Tenancy: call in the tenant's scope.
    """
    page = read_cursor_page(params)
    since = reading.history_of(caller, now)
    window = reading.window_of(params, reading.all_history(since, now), since)
    others = {name: value for name, value in given.items() if name != CHOICE_PARAM}
    tied_to = fingerprint({**others, "cursor": "", "take": "", "of": caller.organization})
    query = _record_query(params, window, page.take + 1, page.descending)
    found = find_records(replace(query, after=position(page.position(tied_to))))
    shown = found[: page.take]
    cursor = encode_cursor(place(*shown[-1].position), tied_to) if len(found) > page.take else None
    return _written_records(shown, caller), cursor


def one_record(record_id: str, caller: Caller, now: datetime) -> dict[str, Any]:
    """Return a record as it is answered.

    Raises: `Problem` 404.
    Tenancy: call in the tenant's scope.
    """
    found = find_record(caller.organization_id, record_id)
    if found is None or found.occurred_at < reading.history_of(caller, now):
        raise not_found(f"There is no record {record_id[:255]!r} in this organization's history.")
    return _written_records([found], caller)[0]


def _record_query(params: Params, window: Period, take: int, descending: bool) -> RecordQuery:
    terms = [f"{name}:{value}" for name in DIMENSIONS if (value := params.text(name)) is not None]
    credential_id = reading.credential_of(params)
    if credential_id is not None:
        terms.append(f"credential:{credential_id}")
    if status := params.choice("status", ("success", "error"), ""):
        terms.append(f"status:{status}")
    if status_code := reading.status_code_of(params):
        terms.append(f"status_code:{status_code}")
    if error_type := params.text("errorType"):
        terms.append(f"error_type:{error_type}")
    if (created_at := params.moment("createdAt")) is not None:
        terms.append(f"created_at:{format_moment(created_at)}")
    terms += [f"missing:{MISSING[name]}" for name in params.choices("missing", MISSING)]
    links = {name: value for name in LINKS if (value := params.text(name)) is not None}
    return RecordQuery(
        window.start, window.end, take, descending, terms=tuple(terms), links=links, meta=params.deep("meta")
    )


def _written_records(records: list[StoredRecord], caller: Caller) -> list[dict[str, Any]]:
    credentials = {record.credential_id for record in records}
    client_ids = dict(Credential.objects.filter(id__in=credentials).values_list("id", "client_id"))
    return [answers.record(record, client_ids=client_ids, currency=caller.currency) for record in records]
