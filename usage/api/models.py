"""`/usage/models` and `/usage/capabilities`: what is used most, and what gives most for its cost (S4, S5)."""

from typing import ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.moments import format_moment
from core.periods import Granularity
from core.problems import bad_request
from core.schema import parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from usage import answers, reading
from usage.answers.models import comparison
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.models import standings
from usage.queries.questions import MAX_CELLS
from usage.schema import CLIENT_PARAMETER, WINDOW_PARAMETERS, ZONE_PARAMETER
from usage.serializers.questions import CapabilitiesSerializer, ModelsSerializer

GRANULARITIES: Final = ("minute", "hour", "day", "week", "month")
_PARAMS: Final = ("from", "to", "granularity", "timezone", "clientId")
_PARAMETERS: Final = [
    *WINDOW_PARAMETERS,
    parameter("granularity", "Size of the buckets of the trends.", enum=list(GRANULARITIES), default="day"),
    ZONE_PARAMETER,
    CLIENT_PARAMETER,
]


class ComparisonView(TenantAPIView):
    """The values of a facet against each other; by default over the last 30 days."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": _PARAMS}
    facet: ClassVar[Facet]

    def compare(self) -> Response:
        """Answer the comparison."""
        now = clock.now()
        period = reading.recent(self.params, self.caller, now)
        granularity = Granularity(self.params.choice("granularity", GRANULARITIES, "day"))
        buckets = Buckets.over(period, granularity, self.params.zone("timezone", self.caller.timezone))
        found = standings(reading.subject_of(self.params, self.caller), period, buckets, self.facet)
        if buckets.count * len(found) > MAX_CELLS:
            raise bad_request(
                f"The trends would have over {MAX_CELLS:,} points: choose a coarser granularity.",
                code="too_many_rows",
            )
        return Response(
            {
                "period": answers.period(period),
                "currency": self.caller.currency,
                **comparison(self.facet.value, found, buckets),
                "historyFrom": format_moment(reading.history_of(self.caller, now)),
            }
        )


class ModelView(ComparisonView):
    """Models against each other."""

    facet = Facet.MODEL

    @extend_schema(
        operation_id="getModelUsage",
        summary="Models compared",
        parameters=_PARAMETERS,
        responses={200: ModelsSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the comparison."""
        return self.compare()


class CapabilityView(ComparisonView):
    """Capabilities against each other."""

    facet = Facet.CAPABILITY

    @extend_schema(
        operation_id="getCapabilityUsage",
        summary="Capabilities compared",
        parameters=_PARAMETERS,
        responses={200: CapabilitiesSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the comparison."""
        return self.compare()
