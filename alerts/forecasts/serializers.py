"""The shapes of forecasts, for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts.forecasts.outlook import Method
from core.serializers import CamelSerializer, MomentField
from usage.serializers import PeriodSerializer

_VALUE: dict[str, Any] = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}]
}


@extend_schema_field(_VALUE)
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """A metric's number; money as a decimal string."""


@extend_schema_field({"anyOf": [*_VALUE["anyOf"], {"type": "null"}]})
class MaybeValueField(serializers.Field[Any, Any, Any, Any]):
    """A metric's number, or null where nothing is known."""


class EstimateSerializer(CamelSerializer):
    """A number that isn't known yet: four times in five it lies between low and high."""

    expected = MaybeValueField()
    low = MaybeValueField()
    high = MaybeValueField()


class ForecastPointSerializer(EstimateSerializer):
    """What one day will bring."""

    date = serializers.DateField()


class ForecastTodaySerializer(ForecastPointSerializer):
    """What today has brought so far, and will by its end."""

    actual = ValueField()


class ForecastPeriodSerializer(EstimateSerializer):
    """What the period has come to so far, and will by its end."""

    actual = ValueField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with those of a window, one of which is a word of Python."""
        return {**PeriodSerializer().get_fields(), **super().get_fields()}


class FollowingSerializer(EstimateSerializer):
    """What the days after today will bring together."""

    days = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with those of a window, one of which is a word of Python."""
        return {**PeriodSerializer().get_fields(), **super().get_fields()}


class LearnedSerializer(CamelSerializer):
    """The days that a forecast was made from: from the first with any use to yesterday."""

    days = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with those of a window, one of which is a word of Python."""
        return {**PeriodSerializer().get_fields(), **super().get_fields()}


class MetricForecastSerializer(CamelSerializer):
    """The forecast of one metric."""

    metric = serializers.CharField()
    method = serializers.ChoiceField(
        choices=[method.value for method in Method],
        help_text="ets: exponential smoothing with weekdays, from 21 days on. runRate: the average day so "
        "far. none: there was no use yet, so that nothing is known.",
    )
    history = LearnedSerializer()
    period = ForecastPeriodSerializer()
    today = ForecastTodaySerializer()
    following = FollowingSerializer()
    points = ForecastPointSerializer(many=True)


class UsageForecastSerializer(CamelSerializer):
    """Forecasts of metrics; estimates have three significant digits, since more would not be known."""

    timezone = serializers.CharField()
    currency = serializers.CharField()
    confidence = serializers.FloatField(help_text="How likely the truth lies between low and high.")
    forecasts = MetricForecastSerializer(many=True)
    history_from = MomentField(help_text="Where the plan's history begins.")
