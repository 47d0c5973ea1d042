"""`/reservations`: what is held, what became of it, and giving it back."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.answers import limits as answers
from billing.models import Reservation, ReservationState
from billing.queries import limits as queries
from billing.serializers.limits import ReservationPageSerializer, ReservationSerializer
from billing.services.reservations import parse_reservation, release
from core import clock
from core.paging import (
    CURSOR_PARAMS,
    encode_cursor,
    fingerprint,
    next_link,
    place,
    position,
    read_cursor_page,
)
from core.problems import not_found
from core.schema import CLIENT_ID, CURSOR_PARAMETERS, parameter, problems
from organizations.http import TenantViewSet
from organizations.roles import Scope
from usage import reading


class ReservationViewSet(TenantViewSet):
    """Reservations: listed, read, given back.

    A key may read and give back its own without any scope, as it may ask for them.
    """

    required_scopes: ClassVar[dict[str, str]] = {"list": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": ("clientId", "state", *CURSOR_PARAMS)}

    def authorize(self) -> None:
        """Require the scope of the list; whose a single reservation is shows when it is found."""
        if self.action == "list":
            super().authorize()

    @extend_schema(
        operation_id="listReservations",
        summary="List reservations",
        description="Newest first. Kept for 35 days after their end.",
        parameters=[
            parameter("clientId", "Only of this credential.", type=CLIENT_ID),
            parameter("state", "Only in this state.", enum=ReservationState.values),
            *CURSOR_PARAMETERS,
        ],
        responses={200: ReservationPageSerializer, **problems(404)},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of reservations."""
        page, caller, now = read_cursor_page(self.params), self.caller, clock.now()
        credential_id = reading.credential_of(self.params)
        state = self.params.choice("state", ReservationState.values, "") or None
        tied_to = fingerprint(
            {"reservations": caller.organization_id, "of": credential_id, "state": state, "order": page.order}
        )
        found = queries.reservations(
            caller.organization_id,
            credential_id=credential_id,
            state=state,
            now=now,
            take=page.take + 1,
            descending=page.descending,
            after=position(page.position(tied_to)),
        )
        shown = found[: page.take]
        cursor = (
            encode_cursor(place(shown[-1].created_at, shown[-1].pk), tied_to)
            if len(found) > page.take
            else None
        )
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        items = [answers.reservation(one, now, currency=caller.currency) for one in shown]
        return Response({"items": items, "cursor": cursor}, headers=headers)

    @extend_schema(
        operation_id="getReservation",
        summary="Read a reservation",
        responses={200: ReservationSerializer, **problems(404)},
    )
    def retrieve(self, request: Request, reservation_id: str) -> Response:
        """Answer one reservation."""
        found = self._found(reservation_id, Scope.BILLING_READ)
        return Response(answers.reservation(found, clock.now(), currency=self.caller.currency))

    @extend_schema(
        operation_id="releaseReservation",
        summary="Give back what is held",
        description="For a call that did not take place. Again is as good as once.",
        responses={204: None, **problems(404, 409)},
    )
    def destroy(self, request: Request, reservation_id: str) -> Response:
        """Release the reservation."""
        self._found(reservation_id, Scope.BILLING_WRITE)
        release(organization_id=self.caller.organization_id, reservation=reservation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _found(self, reservation_id: str, scope: str) -> Reservation:
        parsed = parse_reservation(reservation_id)
        found = None if parsed is None else queries.reservation(self.caller.organization_id, parsed)
        mine = found is not None and found.credential_id == self.caller.credential_id
        if not mine or self.caller.credential_id is None:
            self.caller.require(scope)
        if found is None:
            raise not_found(f"There is no reservation {reservation_id[:40]!r}.")
        return found
