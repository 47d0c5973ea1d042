"""`/prices` and `/costs/records/{id}`: what calls cost, and why one cost what it did."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.answers.prices import explanation
from billing.answers.prices import price as written
from billing.queries.prices import SORTS, PriceQuery, explain, find_prices
from billing.serializers.prices import CostExplanationSerializer, PricesSerializer
from core import clock
from core.moments import format_moment
from core.paging import OFFSET_PARAMS, ORDERS, read_offset_page
from core.problems import not_found
from core.schema import MOMENT, OFFSET_PARAMETERS, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from usage import reading
from usage.queries.records import find_record
from usage.tiers import Tier


class PricesView(TenantAPIView):
    """The prices that hold for the organization."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {
        "GET": ("provider", "model", "tier", "search", "own", "at", "sort", "order", *OFFSET_PARAMS)
    }

    @extend_schema(
        operation_id="listPrices",
        summary="Prices",
        description=(
            "In the organization's currency, as they hold now or at another moment: its own, and those of "
            "the list where it has none, with its discount. Names are the price book's."
        ),
        parameters=[
            parameter("provider", "Only prices of this provider."),
            parameter("model", "Only prices of this model."),
            parameter("tier", "Only prices of this tier.", enum=Tier.values),
            parameter("search", "Only prices whose provider/model has this in it, whatever the case."),
            parameter("own", "Only the organization's own prices.", type=bool, default=False),
            parameter(
                "at", "The moment: ISO 8601 with an offset, or Unix milliseconds; default: now.", type=MOMENT
            ),
            parameter(
                "sort",
                "By what; of meters, by their rate without a threshold. Prices that have none come last.",
                enum=list(SORTS),
                default=SORTS[0],
            ),
            parameter("order", "Rising or falling.", enum=list(ORDERS), default="asc"),
            *OFFSET_PARAMETERS,
        ],
        responses={200: PricesSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of prices."""
        page = read_offset_page(self.params)
        at = self.params.moment("at") or clock.now()
        query = PriceQuery(
            self.caller.organization_id,
            self.caller.currency,
            at,
            page.limit,
            page.offset,
            provider=self.params.text("provider"),
            model=self.params.text("model"),
            tier=self.params.choice("tier", Tier.values, "") or None,
            search=self.params.text("search"),
            own=self.params.boolean("own", False),
            sort=self.params.choice("sort", SORTS, SORTS[0]),
            descending=self.params.choice("order", ORDERS, "asc") == "desc",
        )
        found, total = find_prices(query)
        return Response(
            {
                "at": format_moment(at),
                "items": [written(terms) for terms in found],
                "pagination": page.pagination(total),
            }
        )


class RecordCostView(TenantAPIView):
    """Why one record costs what it does."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ()}

    @extend_schema(
        operation_id="explainCost",
        summary="Why a record costs what it does",
        description="The price that was applied, the organization's discount, and what each rate billed.",
        responses={200: CostExplanationSerializer, **problems(404)},
    )
    def get(self, request: Request, record_id: str) -> Response:
        """Answer the reasons."""
        caller = self.caller
        found = find_record(caller.organization_id, record_id)
        if found is None or found.occurred_at < reading.history_of(caller, clock.now()):
            raise not_found(f"There is no record {record_id[:255]!r} in this organization's history.")
        why = explain(caller.organization_id, found)
        return Response(explanation(found, why, currency=caller.currency))
