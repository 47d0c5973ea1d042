"""The shapes of the usage API's answers, for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.serializers import CamelSerializer, MomentField, MoneyField
from usage.links import LINKS
from usage.tiers import Tier


class QuantityField(serializers.Field[Any, Any, Any, Any]):
    """A quantity: an integer, or a decimal string where it isn't whole."""


class SignedQuantityField(QuantityField):
    """A quantity that can be below zero."""


class PeriodSerializer(CamelSerializer):
    """A half-open window."""

    to = MomentField(help_text="Exclusive.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; ``from`` can't be an attribute's name in Python."""
        return {"from": MomentField(help_text="Inclusive."), **super().get_fields()}


class RequestCountsSerializer(CamelSerializer):
    """Requests of a period by outcome."""

    total = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null without requests.")


class TokenCountsSerializer(CamelSerializer):
    """Tokens of a period."""

    prompt = serializers.IntegerField()
    completion = serializers.IntegerField()
    total = serializers.IntegerField()
    cached_prompt = serializers.IntegerField()
    cache_write = serializers.IntegerField()
    reasoning = serializers.IntegerField()


class ExecutionCountsSerializer(CamelSerializer):
    """Executions of a period by outcome."""

    completed = serializers.IntegerField()
    failed = serializers.IntegerField()


class AllowanceSerializer(CamelSerializer):
    """What was consumed of an allowance, and what there was; null where nothing was ever granted."""

    consumed = QuantityField(help_text="In the period.")
    granted = QuantityField(allow_null=True, help_text="To the whole organization, to date.")
    remaining = SignedQuantityField(
        allow_null=True, help_text="What is left of it now; below zero only where the plan allows overage."
    )


class MinuteSerializer(CamelSerializer):
    """One minute."""

    timestamp = MomentField(help_text="Where it begins.")
    total = serializers.IntegerField()


class PeakSerializer(CamelSerializer):
    """The minute with the most requests, and the one with the most tokens."""

    requests = MinuteSerializer()
    tokens = MinuteSerializer()


class UsageSerializer(CamelSerializer):
    """The totals of a period."""

    period = PeriodSerializer()
    requests = RequestCountsSerializer()
    tokens = TokenCountsSerializer()
    conversations = QuantityField()
    messages = QuantityField()
    pages = QuantityField()
    processor_runs = QuantityField()
    documents = QuantityField()
    executions = ExecutionCountsSerializer()
    quota = AllowanceSerializer()
    credits = AllowanceSerializer()
    cost = MoneyField()
    currency = serializers.CharField()
    unpriced_records = serializers.IntegerField(help_text="Records without a cost.")
    average_rpm = serializers.FloatField(help_text="Requests a minute of the period so far.")
    average_tpm = serializers.FloatField(help_text="Tokens a minute of the period so far.")
    peak_minute = PeakSerializer(
        allow_null=True, help_text="Null unless includePeak asks for it, and where nothing was used."
    )
    average_latency_ms = serializers.FloatField(allow_null=True)
    quantities = serializers.DictField(child=QuantityField(), help_text="Every meter, by its name.")
    history_from = MomentField(help_text="Where the plan's history begins.")


class PointSerializer(CamelSerializer):
    """One day of a series."""

    timestamp = serializers.IntegerField(help_text="UTC midnight in Unix milliseconds.")
    total = QuantityField()


class SeriesSerializer(CamelSerializer):
    """Three parallel daily series."""

    tokens = PointSerializer(many=True)
    conversations = PointSerializer(many=True)
    messages = PointSerializer(many=True)


class RecordTokensSerializer(CamelSerializer):
    """The tokens of one call."""

    prompt = serializers.IntegerField()
    completion = serializers.IntegerField()
    total = serializers.IntegerField()
    cached_prompt = serializers.IntegerField(allow_null=True)
    cache_write = serializers.IntegerField(allow_null=True)
    reasoning = serializers.IntegerField(allow_null=True)


class ScalarField(serializers.Field[Any, Any, Any, Any]):
    """A string, a number, a boolean or null."""


class AdjustmentSerializer(CamelSerializer):
    """A cost that a record was given after it was stored without one."""

    cost = MoneyField()
    price_id = serializers.IntegerField(allow_null=True)
    created_at = MomentField()


class RecordSerializer(CamelSerializer):
    """A usage record."""

    id = serializers.CharField()
    type = serializers.CharField()
    timestamp = MomentField()
    count = serializers.IntegerField()
    client_id = serializers.CharField()
    endpoint = serializers.CharField(allow_null=True)
    capability = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    provider = serializers.CharField(allow_null=True)
    service_tier = serializers.ChoiceField(choices=Tier.choices)
    status = serializers.ChoiceField(choices=["success", "error"])
    status_code = serializers.IntegerField(allow_null=True)
    error_type = serializers.CharField(allow_null=True)
    latency_ms = serializers.FloatField(allow_null=True)
    tokens = RecordTokensSerializer(allow_null=True)
    quantities = serializers.DictField(child=QuantityField())
    cost = MoneyField(allow_null=True, help_text="Null while the record is not priced.")
    currency = serializers.CharField()
    price_id = serializers.IntegerField(allow_null=True)
    adjustment = AdjustmentSerializer(
        allow_null=True, help_text="The cost that the record was given later; null for one that came priced."
    )
    reservation_id = serializers.CharField(allow_null=True)
    meta = serializers.DictField(child=ScalarField(allow_null=True))
    created_at = MomentField()
    updated_at = MomentField(help_text="When it was adjusted, else when it was created.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with one for each resource that a record can belong to."""
        return {**super().get_fields(), **{name: serializers.CharField(allow_null=True) for name in LINKS}}


@extend_schema_serializer(many=False)
class RecordPageSerializer(CamelSerializer):
    """A page of records."""

    items = RecordSerializer(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")
    history_from = MomentField(help_text="Where the plan's history begins.")


class RecordErrorSerializer(CamelSerializer):
    """Why one record was refused."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    id = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()
    pointer = serializers.CharField(allow_blank=True, help_text="JSON pointer into the record.")


class OutcomeSerializer(CamelSerializer):
    """What became of the records of a request."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors = RecordErrorSerializer(many=True)  # type: ignore[assignment] # the wire's name


class RefusedSerializer(OutcomeSerializer):
    """A problem that is also the outcome: every record was refused."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
