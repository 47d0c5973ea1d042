"""`/credits`: how the organization stands with credits and quota, its grants, and the ledger behind them."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.answers import credits as answers
from billing.ledger import queries
from billing.listing import movement_page
from billing.models import Allowance
from billing.serializers.credits import CreditsSerializer, MovementPageSerializer
from core import clock
from core.paging import CURSOR_PARAMS, OFFSET_PARAMS, next_link, read_cursor_page, read_offset_page
from core.params import Params
from core.schema import CURSOR_PARAMETERS, OFFSET_PARAMETERS, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope

ALLOWANCE = parameter("allowance", "Only of this allowance.", enum=Allowance.values)


class CreditsView(TenantAPIView):
    """Credits and quota: granted, consumed, remaining, by grant."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("allowance", *OFFSET_PARAMS)}

    @extend_schema(
        operation_id="getCredits",
        summary="Credits and quota",
        description="How the organization stands, and its grants in the order in which they are burnt down.",
        parameters=[ALLOWANCE, *OFFSET_PARAMETERS],
        responses={200: CreditsSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer the standings and a page of grants."""
        now = clock.now()
        page = read_offset_page(self.params)
        grants, total = queries.grants(
            self.caller.organization_id,
            allowance=_allowance(self.params),
            limit=page.limit,
            offset=page.offset,
        )
        standings = queries.standings(self.caller.organization_id, now)
        return Response(
            {
                **{name: answers.standing(standings.get(name)) for name in Allowance.values},
                "overageAllowed": queries.overage_allowed(self.caller.organization_id),
                "grants": [answers.grant(one, now) for one in grants],
                "pagination": page.pagination(total),
            }
        )


class MovementsView(TenantAPIView):
    """The transactions of the ledger."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("allowance", *CURSOR_PARAMS)}

    @extend_schema(
        operation_id="listCreditTransactions",
        summary="The ledger of credits and quota",
        description="Every movement in double entry, newest first: the postings of one add up to zero.",
        parameters=[ALLOWANCE, *CURSOR_PARAMETERS],
        responses={200: MovementPageSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of transactions."""
        allowance, page = _allowance(self.params), read_cursor_page(self.params)
        shown, cursor = movement_page(self.caller.organization_id, page, allowance=allowance)
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        items = [answers.movement(one) for one in shown]
        return Response({"items": items, "cursor": cursor}, headers=headers)


def _allowance(params: Params) -> str | None:
    return params.choice("allowance", Allowance.values, "") or None
