"""`/exports`: asked for, listed, read, and their files."""

from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from django.http import FileResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.moments import format_moment, parse_moment
from core.paging import CURSOR_PARAMS, encode_cursor, fingerprint, invalid_cursor, next_link, read_cursor_page
from core.periods import Period
from core.problems import Problem, invalid_field
from core.schema import CURSOR_PARAMETERS, parameter, problems
from organizations.http import TenantViewSet
from organizations.roles import Scope
from usage import reading
from usage.answers import exports as export_answers
from usage.exports import files, services
from usage.exports.catalogue import datasets
from usage.exports.formats import FORMATS
from usage.exports.queries import ExportPage, Position, export_of, page_of, visible
from usage.filters import EXPORT_FILTERS, filter_exports
from usage.models import Export, ExportState
from usage.serializers.exports import ExportInput, ExportOutput, ExportPageOutput

RETRY_SECONDS: Final = 5
BLOCK_BYTES: Final = 256 * 1024
"""How much of a file is read at once."""


LOCATION: Final = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    description="Where the export can be followed.",
    response=[202],
)
ATTACHMENT: Final = OpenApiParameter(
    "Content-Disposition",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The name of the file.",
    response=[200],
)


class Download(FileResponse):
    """A file as an attachment, read in large pieces."""

    block_size = BLOCK_BYTES


class ExportViewSet(TenantViewSet):
    """The organization's exports: those of datasets that the caller may read."""

    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": (*EXPORT_FILTERS, *CURSOR_PARAMS)}

    def authorize(self) -> None:
        """Let everybody pass who may read a dataset; which one, the handlers ask.

        Raises: `Problem` 403.
        """
        if not self._readable:
            self.caller.require(Scope.USAGE_READ)

    @extend_schema(
        operation_id="requestExport",
        summary="Ask for an export",
        description=(
            "A file of records, of their sums by day, or of costs by day, made in the background. "
            "The window is cut off where the plan's history begins. "
            "The scope billing:read is required for costs, usage:read for the others."
        ),
        request=ExportInput,
        parameters=[LOCATION],
        responses={202: ExportOutput, **problems(415, 422, 429)},
    )
    def create(self, request: Request) -> Response:
        """Note the export and answer where it can be followed."""
        body = ExportInput(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        self.caller.require(datasets()[asked["dataset"]].scope)
        export = services.request_export(
            caller=self.caller,
            dataset=asked["dataset"],
            format_=asked["format"],
            window=self._window(asked.get("from"), asked.get("to")),
        )
        written = self._written(export_of(self.caller.organization_id, export.pk))
        return Response(written, status=202, headers={"Location": self._address(export)})

    @extend_schema(
        operation_id="listExports",
        summary="List exports",
        description="Newest first; filters can be combined.",
        parameters=[
            parameter("state", "Only exports in this state.", enum=ExportState.values),
            parameter("dataset", "Only exports of this dataset.", enum=list(datasets())),
            parameter("format", "Only exports in this format.", enum=list(FORMATS)),
            *CURSOR_PARAMETERS,
        ],
        responses={200: ExportPageOutput, **problems()},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of exports."""
        page = read_cursor_page(self.params)
        filters = {name: self.params.text(name) for name in EXPORT_FILTERS}
        tied_to = fingerprint(
            {"exports": self.caller.organization_id, "of": self._readable, "order": page.order, **filters}
        )
        exports = filter_exports(self.params, visible(self.caller.organization_id, self._readable))
        after = _position(page.position(tied_to))
        found = page_of(exports, ExportPage(page.take + 1, page.descending, after))
        shown = found[: page.take]
        cursor = encode_cursor(_place(shown[-1]), tied_to) if len(found) > page.take else None
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        items = [self._written(export) for export in shown]
        return Response({"items": items, "cursor": cursor}, headers=headers)

    @extend_schema(
        operation_id="getExport",
        summary="Read an export",
        description="How far it has come and, once it is done, what its file adds up to.",
        responses={200: ExportOutput, **problems(404)},
    )
    def retrieve(self, request: Request, export_id: UUID) -> Response:
        """Answer one export."""
        return Response(self._written(self._export(export_id)))

    @extend_schema(
        operation_id="downloadExport",
        summary="Download an export's file",
        parameters=[ATTACHMENT],
        responses={
            **{(200, each.media_type): OpenApiTypes.BINARY for each in FORMATS.values()},
            **problems(404, 409, 410),
        },
    )
    def download(self, request: Request, export_id: UUID) -> FileResponse:
        """Answer the file."""
        export = self._export(export_id)
        if export.state != ExportState.DONE or export.expires_at is None:
            raise _not_there(export)
        if export.expires_at <= clock.now():
            raise _expired()
        try:
            file = files.storage().open(export.file)
        except FileNotFoundError as error:
            raise _expired() from error
        return Download(
            file,
            as_attachment=True,
            filename=export_answers.file_name(export, self.caller.organization),
            content_type=FORMATS[export.format].media_type,
        )

    @property
    def _readable(self) -> tuple[str, ...]:
        scopes = self.caller.scopes
        return tuple(name for name, dataset in datasets().items() if dataset.scope in scopes)

    def _window(self, start: datetime | None, end: datetime | None) -> Period:
        now = clock.now()
        since = reading.history_of(self.caller, now)
        everything = reading.all_history(since, now)
        first, last = start or everything.start, end or everything.end
        if last <= first:
            raise invalid_field(
                "/to" if end else "/from", "invalid_window", "The window must end after it starts."
            )
        return Period(max(first, since), max(last, since))

    def _export(self, export_id: UUID) -> Export:
        export = export_of(self.caller.organization_id, export_id)
        dataset = datasets().get(export.dataset)
        self.caller.require(dataset.scope if dataset else Scope.BILLING_READ)
        return export

    def _written(self, export: Export) -> dict[str, Any]:
        return export_answers.export(export, address=self._address(export))

    def _address(self, export: Export) -> str:
        return self.request.build_absolute_uri(reverse("export", args=[export.pk]))


def _place(export: Export) -> list[str]:
    return [format_moment(export.created_at), export.pk.hex]


def _position(position: list[Any] | None) -> Position | None:
    if position is None:
        return None
    try:
        moment, key = position
        return parse_moment(moment), UUID(hex=key)
    except (TypeError, ValueError) as error:
        raise invalid_cursor() from error


def _not_there(export: Export) -> Problem:
    if export.state == ExportState.EXPIRED:
        return _expired()
    if export.state == ExportState.FAILED:
        return Problem(status=409, code="export_failed", detail=f"The export failed. {export.error}")
    return Problem(
        status=409,
        code="export_not_ready",
        detail=f"The export is {export.state}: its file is there when its state is done.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _expired() -> Problem:
    detail = f"The file was kept for {services.KEPT.days} days and is gone: ask for the export again."
    return Problem(status=410, code="export_expired", detail=detail)
