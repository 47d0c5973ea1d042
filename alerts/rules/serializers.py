"""What `/alerts/rules` reads and writes."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from alerts.deliveries.snapshots import amount
from alerts.models import Condition, Rule, ScopeKind, Severity, Span
from alerts.rules.services import ScopeTerms
from alerts.rules.terms import MOST_THRESHOLDS
from core.serializers import CamelSerializer, FlagField, MomentField, StrictSerializer, TextField
from organizations.serializers import PaginationOutput
from usage.queries.metrics import METRIC_PATTERN

PLACES: Final = 9
MOST_CHANNELS: Final = 50
MOST_QUIET_MINUTES: Final = 31 * 24 * 60
CHOSEN: Final = [choice for choice in Condition.choices if choice[0] != Condition.LIMIT]
"""The conditions that rules of the organization's own can have."""
_DECIMAL: Final = {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,18})(\.[0-9]{1,9})?$"}
_METRIC: Final = "A metric as in `/usage/query`; with `aboveShare` also rateLimit."
_SCOPE: Final = "Without `value`, each part of the kind by itself."


@extend_schema_field({"type": "string", "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]{1,2})?$"})
class DecimalString(serializers.Field[Decimal, Any, str, Any]):
    """A number that is a decimal string outside."""

    def __init__(self, *, most: int, places: int, **options: Any) -> None:
        super().__init__(**options)
        self.most, self.places = most, places

    def to_internal_value(self, data: Any) -> Decimal:
        """Read a number."""
        value = _decimal(data, self.places)
        if value is None or value > self.most:
            detail = f"{_not_a_decimal(self.places)} At most {self.most}."
            raise serializers.ValidationError(detail, code="invalid")
        return value

    def to_representation(self, value: Decimal) -> str:
        """Write a number."""
        return amount(value) or "0"


@extend_schema_field({"oneOf": [{"type": "array", "items": _DECIMAL, "maxItems": MOST_THRESHOLDS}, _DECIMAL]})
class ThresholdsField(serializers.Field[list[Decimal], Any, list[str], Any]):
    """Thresholds: one, or a list of them."""

    def to_internal_value(self, data: Any) -> list[Decimal]:
        """Read them."""
        given = data if isinstance(data, list) else [data]
        if len(given) > MOST_THRESHOLDS:
            raise serializers.ValidationError(
                f"There are at most {MOST_THRESHOLDS} thresholds.", code="max_length"
            )
        found = [_decimal(one, PLACES) for one in given]
        if None in found:
            raise serializers.ValidationError(_not_a_decimal(PLACES), code="invalid")
        return [one for one in found if one is not None]


