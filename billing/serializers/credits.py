"""What `/credits` answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.ledger.queries import GrantState
from billing.models import Account, Allowance, Movement
from core.serializers import CamelSerializer, MomentField
from organizations.serializers import PaginationOutput
from usage.serializers import QuantityField, SignedQuantityField


class StandingSerializer(CamelSerializer):
    """How the organization stands with an allowance, to date; a grant counts once it begins."""

    granted = QuantityField()
    consumed = QuantityField(help_text="By records since the first grant.")
    uncovered = QuantityField(help_text="The part of consumed that no grant covered.")
    overage = QuantityField(help_text="The part of consumed beyond the grants that the plan allowed.")
    expired = QuantityField()
    revoked = QuantityField()
    remaining = SignedQuantityField(help_text="Below zero only by the overage.")


class GrantSerializer(CamelSerializer):
    """An amount that was granted."""

    id = serializers.IntegerField()
    allowance = serializers.ChoiceField(choices=Allowance.choices)
    state = serializers.ChoiceField(choices=GrantState.choices)
    amount = QuantityField()
    remaining = QuantityField()
    priority = serializers.IntegerField(help_text="The smallest is burnt down first.")
    effective_at = MomentField()
    expires_at = MomentField(allow_null=True)
    revoked_at = MomentField(allow_null=True)
    reason = serializers.CharField()
    created_at = MomentField()


class CreditsSerializer(CamelSerializer):
    """Credits and quota; null where none were ever granted."""

    credits = StandingSerializer(allow_null=True)
    quota = StandingSerializer(allow_null=True)
    overage_allowed = serializers.BooleanField(help_text="The plan lets more be used than was granted.")
    grants = GrantSerializer(many=True)
    pagination = PaginationOutput()


class PostingSerializer(CamelSerializer):
    """What a transaction does to one account."""

    account = serializers.ChoiceField(choices=Account.choices)
    grant_id = serializers.IntegerField(allow_null=True)
    amount = SignedQuantityField()


class RecordsOfUseSerializer(CamelSerializer):
    """The filters of `/records` that find what a use is made of."""

    created_at = MomentField(help_text="When they were stored, as one batch.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; the window's first bound is named with a word that Python keeps for itself."""
        window = {"from": MomentField(help_text="Inclusive."), "to": MomentField(help_text="Exclusive.")}
        return {**window, **super().get_fields()}


class MovementSerializer(CamelSerializer):
    """A transaction of the ledger: its postings add up to zero."""

    id = serializers.IntegerField()
    allowance = serializers.ChoiceField(choices=Allowance.choices)
    kind = serializers.ChoiceField(choices=Movement.choices)
    posted_at = MomentField()
    records = RecordsOfUseSerializer(allow_null=True, help_text="Null where it is no use.")
    postings = PostingSerializer(many=True)


@extend_schema_serializer(many=False)
class MovementPageSerializer(CamelSerializer):
    """A page of the ledger."""

    items = MovementSerializer(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")
