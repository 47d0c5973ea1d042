"""`/spend-limit`: set, read, removed; the decisions taken, and what another limit would have done."""

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.answers import limits as answers
from billing.listing import decision_page
from billing.models import DecisionKind, Enforcement, Window
from billing.queries import limits as queries
from billing.queries.replays import MOST_REPLAYED, try_limit, up_to_now
from billing.replay import Limit
from billing.serializers.limits import (
    WARN_AT,
    DecisionPageSerializer,
    LimitInput,
    LimitPageSerializer,
    LimitSerializer,
    ReplaySerializer,
)
from billing.services.limits import Terms, remove_limit, set_limit
from billing.windows import QUARTER, quarter_of
from core import clock
from core.money import parse_money
from core.paging import (
    CURSOR_PARAMS,
    OFFSET_PARAMS,
    next_link,
    read_cursor_page,
    read_offset_page,
)
from core.params import Params
from core.periods import Period
from core.problems import bad_request, invalid_parameter, not_found
from core.schema import CLIENT_ID, CURSOR_PARAMETERS, OFFSET_PARAMETERS, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope
from usage import reading
from usage.schema import WINDOW_PARAMETERS

OF_CREDENTIAL = parameter(
    "clientId", "The limit of this credential; without it, the organization's.", type=CLIENT_ID
)


