"""What spend limits are set to and how they are answered."""

from typing import Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.models import DecisionKind, Enforcement, LimitState, ReservationState, Window
from billing.models.limits import MAX_WARN_AT
from core.serializers import CamelSerializer, MomentField, MoneyField, StrictSerializer
from organizations.serializers import PaginationOutput
from usage.serializers import PeriodSerializer

WARN_AT: Final = (50, 80, 95)


def _share() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=100)


class LimitInput(StrictSerializer):
    """A limit to set."""

    limit = MoneyField(help_text="More than 0.")
    window = serializers.ChoiceField(choices=Window.choices, default=Window.ROLLING.value)
    warn_at = serializers.ListField(
        child=_share(),
        max_length=MAX_WARN_AT,
        default=lambda: list(WARN_AT),
        help_text="Shares of the limit, in per cent, that are announced when the spend reaches them.",
    )
    enforcement = serializers.ChoiceField(choices=Enforcement.choices, default=Enforcement.PAUSE.value)

    def validate_limit(self, value: int) -> int:
        """Refuse what would be reached before anything was spent."""
        if value <= 0:
            raise serializers.ValidationError("The limit must be more than 0.", code="invalid")
        return value


class ForecastSerializer(CamelSerializer):
    """What will come if spending goes on as high as in the last 24 hours, and as weeks go up and down."""

    pauses_at = MomentField(
        allow_null=True,
        help_text="The quarter-hour in which the limit will be reached. Null: not within seven days, or this "
        "week.",
    )
    earliest = MomentField(
        allow_null=True, help_text="One time in ten it will be sooner. Null: not even at the highest pace."
    )
    latest = MomentField(
        allow_null=True, help_text="One time in ten it will be later. Null: at the lowest pace, not at all."
    )


class LimitSerializer(CamelSerializer):
    """A spend limit as it stands."""

    client_id = serializers.CharField(allow_null=True, help_text="Null: the organization's.")
    limit = MoneyField()
    currency = serializers.CharField()
    window = serializers.ChoiceField(choices=Window.choices)
    warn_at = serializers.ListField(child=serializers.IntegerField())
    enforcement = serializers.ChoiceField(choices=Enforcement.choices)
    state = serializers.ChoiceField(choices=LimitState.choices)
    paused_at = MomentField(allow_null=True)
    period = PeriodSerializer(help_text="The window it adds up over now; its end is when it moves on.")
    spent = MoneyField()
    reserved = MoneyField()
    remaining = MoneyField()
    resets_at = MomentField(
        allow_null=True,
        help_text="When a paused limit opens again if nothing more is spent; of an open one, when its week "
        "ends or its rolling window next lets go of anything.",
    )
    forecast = ForecastSerializer()


@extend_schema_serializer(many=False)
class LimitPageSerializer(CamelSerializer):
    """A page of limits, the organization's own first."""

    items = LimitSerializer(many=True)
    pagination = PaginationOutput()


class DecisionSerializer(CamelSerializer):
    """What happened to a limit, with its figures at that moment."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=DecisionKind.choices)
    decided_at = MomentField()
    client_id = serializers.CharField(allow_null=True)
    threshold = serializers.IntegerField(allow_null=True, help_text="Of a warning: the share reached.")
    limit = MoneyField()
    currency = serializers.CharField()
    window = serializers.ChoiceField(choices=Window.choices)
    enforcement = serializers.ChoiceField(choices=Enforcement.choices)
    period = PeriodSerializer()
    spent = MoneyField()
    reserved = MoneyField()


@extend_schema_serializer(many=False)
class DecisionPageSerializer(CamelSerializer):
    """A page of decisions."""

    items = DecisionSerializer(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")


class PauseSerializer(CamelSerializer):
    """A time in which calls would have been refused."""

    paused_at = MomentField()
    resumed_at = MomentField(allow_null=True, help_text="Null: still paused at the end of the period.")
    spent = MoneyField(help_text="What had been spent in the window.")
    stopped = MoneyField(help_text="What was spent meanwhile, and would not have been.")


class ShareSerializer(CamelSerializer):
    """A warning that would have been given."""

    threshold = serializers.IntegerField()
    warned_at = MomentField()


class ReplaySerializer(CamelSerializer):
    """What a limit would have done to the spending of a period, by quarter-hours."""

    period = PeriodSerializer()
    limit = MoneyField()
    currency = serializers.CharField()
    window = serializers.ChoiceField(choices=Window.choices)
    warn_at = serializers.ListField(child=serializers.IntegerField())
    enforcement = serializers.ChoiceField(choices=Enforcement.choices)
    spent = MoneyField(help_text="What was spent in the period.")
    stopped = MoneyField(help_text="The part of it that would not have been spent.")
    paused_seconds = serializers.IntegerField()
    pauses = PauseSerializer(many=True)
    warnings = ShareSerializer(many=True)


class ReservationSerializer(CamelSerializer):
    """An amount held for a call, and what became of it."""

    id = serializers.CharField()
    client_id = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=ReservationState.choices)
    amount = MoneyField()
    settled = MoneyField(help_text="What its records cost, whenever they came.")
    currency = serializers.CharField()
    created_at = MomentField()
    expires_at = MomentField()
    ended_at = MomentField(allow_null=True)


@extend_schema_serializer(many=False)
class ReservationPageSerializer(CamelSerializer):
    """A page of reservations."""

    items = ReservationSerializer(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")
