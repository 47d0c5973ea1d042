"""What `/exports` reads and writes; one serializer per direction."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.serializers import CamelSerializer, MomentField, StrictSerializer
from usage.exports.catalogue import datasets
from usage.exports.formats import FORMATS
from usage.models import ExportState
from usage.serializers import QuantityField


class ListedField(serializers.ChoiceField):
    """One of a few words; the refusal of any other lists them."""

    def __init__(self, choices: list[str], **options: Any) -> None:
        accepted = f"Must be one of {', '.join(choices)}."
        super().__init__(choices=choices, error_messages={"invalid_choice": accepted}, **options)


class ExportInput(StrictSerializer):
    """What is to be exported."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; which datasets there are, the settings say."""
        start = "Start of the window, inclusive; default: where the plan's history begins."
        return {
            "dataset": ListedField(list(datasets())),
            "format": ListedField(list(FORMATS)),
            "from": MomentField(required=False, help_text=start),
            "to": MomentField(required=False, help_text="End of the window, exclusive; default: all of it."),
        }


class RequesterOutput(CamelSerializer):
    """Who asked: a member, or a key by its Client ID."""

    user = serializers.EmailField(allow_null=True)
    client_id = serializers.CharField(allow_null=True)


class ExportOutput(CamelSerializer):
    """An export, and how far it has come."""

    id = serializers.UUIDField()
    dataset = serializers.CharField()
    format = serializers.CharField()
    timezone = serializers.CharField(help_text="Whose days are told apart.")
    state = serializers.ChoiceField(choices=ExportState.choices)
    rows_done = serializers.IntegerField()
    rows_total = serializers.IntegerField(allow_null=True, help_text="Null while it is not known.")
    bytes = serializers.IntegerField(allow_null=True, help_text="The size of the file, once it is done.")
    sums = serializers.DictField(
        child=QuantityField(), allow_null=True, help_text="What the file adds up to, once it is done."
    )
    file = serializers.URLField(allow_null=True, help_text="Where the file is, while there is one.")
    error = serializers.CharField(allow_null=True)
    attempts = serializers.IntegerField(help_text="How often a worker has begun it.")
    requested_by = RequesterOutput()
    created_at = MomentField()
    started_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)
    expires_at = MomentField(allow_null=True, help_text="When the file is removed.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; ``from`` can't be an attribute's name in Python."""
        window = {"from": MomentField(help_text="Inclusive."), "to": MomentField(help_text="Exclusive.")}
        return {**window, **super().get_fields()}


@extend_schema_serializer(many=False)
class ExportPageOutput(CamelSerializer):
    """A page of exports."""

    items = ExportOutput(many=True)
    cursor = serializers.CharField(allow_null=True, help_text="Leads to the next page; null on the last.")
