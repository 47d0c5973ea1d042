"""What the gate is asked and answers."""

from rest_framework import serializers

from core.schema import ProblemSerializer
from core.serializers import CamelSerializer, MomentField, MoneyField, StrictSerializer, TextField
from usage.dialects.plain import MAX_TOKENS
from usage.tiers import Tier


class QuestionSerializer(StrictSerializer):
    """The call that is asked for."""

    client_id = TextField(required=False, max_length=200, help_text="Whose call; default the calling key's.")
    model = TextField(required=False, max_length=200)
    provider = TextField(required=False, max_length=200)
    service_tier = serializers.ChoiceField(choices=Tier.choices, required=False)
    estimated_cost = MoneyField(required=False, help_text="What the call may cost at most; held as it is.")
    prompt_tokens = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_TOKENS,
        help_text="Priced, with maxCompletionTokens, at the model's dearest rates.",
    )
    max_completion_tokens = serializers.IntegerField(required=False, min_value=0, max_value=MAX_TOKENS)
    ttl_seconds = serializers.IntegerField(required=False, min_value=1, help_text="How long to hold it.")


class PermissionSerializer(CamelSerializer):
    """The call may go ahead. The amounts are those of the limit with the least left; null without a limit."""

    allowed = serializers.BooleanField()
    client_id = serializers.CharField(allow_null=True)
    reservation_id = serializers.CharField(
        allow_null=True, help_text="For the call's record; null when nothing is held."
    )
    held = MoneyField(allow_null=True)
    expires_at = MomentField(allow_null=True, help_text="When what is held is given back by itself.")
    checked = serializers.BooleanField(
        help_text="Whether limits were looked at; false only while the database is away and the gate is open."
    )
    currency = serializers.CharField()
    limit = MoneyField(allow_null=True)
    spent = MoneyField(allow_null=True)
    reserved = MoneyField(allow_null=True)
    remaining = MoneyField(allow_null=True)


class RefusalSerializer(ProblemSerializer):
    """A spend limit stands in the way: which, how it stands, and when that may end."""

    client_id = serializers.CharField(allow_null=True)
    scope = serializers.ChoiceField(choices=["organization", "credential"])
    currency = serializers.CharField()
    limit = MoneyField()
    spent = MoneyField()
    reserved = MoneyField()
    remaining = MoneyField()
    resets_at = MomentField(allow_null=True, help_text="At the earliest; null: not by itself.")
