"""`/usage/forecast`: what metrics will come to, by day and over a period."""

from datetime import datetime
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.forecasts.answers import forecast
from alerts.forecasts.foresee import Ask, foresee, furthest
from alerts.forecasts.outlook import CONFIDENCE
from alerts.forecasts.remembered import HORIZON
from alerts.forecasts.serializers import UsageForecastSerializer
from core import clock
from core.moments import format_moment
from core.params import Params
from core.periods import Period
from core.problems import Problem, invalid_parameter
from core.schema import listing, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from organizations.tenancy import Caller
from usage import reading
from usage.queries.metrics import BUILT_IN_METERS, METRIC_PATTERN, METRICS, Metric, metric_named
from usage.queries.questions import known_meters
from usage.schema import CLIENT_PARAMETER, WINDOW_PARAMETERS, ZONE_PARAMETER

MOST_METRICS: Final = 5
DAYS: Final = 30
ADDING_UP: Final = tuple(name for name, metric in METRICS.items() if metric.adds_up)
"""The metrics whose days make up a period: quotients and percentiles don't."""
_DEFAULT: Final = "cost,requests,tokens"
_MOST_CHARACTERS: Final = 1000
_PARAMS: Final = ("metrics", "from", "to", "horizon", "timezone", "clientId")
_EXAMPLE: Final[dict[str, Any]] = {
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "confidence": CONFIDENCE,
    "forecasts": [
        {
            "metric": "cost",
            "method": "ets",
            "history": {"from": "2026-03-24T23:00:00Z", "to": "2026-07-14T22:00:00Z", "days": 112},
            "period": {
                "from": "2026-06-30T22:00:00Z",
                "to": "2026-07-31T22:00:00Z",
                "actual": "412.073500000",
                "expected": "887.073500000",
                "low": "811.073500000",
                "high": "968.073500000",
            },
            "today": {
                "date": "2026-07-15",
                "actual": "17.204000000",
                "expected": "32.004000000",
                "low": "29.904000000",
                "high": "34.304000000",
            },
            "following": {
                "from": "2026-07-15T22:00:00Z",
                "to": "2026-07-16T22:00:00Z",
                "days": 1,
                "expected": "33.100000000",
                "low": "28.700000000",
                "high": "37.900000000",
            },
            "points": [
                {
                    "date": "2026-07-16",
                    "expected": "33.100000000",
                    "low": "28.700000000",
                    "high": "37.900000000",
                }
            ],
        }
    ],
    "historyFrom": "2015-07-17T22:00:00Z",
}


class ForecastView(TenantAPIView):
    """What metrics will come to."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": _PARAMS}

    @extend_schema(
        operation_id="forecastUsage",
        summary="Forecast",
        description=(
            "What a period will come to (the current billing period unless from and to say otherwise), and "
            "what each of the days after today will bring, with bounds between which the truth lies four "
            "times in five. The bounds of a sum are its own and narrower than the sum of bounds. Estimates "
            "have three significant digits."
        ),
        parameters=[
            parameter(
                "metrics",
                f"Up to {MOST_METRICS} by commas: {', '.join(ADDING_UP)}, or any meter.",
                type=listing([METRIC_PATTERN], max_length=_MOST_CHARACTERS),
                default=_DEFAULT,
            ),
            *WINDOW_PARAMETERS,
            parameter(
                "horizon",
                "How many days after today.",
                type={"type": "integer", "minimum": 1, "maximum": HORIZON},
                default=DAYS,
            ),
            ZONE_PARAMETER,
            CLIENT_PARAMETER,
        ],
        responses={200: UsageForecastSerializer, **problems(404)},
        examples=[
            OpenApiExample("The cost of a month", value=_EXAMPLE, response_only=True, status_codes=["200"])
        ],
    )
    def get(self, request: Request) -> Response:
        """Answer the forecasts."""
        now = clock.now()
        since = reading.history_of(self.caller, now)
        tz = self.params.zone("timezone", self.caller.timezone)
        default = reading.this_billing_period(self.params, self.caller, now)
        period = reading.window_of(self.params, default, since)
        _check(period, now=now, furthest=furthest(now, tz))
        ask = Ask(
            subject=reading.subject_of(self.params, self.caller),
            metrics=_metrics(self.params, self.caller),
            period=period,
            days=self.params.integer("horizon", DAYS, minimum=1, maximum=HORIZON),
            zone=tz,
            since=since,
        )
        return Response(
            {
                "timezone": tz.key,
                "currency": self.caller.currency,
                "confidence": CONFIDENCE,
                "forecasts": [forecast(ask, found) for found in foresee(ask, now)],
                "historyFrom": format_moment(since),
            }
        )


def _check(period: Period, *, now: datetime, furthest: datetime) -> None:
    if period.start > now:
        raise invalid_parameter("from", "from must not be in the future: a forecast starts from now.")
    if period.end > furthest:
        latest = format_moment(furthest)
        raise invalid_parameter("to", f"to must be {latest} at the latest, {HORIZON} days after today.")


def _metrics(params: Params, caller: Caller) -> tuple[Metric, ...]:
    text = params.text("metrics", _DEFAULT, max_length=_MOST_CHARACTERS) or ""
    names = list(dict.fromkeys(text.split(",")))
    if len(names) > MOST_METRICS:
        raise invalid_parameter("metrics", f"At most {MOST_METRICS} metrics at once.")
    meters: list[str] | None = None
    found = []
    for name in names:
        metric = metric_named(name)
        if metric is None or (metric.meter is None and not metric.adds_up):
            raise _unknown(name, known_meters(caller.organization_id))
        if metric.meter is not None and metric.meter not in BUILT_IN_METERS:
            meters = known_meters(caller.organization_id) if meters is None else meters
            if metric.meter not in meters:
                raise _unknown(name, meters)
        found.append(metric)
    return tuple(found)


def _unknown(name: str, meters: list[str]) -> Problem:
    accepted = ", ".join([*ADDING_UP, *dict.fromkeys([*BUILT_IN_METERS, *meters])])
    return invalid_parameter("metrics", f"Invalid metrics: {name[:100]!r}; accepted: {accepted}.")
