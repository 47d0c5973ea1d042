"""`/alerts/reports`: the figures of each week or month, sent to members and channels."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerts import answers as deliveries
from alerts.models import Report
from alerts.reports import queries, services
from alerts.reports.answers import report as written
from alerts.reports.serializers import (
    ReportChange,
    ReportInput,
    ReportOutput,
    ReportPageOutput,
    ReportTestInput,
)
from alerts.serializers import DeliveryOutput
from core import clock
from core.paging import OFFSET_PARAMS, read_offset_page
from core.schema import OFFSET_PARAMETERS, problems
from organizations.http import TenantViewSet
from organizations.roles import Scope


class ReportViewSet(TenantViewSet):
    """The organization's reports; who gets which is for those who set them up."""

    required_scopes: ClassVar[dict[str, str]] = dict.fromkeys(
        ("GET", "POST", "PATCH", "DELETE"), Scope.ALERTS_WRITE
    )
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": OFFSET_PARAMS}

    @extend_schema(
        operation_id="listReports",
        summary="List reports",
        description="Newest first, with who gets them and when the next is due.",
        parameters=OFFSET_PARAMETERS,
        responses={200: ReportPageOutput, **problems()},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of reports."""
        page = read_offset_page(self.params)
        found, total = queries.reports(self.caller.organization_id, limit=page.limit, offset=page.offset)
        return Response(
            {"items": [self._written(one) for one in found], "pagination": page.pagination(total)}
        )

    @extend_schema(
        operation_id="createReport",
        summary="Create a report",
        description=(
            "The first one sent is of the week or month that is under way. Whoever gets it can unsubscribe, "
            "and stays unsubscribed for as long as they are among its recipients."
        ),
        request=ReportInput,
        responses={201: ReportOutput, **problems(409, 415, 422)},
    )
    def create(self, request: Request) -> Response:
        """Make a report and answer it."""
        body = ReportInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.create_report(
            organization_id=self.caller.organization_id,
            created_by_id=self.caller.user_id,
            **body.validated_data,
        )
        location = request.build_absolute_uri(reverse("alert-report", args=[made.pk]))
        return Response(self._written(made), status=201, headers={"Location": location})

    @extend_schema(
        operation_id="getReport", summary="Read a report", responses={200: ReportOutput, **problems(404)}
    )
    def retrieve(self, request: Request, report_id: UUID) -> Response:
        """Answer one report."""
        return Response(self._written(queries.report(self.caller.organization_id, report_id)))

    @extend_schema(
        operation_id="changeReport",
        summary="Change a report",
        description="What is given of it; members and channels replace those there are.",
        request=ReportChange,
        responses={200: ReportOutput, **problems(404, 415, 422)},
    )
    def partial_update(self, request: Request, report_id: UUID) -> Response:
        """Change one report and answer it."""
        body = ReportChange(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.change_report(
            organization_id=self.caller.organization_id, report_id=report_id, **body.validated_data
        )
        return Response(self._written(changed))

    @extend_schema(
        operation_id="deleteReport",
        summary="Delete a report",
        description="What is pending of it is cancelled; the log of its deliveries stays.",
        responses={204: None, **problems(404)},
    )
    def destroy(self, request: Request, report_id: UUID) -> Response:
        """End one report."""
        services.delete_report(organization_id=self.caller.organization_id, report_id=report_id)
        return Response(status=204)

    @extend_schema(
        operation_id="testReport",
        summary="Send a report by hand",
        description=(
            "Sends the last one that was due, with the figures as they are known now: to the channel that is "
            "named, else to the member who asks. It is attempted once."
        ),
        request=ReportTestInput,
        responses={202: DeliveryOutput, **problems(404, 409, 415, 422)},
    )
    def test(self, request: Request, report_id: UUID) -> Response:
        """Send one report by hand and answer its delivery."""
        body = ReportTestInput(data=request.data)
        body.is_valid(raise_exception=True)
        asked = services.request_test(
            organization_id=self.caller.organization_id,
            report_id=report_id,
            user_id=self.caller.user_id,
            channel_id=body.validated_data.get("channel"),
        )
        location = request.build_absolute_uri(reverse("alert-delivery", args=[asked.pk]))
        return Response(deliveries.delivery(asked), status=202, headers={"Location": location})

    def _written(self, found: Report) -> dict[str, Any]:
        return written(found, self.caller.timezone, clock.now())
