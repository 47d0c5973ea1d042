"""`/costs/compare`: what the same use would have cost on another model."""

from datetime import datetime
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import book
from billing.answers.costs import comparison as written
from billing.queries.comparison import FACETS, comparison
from billing.rating import Sheet
from billing.serializers.costs import ComparisonSerializer
from core import clock
from core.moments import format_moment
from core.params import Params
from core.periods import Period
from core.problems import bad_request, invalid_parameter
from core.schema import parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from organizations.tenancy import Caller
from usage import answers, reading
from usage.queries.facets import Facet
from usage.queries.totals import Subject, totals
from usage.schema import CLIENT_PARAMETER, WINDOW_PARAMETERS, ZONE_PARAMETER
from usage.tiers import Tier

MAX_RECORDS: Final = 5_000_000
"""Records that one comparison may rate: some seconds of work."""

_TERMS: Final = ("model", "provider", "serviceTier")
_CHOSEN: Final = {f"of{facet.value[0].upper()}{facet.value[1:]}": facet for facet in FACETS}


class ComparisonView(TenantAPIView):
    """The same use on another model."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {
        "GET": (*_TERMS, *_CHOSEN, "from", "to", "timezone", "clientId")
    }

    @extend_schema(
        operation_id="compareCosts",
        summary="The same use on another model",
        description=(
            "What the calls with tokens of a window (the current billing period unless from and to say "
            "otherwise) would have cost at what another model costs now. Every call is rated by itself, so "
            "that thresholds, cached tokens and rounding are exact."
        ),
        parameters=[
            parameter("model", "The other model.", required=True),
            parameter("provider", "Who provides it; any unless it is given."),
            parameter(
                "serviceTier", "The tier it is served in.", enum=list(Tier), default=Tier.STANDARD.value
            ),
            *(parameter(name, f"Only use with this {facet.value}.") for name, facet in _CHOSEN.items()),
            *WINDOW_PARAMETERS,
            ZONE_PARAMETER,
            CLIENT_PARAMETER,
        ],
        responses={200: ComparisonSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the comparison."""
        now = clock.now()
        since = reading.history_of(self.caller, now)
        default = reading.this_billing_period(self.params, self.caller, now)
        period = reading.window_of(self.params, default, since)
        subject = reading.subject_of(self.params, self.caller)
        model, provider = _required(self.params, "model"), self.params.text("provider")
        tier = self.params.choice("serviceTier", list(Tier), Tier.STANDARD.value)
        chosen: dict[Facet, str | int] = {
            facet: value for name, facet in _CHOSEN.items() if (value := self.params.text(name)) is not None
        }
        sheet = _sheet(self.caller, (provider, model, tier), now)
        refuse_too_many(subject, period, now)
        other: dict[str, Any] = {
            "model": model,
            "provider": provider,
            "serviceTier": tier,
            "priceId": sheet.price_id,
        }
        return Response(
            {
                "period": answers.period(period),
                "currency": self.caller.currency,
                "other": other,
                **written(comparison(subject, period, sheet, chosen)),
                "historyFrom": format_moment(since),
            }
        )


def _required(params: Params, name: str) -> str:
    value = params.text(name)
    if value is None:
        raise invalid_parameter(name, f"The parameter {name} is required.")
    return value


def _sheet(caller: Caller, names: tuple[str | None, str, str], now: datetime) -> Sheet:
    sheet = book.sheet(caller.organization_id, caller.currency, *names, now)
    if sheet is None:
        detail = f"There is no price for {names[1]!r} now; GET /prices lists those that there are."
        raise invalid_parameter("model", detail)
    return sheet


def refuse_too_many(subject: Subject, period: Period, now: datetime) -> None:
    """Refuse a window that has more records than one comparison may rate.

    Raises: `Problem` 400.
    Tenancy: call in the tenant's scope.
    """
    requests = totals(subject, period, now).requests
    if requests > MAX_RECORDS:
        detail = f"The window has {requests:,} records, more than {MAX_RECORDS:,}: choose a shorter one."
        raise bad_request(detail, code="too_many_rows")
