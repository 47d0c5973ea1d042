"""`/records`: taken in, listed and read."""

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.moments import format_moment, parse_moment
from core.paging import CURSOR_PARAMS, encode_cursor, fingerprint, invalid_cursor, next_link, read_cursor_page
from core.params import Params
from core.periods import Period
from core.problems import not_found
from core.schema import problems
from organizations.http import TenantViewSet
from organizations.models import Credential
from organizations.roles import Scope
from organizations.tenancy import Caller
from usage import answers, reading
from usage.links import LINKS
from usage.queries.records import RecordQuery, StoredRecord, find_record, find_records
from usage.receive import receive
from usage.schema import (
    DIMENSIONS,
    RECORD_FILTERS,
    RECORD_PARAMETERS,
    REQUESTS,
)
from usage.serializers import (
    OutcomeSerializer,
    RecordPageSerializer,
    RecordSerializer,
    RefusedSerializer,
)


@method_decorator(csrf_exempt, name="dispatch")
class RecordViewSet(TenantViewSet):
    """Usage records: taken in, listed, read; never changed."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ, "POST": Scope.USAGE_WRITE}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {
        "list": (*RECORD_FILTERS, "from", "to", *CURSOR_PARAMS)
    }
    deep_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": ("meta",)}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Hand the write path to its plain view, and answer the rest."""
        if request.method == "POST" and not kwargs:
            return receive(request)
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        operation_id="listRecords",
        summary="List records",
        description="Every single record, newest first; filters can be combined.",
        parameters=RECORD_PARAMETERS,
        responses={200: RecordPageSerializer, **problems(404)},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of records."""
        page = read_cursor_page(self.params)
        now = clock.now()
        since = reading.history_of(self.caller, now)
        window = reading.window_of(self.params, reading.all_history(since, now), since)
        tied_to = fingerprint(
            {**request.query_params.dict(), "cursor": "", "take": "", "of": self.caller.organization}
        )
        query = _record_query(self.params, window, page.take + 1, page.descending)
        found = find_records(replace(query, after=_position(page.position(tied_to))))
        shown = found[: page.take]
        cursor = encode_cursor(_written(shown[-1]), tied_to) if len(found) > page.take else None
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        return Response({"items": _written_records(shown, self.caller), "cursor": cursor}, headers=headers)

    @extend_schema(
        operation_id="createRecords",
        summary="Send records",
        description=(
            "One record, an array, one a line, or CloudEvents; gzip is read. "
            "Good records are kept although others of the same request are refused. "
            "Once answered, what was accepted is stored, unique and in every total."
        ),
        request=REQUESTS,
        responses={
            200: OutcomeSerializer,
            (422, "application/problem+json"): RefusedSerializer,
            **problems(413, 415, 503),
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """Take records in; requests reach `receive` before this."""
        return receive(request._request)  # noqa: SLF001 the plain view takes the plain request

    @extend_schema(
        operation_id="getRecord",
        summary="Read a record",
        responses={200: RecordSerializer, **problems(404)},
    )
    def retrieve(self, request: Request, record_id: str) -> Response:
        """Answer one record."""
        found = find_record(self.caller.organization_id, record_id)
        if found is None or found.occurred_at < reading.history_of(self.caller, clock.now()):
            raise not_found(f"There is no record {record_id[:255]!r} in this organization's history.")
        return Response(_written_records([found], self.caller)[0])


def _record_query(params: Params, window: Period, take: int, descending: bool) -> RecordQuery:
    terms = [f"{name}:{value}" for name in DIMENSIONS if (value := params.text(name)) is not None]
    credential_id = reading.credential_of(params)
    if credential_id is not None:
        terms.append(f"credential:{credential_id}")
    if status := params.choice("status", ("success", "error"), ""):
        terms.append(f"status:{status}")
    links = {name: value for name in LINKS if (value := params.text(name)) is not None}
    return RecordQuery(
        window.start, window.end, take, descending, terms=tuple(terms), links=links, meta=params.deep("meta")
    )


def _written(record: StoredRecord) -> list[str]:
    moment, key = record.position
    return [format_moment(moment), key.hex]


def _position(position: list[Any] | None) -> tuple[datetime, UUID] | None:
    if position is None:
        return None
    try:
        moment, key = position
        return parse_moment(moment), UUID(hex=key)
    except (TypeError, ValueError) as error:
        raise invalid_cursor() from error


def _written_records(records: list[StoredRecord], caller: Caller) -> list[dict[str, Any]]:
    credentials = {record.credential_id for record in records}
    client_ids = dict(Credential.objects.filter(id__in=credentials).values_list("id", "client_id"))
    return [answers.record(record, client_ids=client_ids, currency=caller.currency) for record in records]
