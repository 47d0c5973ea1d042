"""`/alerts/events`: what fired, and what became of it."""

from typing import Any, ClassVar, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.api.reading import identity
from alerts.deliveries.snapshots import figures
from alerts.events import queries
from alerts.events.queries import EventQuery
from alerts.models import Severity
from alerts.serializers import EventOutput, EventPageOutput
from core.paging import (
    CURSOR_PARAMS,
    encode_cursor,
    fingerprint,
    next_link,
    place,
    position,
    read_cursor_page,
)
from core.schema import CURSOR_PARAMETERS, MOMENT, TEXT, listing, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope

FILTERS = ("severity", "state", "metric", "rule", "from", "to")
_LONGEST_METRIC: Final = 100
_OPEN = {"open": True, "resolved": False}


class EventsView(TenantAPIView):
    """The organization's events."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": (*CURSOR_PARAMS, *FILTERS)}

    @extend_schema(
        operation_id="listAlertEvents",
        summary="List events",
        description="What fired, newest first, with when it resolved.",
        parameters=[
            *CURSOR_PARAMETERS,
            parameter(
                "severity",
                f"Only these, separated by commas: {', '.join(Severity.values)}.",
                type=listing(Severity.values),
            ),
            parameter("state", "Only those that still hold, or that don't any more.", enum=list(_OPEN)),
            parameter("metric", "Only of this metric.", type={**TEXT, "maxLength": _LONGEST_METRIC}),
            parameter("rule", "Only of this rule.", type=UUID),
            parameter("from", "Fired at this moment or later.", type=MOMENT),
            parameter("to", "Fired before this moment.", type=MOMENT),
        ],
        responses={200: EventPageOutput, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of events."""
        page = read_cursor_page(self.params)
        filters = self._filters()
        tied_to = fingerprint({"events": self.caller.organization_id, "order": page.order, **filters})
        query = EventQuery(
            take=page.take + 1,
            descending=page.descending,
            after=position(page.position(tied_to)),
            **filters,
        )
        found = queries.events(self.caller.organization_id, query)
        shown = found[: page.take]
        last = shown[-1] if len(found) > page.take else None
        cursor = None if last is None else encode_cursor(place(last.fired_at, last.pk), tied_to)
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        return Response({"items": [figures(one) for one in shown], "cursor": cursor}, headers=headers)

    def _filters(self) -> dict[str, Any]:
        state = self.params.choice("state", _OPEN, "")
        return {
            "severities": self.params.choices("severity", Severity.values),
            "is_open": _OPEN.get(state),
            "metric": self.params.text("metric", max_length=_LONGEST_METRIC),
            "rule_id": identity(self.params, "rule"),
            "start": self.params.moment("from"),
            "end": self.params.moment("to"),
        }


class EventView(TenantAPIView):
    """One event."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}

    @extend_schema(
        operation_id="getAlertEvent", summary="Read an event", responses={200: EventOutput, **problems(404)}
    )
    def get(self, request: Request, event_id: UUID) -> Response:
        """Answer one event."""
        return Response(figures(queries.event(self.caller.organization_id, event_id)))
