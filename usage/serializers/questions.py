"""The shapes of the answers to questions: `/usage/query`, `/usage/keys`, models and capabilities."""

from typing import Any

from rest_framework import serializers

from core.serializers import CamelSerializer, MomentField, MoneyField
from organizations.serializers import PaginationOutput
from usage.serializers import PeriodSerializer, ScalarField


class QuerySerializer(CamelSerializer):
    """Rows of buckets and values: a timestamp, the facets grouped by, and the metrics, by their names."""

    period = PeriodSerializer()
    timezone = serializers.CharField()
    granularity = serializers.CharField()
    currency = serializers.CharField()
    rows = serializers.ListField(child=serializers.DictField(child=ScalarField(allow_null=True)))
    pagination = PaginationOutput()
    history_from = MomentField()


class LatencySerializer(CamelSerializer):
    """Latency in milliseconds: the average exact, percentiles within 6 %; null when nothing was timed."""

    average = serializers.FloatField(allow_null=True)
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class FiguresSerializer(CamelSerializer):
    """What adds up."""

    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment] # the wire's name
    error_rate = serializers.FloatField()
    tokens = serializers.IntegerField()
    cost = MoneyField()


class KeyFiguresSerializer(FiguresSerializer):
    """The use of one key."""

    key_id = serializers.CharField()
    name = serializers.CharField()
    environment = serializers.CharField()
    latency = LatencySerializer(allow_null=True)
    peak_rpm = serializers.IntegerField(
        allow_null=True, help_text="The most requests in a minute; null unless it was asked for."
    )
    last_used_at = MomentField(allow_null=True)
    revoked_at = MomentField(allow_null=True)


class UseSerializer(FiguresSerializer):
    """The use of the keys together, and of each."""

    currency = serializers.CharField()
    latency = LatencySerializer(allow_null=True)
    keys = KeyFiguresSerializer(many=True)


class KeyPointSerializer(CamelSerializer):
    """One bucket of a series."""

    timestamp = MomentField()
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment] # the wire's name
    tokens = serializers.IntegerField()
    cost = MoneyField()
    average_latency_ms = serializers.FloatField(allow_null=True)


class EndpointSerializer(FiguresSerializer):
    """The use of one endpoint; null where records name none."""

    endpoint = serializers.CharField(allow_null=True)
    average_latency_ms = serializers.FloatField(allow_null=True)
    p50_latency_ms = serializers.FloatField(allow_null=True)
    p95_latency_ms = serializers.FloatField(allow_null=True)
    p99_latency_ms = serializers.FloatField(allow_null=True)


class ErrorsSerializer(CamelSerializer):
    """Errors by what they were and where; "unknown" where a record does not say."""

    total = serializers.IntegerField()
    by_status_code = serializers.DictField(child=serializers.IntegerField())
    by_type = serializers.DictField(child=serializers.IntegerField())
    by_endpoint = serializers.DictField(child=serializers.IntegerField())


class RateLimitSerializer(CamelSerializer):
    """How much of its rate limit a key has used, at the API or at the gate, whichever is more."""

    key_id = serializers.CharField()
    limit = serializers.IntegerField()
    window = serializers.CharField(help_text="How long the limit counts.")
    used = serializers.IntegerField()
    remaining = serializers.IntegerField()
    reset_at = MomentField(help_text="When the window ends; where none runs, when one begun now would.")
    peak_per_minute = serializers.IntegerField(
        help_text="The most in any window that began on the period's days, which are UTC's here."
    )


class AdviceSerializer(CamelSerializer):
    """Something worth telling of a key, and what to do."""

    severity = serializers.ChoiceField(choices=["critical", "warning", "info"])
    code = serializers.CharField()
    key_id = serializers.CharField()
    message = serializers.CharField()
    recommendation = serializers.CharField()


class KeyUsageSerializer(CamelSerializer):
    """Use per API key over a timeframe."""

    success = serializers.BooleanField()
    usage = UseSerializer()
    time_series = KeyPointSerializer(many=True)
    endpoints = EndpointSerializer(many=True, allow_null=True)
    errors = ErrorsSerializer(allow_null=True)  # type: ignore[assignment] # the wire's name
    rate_limits = RateLimitSerializer(many=True)
    alerts = AdviceSerializer(many=True)
    pagination = PaginationOutput()
    period = PeriodSerializer()
    history_from = MomentField(help_text="Where the plan's history begins.")
    timestamp = MomentField()


class TrendPointSerializer(CamelSerializer):
    """One bucket of a trend."""

    timestamp = MomentField()
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment] # the wire's name
    tokens = serializers.IntegerField()
    cost = MoneyField()


class ModelTrendSerializer(CamelSerializer):
    """A model's use over time."""

    model = serializers.CharField(allow_null=True)
    points = TrendPointSerializer(many=True)


class ModelShareSerializer(CamelSerializer):
    """A model's share of all requests, 0 to 1."""

    model = serializers.CharField(allow_null=True)
    requests = serializers.IntegerField()
    share = serializers.FloatField()


class StandingSerializer(FiguresSerializer):
    """A place on a leaderboard."""

    rank = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    average_latency_ms = serializers.FloatField(allow_null=True)
    cost_per_million_tokens = serializers.FloatField(allow_null=True)


class ModelStandingSerializer(StandingSerializer):
    """A model's place on the leaderboard."""

    model = serializers.CharField(allow_null=True)


class ModelsSerializer(CamelSerializer):
    """Models against each other."""

    period = PeriodSerializer()
    currency = serializers.CharField()
    trends = ModelTrendSerializer(many=True)
    distribution = ModelShareSerializer(many=True)
    leaderboard = ModelStandingSerializer(many=True)
    history_from = MomentField()


def _by_capability(base: type[CamelSerializer], name: str) -> Any:
    """Return the shape of a serializer with ``capability`` in the place of ``model``."""
    words = (base.__doc__ or "").replace("model", "capability")
    fields = {"capability": serializers.CharField(allow_null=True), "model": None, "__doc__": words}
    return type(name, (base,), fields)


CapabilityTrendSerializer = _by_capability(ModelTrendSerializer, "CapabilityTrendSerializer")
CapabilityShareSerializer = _by_capability(ModelShareSerializer, "CapabilityShareSerializer")
CapabilityStandingSerializer = _by_capability(ModelStandingSerializer, "CapabilityStandingSerializer")


class CapabilitiesSerializer(CamelSerializer):
    """Capabilities against each other."""

    period = PeriodSerializer()
    currency = serializers.CharField()
    trends = CapabilityTrendSerializer(many=True)
    distribution = CapabilityShareSerializer(many=True)
    leaderboard = CapabilityStandingSerializer(many=True)
    history_from = MomentField()
