"""What `/invoices` answers."""

from typing import Any

from rest_framework import serializers

from billing.models import Basis, InvoiceKind, InvoiceState
from core.serializers import CamelSerializer, MomentField, MoneyField
from organizations.serializers import PaginationOutput
from usage.serializers import PeriodSerializer, SignedQuantityField


class InvoiceSerializer(CamelSerializer):
    """An invoice, or a credit note, without its lines."""

    reference = serializers.CharField(help_text="The number, or for a draft the first day of its period.")
    number = serializers.CharField(allow_null=True, help_text="Null while it is a draft.")
    kind = serializers.ChoiceField(choices=InvoiceKind.choices)
    state = serializers.ChoiceField(choices=InvoiceState.choices)
    period = PeriodSerializer()
    timezone = serializers.CharField(help_text="Whose months are told apart.")
    currency = serializers.CharField()
    lines_total = MoneyField(help_text="The exact sum of the lines.")
    rounding = MoneyField(help_text="What makes the sum of the lines the total.")
    total = serializers.CharField(help_text="To be paid: in the currency's own decimal places.")
    unpriced_records = serializers.IntegerField(help_text="Records of the period that had no price yet.")
    credits = serializers.CharField(allow_null=True, help_text="The invoice that a credit note takes back.")
    credited_by = serializers.CharField(allow_null=True, help_text="The credit note that takes it back.")
    reason = serializers.CharField(allow_blank=True)
    calculated_at = MomentField()
    issued_at = MomentField(allow_null=True)
    due_at = MomentField(allow_null=True)


class InvoiceLineSerializer(CamelSerializer):
    """What one rate, or one report, came to."""

    period = PeriodSerializer(help_text="Of the use; an earlier month's where the line makes up for it.")
    basis = serializers.ChoiceField(choices=Basis.choices)
    provider = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    service_tier = serializers.CharField(allow_null=True)
    meter = serializers.CharField()
    above = serializers.IntegerField(help_text="Prompt tokens of a request beyond which the rate holds.")
    price_id = serializers.IntegerField(allow_null=True)
    rate = MoneyField(allow_null=True, help_text="For `per` units, before the discount.")
    per = serializers.IntegerField(allow_null=True)
    discount_percent = serializers.CharField()
    quantity = SignedQuantityField()
    cost = MoneyField(help_text="After the discount.")


class InvoiceDocumentSerializer(InvoiceSerializer):
    """An invoice with its lines, which add up to `linesTotal`."""

    issuer = serializers.ListField(child=serializers.CharField(), help_text="Name and address.")
    recipient = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, the lines last."""
        return {**super().get_fields(), "lines": InvoiceLineSerializer(many=True)}


class InvoicePageSerializer(CamelSerializer):
    """A page of invoices."""

    invoices = InvoiceSerializer(many=True)
    pagination = PaginationOutput()
