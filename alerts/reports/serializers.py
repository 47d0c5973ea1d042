"""What `/alerts/reports` reads and writes; one serializer per direction."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from alerts.models import Cadence, Kind
from alerts.reports.services import MOST_RECIPIENTS
from core.serializers import CamelSerializer, FlagField, MomentField, StrictSerializer, TextField
from organizations.serializers import PaginationOutput
from usage.serializers import PeriodSerializer

HOUR: Final = 8


def _members(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=TextField(max_length=254),
        max_length=MOST_RECIPIENTS,
        help_text="Members to send it to, by their e-mail addresses.",
        **options,
    )


def _channels(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_RECIPIENTS,
        help_text="Channels to send it to, of any kind but pagerduty and opsgenie.",
        **options,
    )


class ReportInput(StrictSerializer):
    """What a new report is made of."""

    name = TextField(max_length=100, help_text="What people know it by.")
    cadence = serializers.ChoiceField(
        choices=Cadence.choices, help_text="weekly: sent on Mondays; monthly: sent on the first."
    )
    hour = serializers.IntegerField(
        min_value=0, max_value=23, default=HOUR, help_text="When it is sent, by the organization's clock."
    )
    enabled = FlagField(default=True)
    members = _members(default=list)
    channels = _channels(default=list)


class ReportChange(StrictSerializer):
    """What can be changed of a report; what is absent stays."""

    name = TextField(max_length=100, required=False)
    cadence = serializers.ChoiceField(choices=Cadence.choices, required=False)
    hour = serializers.IntegerField(min_value=0, max_value=23, required=False)
    enabled = FlagField(required=False)
    members = _members(required=False)
    channels = _channels(required=False)


class ReportTestInput(StrictSerializer):
    """Where a report is sent by hand: to a channel, else to the member who asks."""

    channel = serializers.UUIDField(required=False)


class ReportMemberOutput(CamelSerializer):
    """A member that a report is sent to."""

    email = serializers.EmailField(source="membership.user.email")
    unsubscribed_at = MomentField(allow_null=True)


class ReportChannelOutput(CamelSerializer):
    """A channel that a report is sent to."""

    id = serializers.UUIDField(source="channel.pk")
    kind = serializers.ChoiceField(choices=Kind.choices, source="channel.kind")
    name = serializers.CharField(source="channel.name")
    enabled = serializers.BooleanField(source="channel.enabled")
    unsubscribed_at = MomentField(allow_null=True)


class ReportOutput(CamelSerializer):
    """A report, who gets it, and when the next is due."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    cadence = serializers.ChoiceField(choices=Cadence.choices)
    hour = serializers.IntegerField()
    timezone = serializers.CharField(help_text="The organization's, by whose clock it is sent.")
    enabled = serializers.BooleanField()
    members = ReportMemberOutput(many=True)
    channels = ReportChannelOutput(many=True)
    next_at = MomentField(allow_null=True, help_text="When the next is sent; null while it is disabled.")
    next_period = PeriodSerializer(allow_null=True, help_text="Of which days the next is.")
    created_at = MomentField()


@extend_schema_serializer(many=False)
class ReportPageOutput(CamelSerializer):
    """A page of reports."""

    items = ReportOutput(many=True)
    pagination = PaginationOutput()
