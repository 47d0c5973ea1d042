"""The shapes of prices and of the reasons for costs, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from billing.models import Source
from billing.queries.prices import Basis
from core.serializers import CamelSerializer, MomentField, MoneyField
from usage.serializers import QuantityField
from usage.tiers import Tier


class HoursSerializer(CamelSerializer):
    """The hours of the day, in UTC, in which a price holds."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; ``from`` can't be an attribute's name in Python."""
        return {
            "from": serializers.CharField(help_text="Inclusive."),
            "to": serializers.CharField(help_text="Exclusive; earlier than from: across midnight."),
        }


class RateSerializer(CamelSerializer):
    """What so many units of a meter cost."""

    meter = serializers.CharField()
    above = serializers.IntegerField(
        help_text="Prompt tokens beyond which the rate holds for the whole call; 0: from the start."
    )
    amount = MoneyField()
    per = serializers.IntegerField()


class PriceSerializer(CamelSerializer):
    """A price as it holds."""

    id = serializers.IntegerField()
    own = serializers.BooleanField(help_text="The organization's own; otherwise the list's.")
    provider = serializers.CharField(allow_null=True, help_text="Null: whoever provides the model.")
    model = serializers.CharField(allow_null=True, help_text="Null: calls that name no model.")
    tier = serializers.ChoiceField(choices=Tier.choices)
    currency = serializers.CharField()
    effective_from = MomentField()
    effective_until = MomentField(allow_null=True, help_text="Null: until it is superseded.")
    hours = HoursSerializer(allow_null=True, help_text="Null: all day.")
    price_source = serializers.ChoiceField(choices=Source.choices)
    discount_percent = serializers.CharField(help_text="What the organization pays less than the rates.")
    rates = RateSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; ``source`` means something else to a serializer."""
        fields = super().get_fields()
        return {("source" if name == "priceSource" else name): field for name, field in fields.items()}


class PricePaginationSerializer(CamelSerializer):
    """Where a page of prices is among all."""

    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    has_more = serializers.BooleanField()


class PricesSerializer(CamelSerializer):
    """The prices that hold at a moment."""

    at = MomentField()
    items = PriceSerializer(many=True)
    pagination = PricePaginationSerializer()


class CostLineSerializer(RateSerializer):
    """What one rate billed of a call, after the discount."""

    quantity = QuantityField()
    cost = MoneyField()


class CostExplanationSerializer(CamelSerializer):
    """Why a record costs what it does."""

    id = serializers.CharField()
    timestamp = MomentField()
    provider = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    service_tier = serializers.ChoiceField(choices=Tier.choices)
    basis = serializers.ChoiceField(
        choices=[basis.value for basis in Basis],
        help_text="Reported with the record, by a price, by a price that came later, or not priced yet.",
    )
    cost = MoneyField(allow_null=True)
    currency = serializers.CharField()
    price = PriceSerializer(allow_null=True)
    lines = CostLineSerializer(many=True, help_text="They add up to the cost.")
