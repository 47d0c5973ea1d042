"""`/costs`: what use costs, by day, over the windows that matter, and by what caused it."""

from typing import ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.answers.costs import costs as written
from billing.answers.costs import foreseen
from billing.outlook import cost_outlook
from billing.queries.costs import costs, spans
from billing.serializers.costs import CostsSerializer
from core import clock
from core.moments import format_moment
from core.schema import problems
from organizations.http import TenantAPIView
from organizations.models import Credential
from organizations.roles import Scope
from usage import answers, reading
from usage.schema import CLIENT_PARAMETER, WINDOW_PARAMETERS, ZONE_PARAMETER

PARAMS: Final = ("from", "to", "timezone", "clientId")


class CostsView(TenantAPIView):
    """What use costs."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": PARAMS}

    @extend_schema(
        operation_id="getCosts",
        summary="Costs",
        description=(
            "By day, credential, model and capability: of the current billing period unless from and to say "
            "otherwise. Beside it the last seven days, the month so far and the whole billing period. What "
            "has no price yet is counted apart and is in no sum. The forecast is of the current billing "
            "period and of the 30 days after today, whatever window is asked for."
        ),
        parameters=[*WINDOW_PARAMETERS, ZONE_PARAMETER, CLIENT_PARAMETER],
        responses={200: CostsSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the costs."""
        now = clock.now()
        tz = self.params.zone("timezone", self.caller.timezone)
        since = reading.history_of(self.caller, now)
        period = reading.window_of(
            self.params, reading.this_billing_period(self.params, self.caller, now), since
        )
        subject = reading.subject_of(self.params, self.caller)
        found = costs(subject, period, spans(now, tz, since), now, tz)
        return Response(
            {
                "period": answers.period(period),
                "timezone": tz.key,
                "currency": self.caller.currency,
                **written(found, names=_names()),
                "forecast": foreseen(cost_outlook(subject, now, tz, since)),
                "historyFrom": format_moment(since),
            }
        )


def _names() -> dict[int, tuple[str, str]]:
    found = Credential.objects.values_list("id", "client_id", "name")
    return {pk: (client_id, name) for pk, client_id, name in found}
