"""`/metrics`: the organization's use for a Prometheus of its own."""

from typing import ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from core import clock
from core.exposition import OPENMETRICS, TEXT, exposed
from core.schema import problems
from organizations import rate_limits
from organizations.http import TenantAPIView
from organizations.roles import Scope
from usage import reading
from usage.answers.metrics import Limits, UseCollector
from usage.queries.current import MAX_VALUES, CurrentUse, current_use

_SAMPLES: Final = """\
# HELP headroom_requests_total Requests recorded.
# TYPE headroom_requests_total counter
headroom_requests_total 1204.0
# HELP headroom_model_cost_total Cost by model, in units of the currency.
# TYPE headroom_model_cost_total counter
headroom_model_cost_total{currency="USD",model="gpt-4o"} 61.2
"""
_OPENMETRICS_SAMPLES: Final = """\
# HELP headroom_requests Requests recorded.
# TYPE headroom_requests counter
headroom_requests_total 1204.0
headroom_requests_created 1.7934912e+09
# EOF
"""


def _answer(media_type: str, samples: str) -> OpenApiResponse:
    example = OpenApiExample("Some of the metrics", value=samples, media_type=media_type)
    return OpenApiResponse(OpenApiTypes.STR, "The metrics.", examples=[example])


class MetricsView(TenantAPIView):
    """The use of the current billing period as metrics."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ()}

    @extend_schema(
        operation_id="getMetrics",
        summary="Use for Prometheus",
        description=(
            "The use of the current billing period, in the text format of Prometheus or, if Accept asks for "
            f"it, of OpenMetrics. Beyond {MAX_VALUES} clients, models, capabilities or meters, the rest of "
            "them is added up under other."
        ),
        responses={
            (200, TEXT): _answer(TEXT, _SAMPLES),
            (200, OPENMETRICS): _answer(OPENMETRICS, _OPENMETRICS_SAMPLES),
            **problems(),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer the metrics."""
        now = clock.now()
        since = reading.history_of(self.caller, now)
        use = current_use(self.caller, since, now)
        collector = UseCollector(self.caller, use, since, self._limits(use))
        return exposed(collector, request.headers.get("Accept", ""))

    def _limits(self, use: CurrentUse) -> Limits | None:
        if self.rate is None:
            # Nobody counts while Redis is away, which is not to say that nothing was used.
            return None
        client_ids = [credential.client_id for credential in use.active[:MAX_VALUES]]
        states = rate_limits.states(client_ids, use.period)
        return Limits(
            self.caller.plan.requests_per_minute,
            {client_id: state.used for client_id, state in states.items()},
        )
