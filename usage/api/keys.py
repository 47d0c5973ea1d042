"""`/usage/keys`: use per API key (S3)."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.schema import CLIENT_ID, OFFSET_PARAMETERS, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from usage.key_use import GRANULARITIES, INCLUDES, PARAMS, SORTS, TIMEFRAMES, key_use
from usage.schema import ZONE_PARAMETER
from usage.serializers.questions import KeyUsageSerializer


class KeyUsageView(TenantAPIView):
    """Use per API key over a timeframe."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": PARAMS}

    @extend_schema(
        operation_id="getKeyUsage",
        summary="Use per API key",
        description=(
            "limit and offset page the endpoints, or the time series when it is sorted by timestamp. "
            "The timeframe ends with the bucket that holds now."
        ),
        parameters=[
            parameter("keyId", "A client id; absent: all.", type=CLIENT_ID),
            parameter("timeframe", "How far back.", enum=list(TIMEFRAMES), default="24h"),
            parameter("granularity", "Size of the buckets.", enum=list(GRANULARITIES), default="hour"),
            *(parameter(name, "Whether to include this.", type=bool, default=True) for name in INCLUDES),
            parameter("includePeak", "Whether to look for the busiest minutes.", type=bool, default=False),
            parameter("sortBy", "What to sort by.", enum=list(SORTS), default="requests"),
            parameter("order", "Smallest or largest first.", enum=["asc", "desc"], default="desc"),
            ZONE_PARAMETER,
            *OFFSET_PARAMETERS,
        ],
        responses={200: KeyUsageSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the use."""
        return Response(key_use(self.params, self.caller, clock.now()))
