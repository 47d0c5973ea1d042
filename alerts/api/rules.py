"""`/alerts/rules`: what the organization wants to be told of."""

from typing import ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.rules import queries, services
from alerts.rules.serializers import RuleChange, RuleInput, RuleOutput, RulePageOutput
from core.paging import OFFSET_PARAMS, read_offset_page
from core.schema import OFFSET_PARAMETERS, problems
from organizations.http import TenantViewSet
from organizations.roles import Scope


class RuleViewSet(TenantViewSet):
    """The organization's rules."""

    required_scopes: ClassVar[dict[str, str]] = {
        "GET": Scope.USAGE_READ,
        **dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ALERTS_WRITE),
    }
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": OFFSET_PARAMS}

    @extend_schema(
        operation_id="listAlertRules",
        summary="List rules",
        description="What the organization wants to be told of, in the order in which the rules were made.",
        parameters=OFFSET_PARAMETERS,
        responses={200: RulePageOutput, **problems()},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of rules."""
        page = read_offset_page(self.params)
        query = queries.RuleQuery(limit=page.limit, offset=page.offset)
        found, total = queries.rules(self.caller.organization_id, query)
        items = RuleOutput(found, many=True).data
        return Response({"items": items, "pagination": page.pagination(total)})

    @extend_schema(
        operation_id="createAlertRule",
        summary="Create a rule",
        description="Which windows, scopes and thresholds go with a condition, a refusal says.",
        request=RuleInput,
        responses={201: RuleOutput, **problems(409, 415, 422)},
    )
    def create(self, request: Request) -> Response:
        """Make a rule and answer it."""
        body = RuleInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.create_rule(
            organization_id=self.caller.organization_id,
            created_by_id=self.caller.user_id,
            **body.validated_data,
        )
        location = request.build_absolute_uri(reverse("alert-rule", args=[made.pk]))
        return Response(RuleOutput(made).data, status=201, headers={"Location": location})

    @extend_schema(
        operation_id="getAlertRule", summary="Read a rule", responses={200: RuleOutput, **problems(404)}
    )
    def retrieve(self, request: Request, rule_id: UUID) -> Response:
        """Answer one rule."""
        return Response(RuleOutput(queries.rule(self.caller.organization_id, rule_id)).data)

    @extend_schema(
        operation_id="changeAlertRule",
        summary="Change a rule",
        description="What decides when it is told raises its revision, and what is reached is told anew. Of "
        "a rule that every organization has, metric, condition and scope stay.",
        request=RuleChange,
        responses={200: RuleOutput, **problems(404, 415, 422)},
    )
    def partial_update(self, request: Request, rule_id: UUID) -> Response:
        """Change one rule and answer it."""
        body = RuleChange(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.change_rule(
            organization_id=self.caller.organization_id, rule_id=rule_id, **body.validated_data
        )
        return Response(RuleOutput(changed).data)

    @extend_schema(
        operation_id="deleteAlertRule",
        summary="Delete a rule",
        description="Its events end, and stay in the list. One that every organization has is switched off "
        "instead.",
        responses={204: None, **problems(404, 409)},
    )
    def destroy(self, request: Request, rule_id: UUID) -> Response:
        """Remove one rule."""
        services.delete_rule(organization_id=self.caller.organization_id, rule_id=rule_id)
        return Response(status=204)