class SpendLimitView(TenantAPIView):
    """The spend limit of the organization, or of one credential."""

    required_scopes: ClassVar[dict[str, str]] = {
        "GET": Scope.BILLING_READ,
        "PUT": Scope.BILLING_WRITE,
        "DELETE": Scope.BILLING_WRITE,
    }
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {
        "GET": ("clientId",),
        "PUT": ("clientId",),
        "DELETE": ("clientId",),
    }

    @extend_schema(
        operation_id="getSpendLimit",
        summary="A spend limit, and how it stands",
        parameters=[OF_CREDENTIAL],
        responses={200: LimitSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the limit as it stands."""
        return Response(self._limit(reading.credential_of(self.params)))

    @extend_schema(
        operation_id="setSpendLimit",
        summary="Set a spend limit",
        description="From now on; what was spent in its window before counts at once.",
        parameters=[OF_CREDENTIAL],
        request=LimitInput,
        responses={200: LimitSerializer, **problems(404, 415, 422)},
    )
    def put(self, request: Request) -> Response:
        """Set the limit, and answer how it stands."""
        given = LimitInput(data=request.data)
        given.is_valid(raise_exception=True)
        credential_id = reading.credential_of(self.params)
        data = given.validated_data
        terms = Terms(
            data["limit"], Window(data["window"]), data["warn_at"], Enforcement(data["enforcement"])
        )
        set_limit(caller=self.caller, credential_id=credential_id, terms=terms)
        return Response(self._limit(credential_id))

    @extend_schema(
        operation_id="removeSpendLimit",
        summary="Remove a spend limit",
        parameters=[OF_CREDENTIAL],
        responses={204: None, **problems(404)},
    )
    def delete(self, request: Request) -> Response:
        """Remove the limit."""
        credential_id = reading.credential_of(self.params)
        remove_limit(organization_id=self.caller.organization_id, credential_id=credential_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _limit(self, credential_id: int | None) -> dict[str, Any]:
        caller = self.caller
        found = queries.standing(
            caller.organization_id, credential_id, timezone=caller.timezone, now=clock.now()
        )
        if found is None:
            raise not_found("There is no such spend limit.")
        return answers.limit(found, currency=caller.currency)


class SpendLimitsView(TenantAPIView):
    """All spend limits."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": OFFSET_PARAMS}

    @extend_schema(
        operation_id="listSpendLimits",
        summary="All spend limits",
        description="The organization's own first.",
        parameters=OFFSET_PARAMETERS,
        responses={200: LimitPageSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of limits."""
        page, caller = read_offset_page(self.params), self.caller
        found, total = queries.standings(
            caller.organization_id,
            timezone=caller.timezone,
            now=clock.now(),
            limit=page.limit,
            offset=page.offset,
        )
        items = [answers.limit(one, currency=caller.currency) for one in found]
        return Response({"items": items, "pagination": page.pagination(total)})


class DecisionsView(TenantAPIView):
    """What happened to spend limits."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("clientId", "kind", *CURSOR_PARAMS)}

    @extend_schema(
        operation_id="listSpendLimitDecisions",
        summary="What happened to spend limits",
        description="Set, removed, warned of, paused, resumed, corrected: newest first, each once.",
        parameters=[
            parameter("clientId", "Only of this credential's limit.", type=CLIENT_ID),
            parameter("kind", "Only of this kind.", enum=DecisionKind.values),
            *CURSOR_PARAMETERS,
        ],
        responses={200: DecisionPageSerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of decisions."""
        page, caller = read_cursor_page(self.params), self.caller
        credential_id = reading.credential_of(self.params)
        kind = self.params.choice("kind", DecisionKind.values, "") or None
        shown, cursor = decision_page(caller.organization_id, page, credential_id=credential_id, kind=kind)
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        items = [answers.decision(one, currency=caller.currency) for one in shown]
        return Response({"items": items, "cursor": cursor}, headers=headers)


class ReplayView(TenantAPIView):
    """What another limit would have done."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {
        "GET": ("limit", "window", "enforcement", "warnAt", "clientId", "from", "to")
    }

    @extend_schema(
        operation_id="replaySpendLimit",
        summary="What another limit would have done",
        description=(
            "Tries a limit on the spending of the past, by quarter-hours: when it would have paused, for how "
            "long, and what would not have been spent. Of the last 28 days unless from and to say otherwise, "
            "at most 92 days."
        ),
        parameters=[
            parameter(
                "limit",
                "The amount to try.",
                type={"type": "string", "pattern": r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?$"},
                required=True,
            ),
            parameter("window", "Its window.", enum=Window.values, default=Window.ROLLING.value),
            parameter("enforcement", "Its effect.", enum=Enforcement.values, default=Enforcement.PAUSE.value),
            parameter(
                "warnAt",
                "Shares in per cent, comma-separated.",
                type={"type": "string", "pattern": "^([1-9][0-9]?|100)(,([1-9][0-9]?|100))*$"},
                default="50,80,95",
            ),
            parameter(
                "clientId", "The spending of this credential; without it, the organization's.", type=CLIENT_ID
            ),
            *WINDOW_PARAMETERS,
        ],
        responses={200: ReplaySerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the replay."""
        caller, params = self.caller, self.params
        window = params.choice("window", Window.values, Window.ROLLING.value)
        enforcement = params.choice("enforcement", Enforcement.values, Enforcement.PAUSE.value)
        tried = Limit(
            limit_nanos=_limit_of(params),
            rolling=window == Window.ROLLING,
            pauses=enforcement == Enforcement.PAUSE,
            warn_at=_shares_of(params),
        )
        period = _period_of(params, reading.history_of(caller, clock.now()))
        found = try_limit(caller.organization_id, reading.credential_of(params), period, tried).replay
        return Response(
            answers.replayed(found, tried, window=window, enforcement=enforcement, currency=caller.currency)
        )


def _limit_of(params: Params) -> int:
    text = params.text("limit")
    if text is None:
        raise invalid_parameter("limit", "limit is required: the amount to try.")
    try:
        nanos = parse_money(text)
    except ValueError as error:
        raise invalid_parameter("limit", f"limit: {error}.") from error
    if nanos <= 0:
        raise invalid_parameter("limit", "limit must be more than 0.")
    return nanos


def _shares_of(params: Params) -> tuple[int, ...]:
    accepted = [str(share) for share in range(1, 101)]
    text = params.text("warnAt")
    if text is None:
        return WARN_AT
    given = text.split(",")
    if any(share not in accepted for share in given):
        raise invalid_parameter("warnAt", "warnAt must be whole numbers from 1 to 100, comma-separated.")
    return tuple(sorted({int(share) for share in given}))


def _period_of(params: Params, since: datetime) -> Period:
    default = up_to_now(clock.now())
    window = reading.window_of(params, default, since)
    last = min(window.end, default.end)
    start = min(quarter_of(window.start), last)
    if last - start > MOST_REPLAYED:
        raise bad_request(f"A replay spans at most {MOST_REPLAYED.days} days.", code="too_many_rows")
    return Period(start, last if last == quarter_of(last) else quarter_of(last) + QUARTER)
