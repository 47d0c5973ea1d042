"""`/exports`: asked for, listed, read, and their files."""

from typing import Any, ClassVar, Final
from uuid import UUID

from django.http import FileResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.paging import (
    CURSOR_PARAMS,
    encode_cursor,
    fingerprint,
    next_link,
    place,
    position,
    read_cursor_page,
)
from core.schema import CURSOR_PARAMETERS, parameter, problems
from organizations.http import TenantViewSet
from organizations.roles import Scope
from usage.answers import exports as export_answers
from usage.exports import access, services
from usage.exports.catalogue import datasets
from usage.exports.formats import FORMATS
from usage.exports.queries import ExportPage, export_of, page_of, visible
from usage.filters import EXPORT_FILTERS, filter_exports
from usage.models import Export, ExportState
from usage.serializers.exports import ExportInput, ExportOutput, ExportPageOutput

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


def _file(media_type: str) -> OpenApiResponse:
    if not media_type.startswith("text/"):
        return OpenApiResponse(OpenApiTypes.BINARY, "The file.")
    rows = "id,type,timestamp\r\ncall-1,processor.run,2026-07-15T12:34:56.789012Z\r\n"
    example = OpenApiExample("Some of the columns", value=rows, media_type=media_type)
    return OpenApiResponse(OpenApiTypes.STR, "The file.", examples=[example])


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
            "The scope usage:read is required for records and daily, billing:read for the others."
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
            window=access.window(self.caller, asked.get("from"), asked.get("to")),
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
        exports = filter_exports(self.params, visible(self.caller.organization_id, self._readable))
        filters = {name: self.params.text(name) for name in EXPORT_FILTERS}
        tied_to = fingerprint(
            {"exports": self.caller.organization_id, "of": self._readable, "order": page.order, **filters}
        )
        after = position(page.position(tied_to))
        found = page_of(exports, ExportPage(page.take + 1, page.descending, after))
        shown = found[: page.take]
        cursor = (
            encode_cursor(place(shown[-1].created_at, shown[-1].pk), tied_to)
            if len(found) > page.take
            else None
        )
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
        return Response(self._written(access.export_for(self.caller, export_id)))

    @extend_schema(
        operation_id="downloadExport",
        summary="Download an export's file",
        parameters=[ATTACHMENT],
        responses={
            **{(200, each.media_type): _file(each.media_type) for each in FORMATS.values()},
            **problems(404, 409, 410),
        },
    )
    def download(self, request: Request, export_id: UUID) -> FileResponse:
        """Answer the file."""
        return access.download(self.caller, access.export_for(self.caller, export_id))

    @property
    def _readable(self) -> tuple[str, ...]:
        return access.readable(self.caller)

    def _written(self, export: Export) -> dict[str, Any]:
        return export_answers.export(export, address=self._address(export))

    def _address(self, export: Export) -> str:
        return self.request.build_absolute_uri(reverse("export", args=[export.pk]))
