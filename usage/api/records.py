"""`/records`: taken in, listed and read."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.moments import format_moment
from core.paging import CURSOR_PARAMS, next_link
from core.schema import problems
from organizations.http import TenantViewSet
from organizations.roles import Scope
from usage.listing import one_record, record_page
from usage.reading import history_of
from usage.receive import receive
from usage.schema import CREATE_RECORDS, RECORD_FILTERS, RECORD_PARAMETERS, REQUESTS
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
        now = clock.now()
        items, cursor = record_page(self.params, request.query_params.dict(), self.caller, now)
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        since = format_moment(history_of(self.caller, now))
        return Response({"items": items, "cursor": cursor, "historyFrom": since}, headers=headers)

    @extend_schema(
        operation_id=CREATE_RECORDS,
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
        return Response(one_record(record_id, self.caller, clock.now()))