class ScopeInput(StrictSerializer):
    """What a rule looks at."""

    kind = serializers.ChoiceField(choices=ScopeKind.choices)
    value = TextField(
        max_length=200, required=False, allow_null=True, help_text="Of a credential its client id."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Read the scope."""
        read = super().to_internal_value(data)
        return ScopeTerms(ScopeKind(read["kind"]), read.get("value"))


class _Fields(StrictSerializer):
    """What a rule has beside what it is about."""

    window = serializers.ChoiceField(
        choices=Span.choices,
        required=False,
        allow_null=True,
        help_text="Back from now, or since the calendar's day, week or month began.",
    )
    threshold = ThresholdsField(
        source="thresholds",
        required=False,
        help_text="Each is told by itself: in the metric's unit; in per cent of rates, shares and changes.",
    )
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    least_requests = serializers.IntegerField(
        min_value=0,
        max_value=10**9,
        required=False,
        help_text="Below so many requests there is no value. Default 20 of rates and changes, else 0.",
    )
    hysteresis = DecimalString(
        most=50,
        places=2,
        required=False,
        help_text="By how many per cent of a threshold the value has to come back before its event ends.",
    )
    quiet_minutes = serializers.IntegerField(
        min_value=0,
        max_value=MOST_QUIET_MINUTES,
        required=False,
        help_text="How long what was told and ended is not told again.",
    )
    channels = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_CHANNELS,
        required=False,
        help_text="Empty: all of the organization's; while it has none, its owners and admins by e-mail.",
    )
    enabled = FlagField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        """Read the rule; no window is one of the windows."""
        read = super().to_internal_value(data)
        if "window" in read:
            read["window"] = read["window"] or ""
        return read


class RuleInput(_Fields):
    """What a new rule is made of."""

    name = TextField(max_length=100, help_text="What people know it by.")
    metric = serializers.RegexField(f"^({METRIC_PATTERN})$", max_length=100, help_text=_METRIC)
    condition = serializers.ChoiceField(choices=CHOSEN)
    scope = ScopeInput(required=False, help_text=_SCOPE)


class RuleChange(_Fields):
    """What can be changed of a rule; what is absent stays."""

    name = TextField(max_length=100, required=False)
    metric = serializers.RegexField(f"^({METRIC_PATTERN})$", max_length=100, required=False)
    condition = serializers.ChoiceField(choices=CHOSEN, required=False)
    scope = ScopeInput(required=False, help_text=_SCOPE)


class ScopeOutput(CamelSerializer):
    """What a rule looks at."""

    kind = serializers.ChoiceField(choices=ScopeKind.choices)
    value = serializers.CharField(allow_null=True)


class RuleOutput(CamelSerializer):
    """A rule."""

    id = serializers.UUIDField()
    code = serializers.CharField(allow_null=True, help_text="Of a rule that every organization has.")
    name = serializers.CharField()
    metric = serializers.CharField()
    scope = ScopeOutput()
    condition = serializers.ChoiceField(choices=Condition.choices)
    threshold = serializers.ListField(
        child=serializers.CharField(), help_text="In the order of being reached."
    )
    window = serializers.ChoiceField(choices=Span.choices, allow_null=True)
    severity = serializers.ChoiceField(
        choices=Severity.choices, help_text="Of several thresholds, the last is critical whatever this says."
    )
    least_requests = serializers.IntegerField()
    hysteresis = serializers.CharField()
    quiet_minutes = serializers.IntegerField()
    channels = serializers.ListField(child=serializers.UUIDField())
    enabled = serializers.BooleanField()
    revision = serializers.IntegerField(
        help_text="Rises with every change of what is told, which is then told anew."
    )
    created_at = MomentField()
    updated_at = MomentField()

    def to_representation(self, instance: Rule) -> dict[str, Any]:
        """Write a rule."""
        return super().to_representation(_shown(instance))


@extend_schema_serializer(many=False)
class RulePageOutput(CamelSerializer):
    """A page of rules."""

    items = RuleOutput(many=True)
    pagination = PaginationOutput()


def _shown(rule: Rule) -> Mapping[str, Any]:
    kept = (
        "id", "name", "metric", "condition", "severity", "least_requests", "quiet_minutes", "enabled",
        "revision", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: getattr(rule, name) for name in kept},
        "code": rule.code or None,
        "scope": {"kind": rule.scope_kind, "value": scope_value(rule)},
        "threshold": [amount(one) for one in rule.thresholds],
        "window": rule.window or None,
        "hysteresis": amount(rule.hysteresis),
        "channels": sorted(chosen.channel_id for chosen in rule.chosen.all()),
    }


def scope_value(rule: Rule) -> str | None:
    """Return the part of the scope that a rule names, as people know it; None where it names none."""
    return rule.value if rule.credential is None else rule.credential.client_id


def _decimal(data: Any, places: int) -> Decimal | None:
    plain = isinstance(data, str) and re.fullmatch(
        rf"(0|[1-9][0-9]{{0,18}})(\.[0-9]{{1,{places}}})?", data, re.ASCII
    )
    return Decimal(data) if plain else None


def _not_a_decimal(places: int) -> str:
    return f"Must be a decimal string of at most {places} places, not below 0."
