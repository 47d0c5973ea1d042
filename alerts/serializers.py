"""What `/alerts` reads and writes; one serializer per direction."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from alerts.channels.targets import MOST
from alerts.models import DeliveryState, Disabled, Kind, Notice, Outcome, Severity
from core.serializers import CamelSerializer, FlagField, MomentField, StrictSerializer, TextField
from organizations.serializers import PaginationOutput


class ChannelInput(StrictSerializer):
    """What a new channel is made of."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    name = TextField(max_length=100, help_text="What people know it by.")
    url = TextField(max_length=MOST, required=False, help_text="Where to send; of every kind but email.")
    address = TextField(max_length=254, required=False, help_text="The mailbox; of the kind email.")


class ChannelChange(StrictSerializer):
    """What can be changed of a channel; what is absent stays."""

    name = TextField(max_length=100, required=False)
    url = TextField(max_length=MOST, required=False)
    address = TextField(max_length=254, required=False)
    enabled = FlagField(required=False)


class ChannelOutput(CamelSerializer):
    """A channel, without what only its receiver should know."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    target = serializers.CharField(
        source="shown", help_text="The mailbox, or the address but for what is secret."
    )
    enabled = serializers.BooleanField()
    disabled_at = MomentField(allow_null=True)
    disabled_because = serializers.ChoiceField(
        choices=Disabled.values, source="why_disabled", allow_null=True
    )
    confirmed_at = MomentField(
        allow_null=True, help_text="When the owner of an address that is no member's agreed to be told."
    )
    failing_since = MomentField(allow_null=True, help_text="No delivery has succeeded since.")
    delivered_at = MomentField(allow_null=True, help_text="The last delivery.")
    created_at = MomentField()


class IssuedChannelOutput(ChannelOutput):
    """A channel when its secret is new, which is shown this once."""

    secret = serializers.CharField(
        allow_null=True, help_text="What a webhook's messages are signed with; null for other kinds."
    )


@extend_schema_serializer(many=False)
class ChannelPageOutput(CamelSerializer):
    """A page of channels."""

    items = ChannelOutput(many=True)
    pagination = PaginationOutput()


class EventScopeOutput(CamelSerializer):
    """What an event concerns."""

    kind = serializers.CharField(help_text="organization, or what it is of the organization's.")
    value = serializers.CharField(required=False)


class EventPeriodOutput(serializers.Serializer[Any]):
    """The period that was judged."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, one of which is a keyword."""
        return {"from": MomentField(), "to": MomentField()}


class EventOutput(CamelSerializer):
    """An event."""

    id = serializers.UUIDField()
    rule = serializers.UUIDField(allow_null=True)
    rule_name = serializers.CharField(help_text="The rule's name when it was told; may be empty.")
    severity = serializers.ChoiceField(choices=Severity.choices)
    metric = serializers.CharField()
    scope = EventScopeOutput()
    unit = serializers.CharField(help_text="A currency, percent, ms, or what is counted; may be empty.")
    threshold = serializers.CharField(allow_null=True, help_text="A decimal.")
    value = serializers.CharField(allow_null=True, help_text="A decimal.")
    period = EventPeriodOutput(allow_null=True)
    message = serializers.CharField()
    recommendation = serializers.CharField()
    fired_at = MomentField()
    resolved_at = MomentField(allow_null=True)


@extend_schema_serializer(many=False)
class EventPageOutput(CamelSerializer):
    """A page of events."""

    items = EventOutput(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")


class AttemptOutput(CamelSerializer):
    """One attempt at a delivery."""

    number = serializers.IntegerField()
    started_at = MomentField()
    outcome = serializers.ChoiceField(choices=Outcome.values)
    status = serializers.IntegerField(allow_null=True, help_text="HTTP's or SMTP's; null without an answer.")
    duration_ms = serializers.IntegerField(allow_null=True)
    response = serializers.CharField(help_text="The beginning of the answer.")
    error = serializers.CharField()


class DeliveryChannelOutput(CamelSerializer):
    """The channel that a delivery is for."""

    id = serializers.UUIDField(
        allow_null=True, help_text="Null when the channel was deleted, or never was one."
    )
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()


class DeliveryOutput(CamelSerializer):
    """A delivery and its attempts."""

    id = serializers.UUIDField()
    notice = serializers.ChoiceField(choices=Notice.values)
    event = serializers.UUIDField(allow_null=True)
    channel = DeliveryChannelOutput()
    recipient = serializers.CharField(help_text="The mailbox, where it is no channel's.")
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    reason = serializers.CharField(help_text="Why it was not delivered.")
    created_at = MomentField()
    next_attempt_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)
    attempts = AttemptOutput(many=True)


class DeliveryDetailOutput(DeliveryOutput):
    """A delivery with what is told."""

    payload = serializers.JSONField(help_text="The message as webhooks get it.")


@extend_schema_serializer(many=False)
class DeliveryPageOutput(CamelSerializer):
    """A page of deliveries."""

    items = DeliveryOutput(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")
