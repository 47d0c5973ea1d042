"""`/usage/query`: any question of metrics, buckets and facets."""

from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.moments import format_moment
from core.paging import OFFSET_PARAMS, read_offset_page
from core.params import Params
from core.periods import Granularity, Period
from core.problems import invalid_parameter
from core.schema import OFFSET_PARAMETERS, listing, parameter, problems
from organizations.http import TenantAPIView
from organizations.models import Credential
from organizations.roles import Scope
from organizations.tenancy import Caller
from usage import answers, reading
from usage.queries.facets import Facet
from usage.queries.metrics import BUILT_IN_METERS, METRIC_PATTERN, METRICS, Metric, metric_named
from usage.queries.questions import TIMESTAMP, Question, Row, ask, known_meters
from usage.schema import CLIENT_PARAMETER, STATUS_CODE, WINDOW_PARAMETERS, ZONE_PARAMETER
from usage.serializers.questions import QuerySerializer

GRANULARITIES: Final = ("minute", "hour", "day", "week", "month", "total")
FACETS: Final = tuple(facet.value for facet in Facet)
_PARAMS: Final = (
    "metrics", "groupBy", "granularity", "from", "to", "timezone", "sort", "order", *FACETS, *OFFSET_PARAMS,
)  # fmt: skip
_DEFAULT_METRICS: Final = "requests,errors,tokens,cost"
_MAX_METRICS: Final = 2000
"""Characters of the list of metrics."""
_STATUSES: Final = ("success", "error")
_FILTERS: Final[dict[str, dict[str, Any]]] = {
    Facet.STATUS: {"enum": list(_STATUSES)},
    Facet.STATUS_CODE: {"type": STATUS_CODE},
}
"""What is known of the values that use can be filtered by."""


class QueryView(TenantAPIView):
    """Metrics over a window, by buckets and facets."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": _PARAMS}

    @extend_schema(
        operation_id="queryUsage",
        summary="Ask anything",
        description=(
            "Metrics over a window (by default the last 30 days), by buckets and facets. "
            "Every bucket of every group that was there in the window is a row, empty ones as zeros."
        ),
        parameters=[
            parameter(
                "metrics",
                f"By commas: {', '.join(METRICS)}, or any meter.",
                type=listing([METRIC_PATTERN], max_length=_MAX_METRICS),
                default=_DEFAULT_METRICS,
            ),
            parameter("groupBy", f"Separated by commas: {', '.join(FACETS)}.", type=listing(FACETS)),
            parameter("granularity", "Size of the buckets.", enum=list(GRANULARITIES), default="day"),
            *WINDOW_PARAMETERS,
            ZONE_PARAMETER,
            CLIENT_PARAMETER,
            *(
                parameter(name, f"Only use with this {name}.", **_FILTERS.get(name, {}))
                for name in FACETS
                if name != Facet.CLIENT
            ),
            parameter(
                "sort",
                "timestamp, or one of the metrics or facets asked for.",
                type={"type": "string", "pattern": f"^{METRIC_PATTERN}$"},
                default=TIMESTAMP,
            ),
            parameter("order", "By default time and names rise, metrics fall.", enum=["asc", "desc"]),
            *OFFSET_PARAMETERS,
        ],
        responses={200: QuerySerializer, **problems(404)},
    )
    def get(self, request: Request) -> Response:
        """Answer the question."""
        now = clock.now()
        page = read_offset_page(self.params)
        question = _question(self.params, self.caller, reading.recent(self.params, self.caller, now))
        answer = ask(question, limit=page.limit, offset=page.offset)
        return Response(
            {
                "period": answers.period(question.period),
                "timezone": question.zone.key,
                "granularity": self.params.text("granularity", "day"),
                "currency": self.caller.currency,
                "rows": [_written(row, question) for row in answer.rows],
                "pagination": page.pagination(answer.total),
                "historyFrom": format_moment(reading.history_of(self.caller, now)),
            }
        )


def client_ids_of() -> dict[int, str]:
    """Return the public ids of the organization's credentials by their own.

    Tenancy: call in the tenant's scope.
    """
    return dict(Credential.objects.values_list("id", "client_id"))


def _question(params: Params, caller: Caller, period: Period) -> Question:
    metrics = _metrics(params, caller)
    group_by = tuple(Facet(name) for name in params.choices("groupBy", FACETS))
    granularity = params.choice("granularity", GRANULARITIES, "day")
    sortable = [TIMESTAMP, *(metric.name for metric in metrics), *(facet.value for facet in group_by)]
    sort = params.choice("sort", sortable, TIMESTAMP)
    fallen = sort != TIMESTAMP and sort not in FACETS
    return Question(
        organization_id=caller.organization_id,
        rollup_timezone=caller.rollup_timezone,
        period=period,
        zone=params.zone("timezone", caller.timezone),
        metrics=metrics,
        granularity=None if granularity == "total" else Granularity(granularity),
        group_by=group_by,
        filters=_filters(params),
        client_ids=client_ids_of() if Facet.CLIENT in group_by else {},
        sort=sort,
        descending=params.choice("order", ("asc", "desc"), "desc" if fallen else "asc") == "desc",
    )


def _metrics(params: Params, caller: Caller) -> tuple[Metric, ...]:
    names = dict.fromkeys(
        (params.text("metrics", _DEFAULT_METRICS, max_length=_MAX_METRICS) or "").split(",")
    )
    found = {name: metric_named(name) for name in names}
    doubtful = [name for name, metric in found.items() if metric is None or not _is_known(metric)]
    if doubtful:
        meters = known_meters(caller.organization_id)
        for name in doubtful:
            metric = found[name]
            if metric is None or metric.meter not in meters:
                accepted = ", ".join([*METRICS, *dict.fromkeys([*BUILT_IN_METERS, *meters])])
                raise invalid_parameter("metrics", f"Invalid metrics: {name[:100]!r}; accepted: {accepted}.")
    return tuple(metric for metric in found.values() if metric is not None)


def _is_known(metric: Metric) -> bool:
    return metric.meter is None or metric.meter in BUILT_IN_METERS


def _filters(params: Params) -> dict[Facet, str | int]:
    filters: dict[Facet, str | int] = {}
    for facet in Facet:
        if facet.value in params:
            filters[facet] = _filter(params, facet)
    return filters


def _filter(params: Params, facet: Facet) -> str | int:
    name = facet.value
    if facet is Facet.CLIENT:
        return reading.credential_of(params, name) or 0
    if facet is Facet.STATUS:
        return params.choice(name, _STATUSES, "")
    if facet is Facet.STATUS_CODE:
        return reading.status_code_of(params) or ""
    return params.text(name) or ""


def _written(row: Row, question: Question) -> dict[str, Any]:
    facets = {
        facet.value: question.client_ids.get(value) if facet is Facet.CLIENT else _facet(facet, value)
        for facet, value in zip(question.group_by, row.group.values, strict=True)
    }
    metrics = {metric.name: metric.value(row.group) for metric in question.metrics}
    return {"timestamp": None if row.start is None else format_moment(row.start), **facets, **metrics}


def _facet(facet: Facet, value: str) -> str | int | None:
    if not value:
        return None
    return int(value) if facet is Facet.STATUS_CODE else value
