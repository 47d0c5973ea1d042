"""The shapes of costs and of the plan, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from core.serializers import CamelSerializer, MomentField, MoneyField
from usage.serializers import PeriodSerializer


class CostFiguresSerializer(CamelSerializer):
    """What some use came to."""

    cost = MoneyField()
    requests = serializers.IntegerField()
    tokens = serializers.IntegerField()
    unpriced_records = serializers.IntegerField(help_text="Records without a cost, which add nothing to it.")


class CostDaySerializer(CostFiguresSerializer):
    """The costs of one day of the zone."""

    date = serializers.DateField()


class CostShareSerializer(CostFiguresSerializer):
    """What caused a part of the costs."""

    share = serializers.FloatField(allow_null=True, help_text="Of the window's cost; null when it is zero.")


class CredentialCostSerializer(CostShareSerializer):
    """The costs of one credential."""

    client_id = serializers.CharField()
    name = serializers.CharField()


class ModelCostSerializer(CostShareSerializer):
    """The costs of one model of a provider; null where records name none."""

    model = serializers.CharField(allow_null=True)
    provider = serializers.CharField(allow_null=True)


class CapabilityCostSerializer(CostShareSerializer):
    """The costs of one capability; null where records name none."""

    capability = serializers.CharField(allow_null=True)


class UnpricedModelSerializer(CamelSerializer):
    """A model that has records without a cost."""

    model = serializers.CharField(allow_null=True)
    provider = serializers.CharField(allow_null=True)
    records = serializers.IntegerField()


class UnpricedSerializer(CamelSerializer):
    """What has no cost yet: it is not zero, and in no sum."""

    records = serializers.IntegerField()
    models = UnpricedModelSerializer(many=True)


class CostPeriodsSerializer(CamelSerializer):
    """Where the named windows begin and end."""

    month_to_date = PeriodSerializer()
    billing_period = PeriodSerializer()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with the one whose name on the wire has a number in it."""
        return {"rolling7Days": PeriodSerializer(), **super().get_fields()}


class CostEstimateSerializer(CamelSerializer):
    """A sum that isn't known yet: four times in five it lies between low and high."""

    expected = MoneyField()
    low = MoneyField()
    high = MoneyField()


class CostForecastSerializer(CamelSerializer):
    """What spending will come to."""

    method = serializers.CharField(help_text="ets, runRate, or none where there was no use yet.")
    history_days = serializers.IntegerField(help_text="From how many days it was made.")
    confidence = serializers.FloatField(help_text="How likely the truth lies between low and high.")
    billing_period = CostEstimateSerializer(
        allow_null=True, help_text="What was spent so far, and what is still to come."
    )

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with the one whose name on the wire has a number in it."""
        following = CostEstimateSerializer(allow_null=True, help_text="The 30 days after today.")
        return {**super().get_fields(), "next30Days": following}


class CostsSerializer(CamelSerializer):
    """What use costs."""

    period = PeriodSerializer()
    timezone = serializers.CharField()
    currency = serializers.CharField()
    cost = MoneyField(help_text="Of the window.")
    daily = CostDaySerializer(many=True)
    month_to_date = MoneyField()
    billing_period = MoneyField()
    periods = CostPeriodsSerializer()
    by_credential = CredentialCostSerializer(many=True)
    by_model = ModelCostSerializer(many=True)
    by_capability = CapabilityCostSerializer(many=True)
    unpriced = UnpricedSerializer()
    forecast = CostForecastSerializer()
    history_from = MomentField(help_text="Where the plan's history begins.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, with the one whose name on the wire has a number in it."""
        rolling = MoneyField(help_text="Of seven days up to now, as a rolling spend limit counts them.")
        return {"rolling7Days": rolling, **super().get_fields()}


class OtherModelSerializer(CamelSerializer):
    """The model that is compared with, and the price that it has now."""

    model = serializers.CharField()
    provider = serializers.CharField(allow_null=True)
    service_tier = serializers.CharField()
    price_id = serializers.IntegerField()


class DifferenceSerializer(CamelSerializer):
    """What records cost, and what they would have."""

    records = serializers.IntegerField(help_text="With tokens and a cost.")
    cost = MoneyField()
    other_cost = MoneyField()
    difference = MoneyField(help_text="Positive where the other model would have cost more.")
    ratio = serializers.FloatField(
        allow_null=True, help_text="Other cost to cost; null when nothing was paid."
    )


class ModelDifferenceSerializer(DifferenceSerializer):
    """The difference for the use of one model; null where records name none."""

    model = serializers.CharField(allow_null=True)
    provider = serializers.CharField(allow_null=True)


class UnpricedOtherSerializer(CamelSerializer):
    """Records without a cost, which are not in the difference, and what they would have cost."""

    records = serializers.IntegerField()
    other_cost = MoneyField()


class ComparisonSerializer(DifferenceSerializer):
    """The same use on another model."""

    period = PeriodSerializer()
    currency = serializers.CharField()
    other = OtherModelSerializer()
    by_model = ModelDifferenceSerializer(many=True)
    unpriced = UnpricedOtherSerializer()
    history_from = MomentField()


class PlanSerializer(CamelSerializer):
    """What the organization is entitled to."""

    slug = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    timezone = serializers.CharField(help_text="The zone of its days, weeks and billing periods.")
    billing_period = PeriodSerializer()
    history_days = serializers.IntegerField(allow_null=True, help_text="Null: all of it.")
    history_from = MomentField()
    requests_per_minute = serializers.IntegerField()
    api_access = serializers.BooleanField(help_text="The gate lets the organization's calls through.")
    exports = serializers.BooleanField()
    spend_limit = serializers.BooleanField(help_text="May set spend limits.")
    invoices = serializers.BooleanField()
    overage = serializers.BooleanField(help_text="May use credits and quota beyond what is granted.")
