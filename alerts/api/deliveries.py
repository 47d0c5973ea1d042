"""`/alerts/deliveries`: what was told to whom, with every attempt."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerts import answers
from alerts.api.reading import identity
from alerts.deliveries import queries
from alerts.deliveries.queries import DeliveryQuery
from alerts.models import DeliveryState, Notice
from alerts.serializers import DeliveryDetailOutput, DeliveryPageOutput
from core.paging import (
    CURSOR_PARAMS,
    encode_cursor,
    fingerprint,
    next_link,
    place,
    position,
    read_cursor_page,
)
from core.schema import CURSOR_PARAMETERS, listing, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope

FILTERS = ("state", "notice", "channel", "event")


class DeliveriesView(TenantAPIView):
    """The log of deliveries; what receivers answer is for those who set them up."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.ALERTS_WRITE}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": (*CURSOR_PARAMS, *FILTERS)}

    @extend_schema(
        operation_id="listAlertDeliveries",
        summary="List deliveries",
        description="What was told, newest first, with every attempt and what was answered.",
        parameters=[
            *CURSOR_PARAMETERS,
            parameter(
                "state",
                f"Only these, separated by commas: {', '.join(DeliveryState.values)}.",
                type=listing(DeliveryState.values),
            ),
            parameter(
                "notice",
                f"Only these, separated by commas: {', '.join(Notice.values)}.",
                type=listing(Notice.values),
            ),
            parameter("channel", "Only to this channel.", type=UUID),
            parameter("event", "Only of this event.", type=UUID),
        ],
        responses={200: DeliveryPageOutput, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of deliveries."""
        page = read_cursor_page(self.params)
        filters = self._filters()
        tied_to = fingerprint({"deliveries": self.caller.organization_id, "order": page.order, **filters})
        query = DeliveryQuery(
            take=page.take + 1,
            descending=page.descending,
            after=position(page.position(tied_to)),
            **filters,
        )
        found = queries.deliveries(self.caller.organization_id, query)
        shown = found[: page.take]
        last = shown[-1] if len(found) > page.take else None
        cursor = None if last is None else encode_cursor(place(last.created_at, last.pk), tied_to)
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        return Response(
            {"items": [answers.delivery(one) for one in shown], "cursor": cursor}, headers=headers
        )

    def _filters(self) -> dict[str, Any]:
        return {
            "states": self.params.choices("state", DeliveryState.values),
            "notices": self.params.choices("notice", Notice.values),
            "channel_id": identity(self.params, "channel"),
            "event_id": identity(self.params, "event"),
        }


class DeliveryView(TenantAPIView):
    """One delivery."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.ALERTS_WRITE}

    @extend_schema(
        operation_id="getAlertDelivery",
        summary="Read a delivery",
        responses={200: DeliveryDetailOutput, **problems(404)},
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """Answer one delivery, with what it tells."""
        found = queries.delivery(self.caller.organization_id, delivery_id)
        return Response({**answers.delivery(found), "payload": found.payload})
