"""`/usage` and `/usage/series`: from the parameters to one question, from its answer to JSON."""

from typing import ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.schema import parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from usage import answers, reading
from usage.allowances import allowances
from usage.queries.totals import daily, meter_of, peak, tokens_of, totals
from usage.schema import CLIENT_PARAMETER, WINDOW_PARAMETERS, ZONE_PARAMETER
from usage.serializers import SeriesSerializer, UsageSerializer

SERIES_DAYS: Final = 90
_PARAMS: Final = ("from", "to", "clientId", "timezone", "includePeak")


class UsageView(TenantAPIView):
    """The totals of a period."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": _PARAMS}

    @extend_schema(
        operation_id="getUsage",
        summary="Totals of a period",
        description="Of the current billing period unless from and to say otherwise.",
        parameters=[
            *WINDOW_PARAMETERS,
            CLIENT_PARAMETER,
            ZONE_PARAMETER,
            parameter("includePeak", "Whether to look for the busiest minute.", type=bool, default=False),
        ],
        responses={200: UsageSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the totals."""
        now = clock.now()
        since = reading.history_of(self.caller, now)
        default = reading.this_billing_period(self.params, self.caller, now)
        window = reading.window_of(self.params, default, since)
        subject = reading.subject_of(self.params, self.caller)
        busiest = peak(subject, window) if self.params.boolean("includePeak", False) else None
        sums = totals(subject, window, now)
        left = allowances(self.caller.organization_id, now)
        return Response(
            answers.usage(sums, left, peak=busiest, currency=self.caller.currency, history_from=since)
        )


class SeriesView(TenantAPIView):
    """Daily series of the last days, by UTC midnights."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("days", "clientId")}

    @extend_schema(
        operation_id="getUsageSeries",
        summary="Daily series of the last 90 days",
        description="Three parallel series, a point for every UTC day, today last, zeros included.",
        parameters=[
            parameter(
                "days", "How many days.", type={"type": "integer", "minimum": 1, "maximum": 90}, default=90
            ),
            CLIENT_PARAMETER,
        ],
        responses={200: SeriesSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the series."""
        now = clock.now()
        days = self.params.integer("days", SERIES_DAYS, minimum=1, maximum=SERIES_DAYS)
        subject = reading.subject_of(self.params, self.caller)
        found = daily(subject, days, now, "UTC", since=reading.history_of(self.caller, now))
        readers = {
            "tokens": tokens_of,
            "conversations": meter_of("conversations"),
            "messages": meter_of("messages"),
        }
        return Response(
            {
                name: answers.points((start, 0 if group is None else read(group)) for start, group in found)
                for name, read in readers.items()
            }
        )
