"""`/alerts/channels`: where the organization is told."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerts import answers
from alerts.channels import queries, services
from alerts.serializers import (
    ChannelChange,
    ChannelInput,
    ChannelOutput,
    ChannelPageOutput,
    DeliveryOutput,
    IssuedChannelOutput,
)
from core import clock
from core.paging import OFFSET_PARAMS, read_offset_page
from core.schema import OFFSET_PARAMETERS, problems
from organizations.http import TenantViewSet
from organizations.roles import Scope


class ChannelViewSet(TenantViewSet):
    """The organization's channels."""

    required_scopes: ClassVar[dict[str, str]] = {
        "GET": Scope.USAGE_READ,
        **dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ALERTS_WRITE),
    }
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": OFFSET_PARAMS}

    @extend_schema(
        operation_id="listAlertChannels",
        summary="List channels",
        description="Where the organization is told, newest first.",
        parameters=OFFSET_PARAMETERS,
        responses={200: ChannelPageOutput, **problems()},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of channels."""
        page = read_offset_page(self.params)
        query = queries.ChannelQuery(clock.now(), limit=page.limit, offset=page.offset)
        found, total = queries.channels(self.caller.organization_id, query)
        items = ChannelOutput(found, many=True).data
        return Response({"items": items, "pagination": page.pagination(total)})

    @extend_schema(
        operation_id="createAlertChannel",
        summary="Create a channel",
        description=(
            "A webhook's secret is in this answer and can't be had again. An e-mail address that is no "
            "member's is sent a link, and nothing else until its owner has confirmed there."
        ),
        request=ChannelInput,
        responses={201: IssuedChannelOutput, **problems(409, 415, 422)},
    )
    def create(self, request: Request) -> Response:
        """Make a channel and answer it with its secret."""
        body = ChannelInput(data=request.data)
        body.is_valid(raise_exception=True)
        issued = services.create_channel(
            organization_id=self.caller.organization_id,
            created_by_id=self.caller.user_id,
            **body.validated_data,
        )
        location = request.build_absolute_uri(reverse("alert-channel", args=[issued.channel.pk]))
        return Response(_issued(issued), status=201, headers={"Location": location})

    @extend_schema(
        operation_id="getAlertChannel",
        summary="Read a channel",
        responses={200: ChannelOutput, **problems(404)},
    )
    def retrieve(self, request: Request, channel_id: UUID) -> Response:
        """Answer one channel."""
        return Response(ChannelOutput(queries.channel(self.caller.organization_id, channel_id)).data)

    @extend_schema(
        operation_id="changeAlertChannel",
        summary="Change a channel",
        description="Its name, its address, or whether it is enabled. Enabled again, it begins anew.",
        request=ChannelChange,
        responses={200: ChannelOutput, **problems(404, 409, 415, 422)},
    )
    def partial_update(self, request: Request, channel_id: UUID) -> Response:
        """Change one channel and answer it."""
        body = ChannelChange(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.change_channel(
            organization_id=self.caller.organization_id,
            channel_id=channel_id,
            by_id=self.caller.user_id,
            **body.validated_data,
        )
        return Response(ChannelOutput(changed).data)

    @extend_schema(
        operation_id="deleteAlertChannel",
        summary="Delete a channel",
        description="What is pending for it is cancelled; the log of its deliveries stays.",
        responses={204: None, **problems(404)},
    )
    def destroy(self, request: Request, channel_id: UUID) -> Response:
        """Remove one channel."""
        services.delete_channel(organization_id=self.caller.organization_id, channel_id=channel_id)
        return Response(status=204)

    @extend_schema(
        operation_id="testAlertChannel",
        summary="Test a channel",
        description="Sends a test at once, and only once; its delivery says what came of it.",
        request=None,
        responses={202: DeliveryOutput, **problems(404, 409)},
    )
    def test(self, request: Request, channel_id: UUID) -> Response:
        """Ask for a test and answer its delivery."""
        asked = services.request_test(organization_id=self.caller.organization_id, channel_id=channel_id)
        location = request.build_absolute_uri(reverse("alert-delivery", args=[asked.pk]))
        return Response(answers.delivery(asked), status=202, headers={"Location": location})

    @extend_schema(
        operation_id="confirmAlertChannel",
        summary="Ask for a confirmation",
        description=(
            "Sends the link by which the owner of the channel's address agrees to be told, once more: while "
            "it is unconfirmed, or after they unsubscribed."
        ),
        request=None,
        responses={202: DeliveryOutput, **problems(404, 409)},
    )
    def confirmation(self, request: Request, channel_id: UUID) -> Response:
        """Ask for a confirmation and answer its delivery."""
        asked = services.request_confirmation(
            organization_id=self.caller.organization_id, channel_id=channel_id
        )
        location = request.build_absolute_uri(reverse("alert-delivery", args=[asked.pk]))
        return Response(answers.delivery(asked), status=202, headers={"Location": location})

    @extend_schema(
        operation_id="rotateAlertChannelSecret",
        summary="Rotate a webhook's secret",
        description="The new secret is in this answer only. For 24 hours messages are signed with both.",
        request=None,
        responses={200: IssuedChannelOutput, **problems(404, 409)},
    )
    def rotate(self, request: Request, channel_id: UUID) -> Response:
        """Give one webhook a new secret and answer it."""
        issued = services.rotate_secret(organization_id=self.caller.organization_id, channel_id=channel_id)
        return Response(_issued(issued))


def _issued(issued: services.Issued) -> dict[str, Any]:
    return {**ChannelOutput(issued.channel).data, "secret": issued.secret}
