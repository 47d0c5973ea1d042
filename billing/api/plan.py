"""`/plan`: what the organization is entitled to."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.serializers.costs import PlanSerializer
from core import clock
from core.moments import format_moment
from core.periods import billing_period, zone
from core.schema import problems
from organizations.http import TenantAPIView
from organizations.models import Plan
from organizations.roles import Scope
from usage import answers, reading


class PlanView(TenantAPIView):
    """The organization's plan."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ()}

    @extend_schema(
        operation_id="getPlan",
        summary="The organization's plan",
        responses={200: PlanSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer the plan."""
        caller, plan, now = self.caller, self.caller.plan, clock.now()
        return Response(
            {
                "slug": plan.slug,
                "name": plan.name,
                "currency": caller.currency,
                "timezone": caller.timezone,
                "billingPeriod": answers.period(billing_period(now, zone(caller.timezone))),
                "historyDays": plan.history_days,
                "historyFrom": format_moment(reading.history_of(caller, now)),
                "requestsPerMinute": plan.requests_per_minute,
                "apiAccess": plan.api_access,
                "exports": plan.exports,
                "spendLimit": plan.spend_limit,
                "invoices": plan.invoices,
                "overage": Plan.objects.values_list("overage", flat=True).get(slug=plan.slug),
            }
        )
