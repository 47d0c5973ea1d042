"""REST framework serializers that refuse what they don't know instead of guessing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from core.moments import format_moment, parse_moment
from core.money import format_money, parse_money


class CamelSerializer(serializers.Serializer[Any]):
    """A serializer whose fields are named in snake_case here and in camelCase on the wire."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields by their names on the wire, each reading the attribute it is named for."""
        renamed: dict[str, Any] = {}
        for name, field in super().get_fields().items():
            wire_name = camel(name)
            if wire_name != name and field.source is None:
                field.source = name
            renamed[wire_name] = field
        return renamed


def camel(name: str) -> str:
    """Return a snake_case name in camelCase."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class StrictSerializer(CamelSerializer):
    """A serializer for input: a field or choice that it does not have is an error that lists those it has."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; those with choices name them when they refuse another."""
        fields = super().get_fields()
        for field in fields.values():
            _name_choices(field)
            _name_choices(getattr(field, "child", None))
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Read the object.

        Raises: the framework's ValidationError.
        """
        if isinstance(data, Mapping):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def _refuse_unknown(self, data: Mapping[str, Any]) -> None:
        accepted = [name for name, field in self.fields.items() if not field.read_only]
        unknown = [str(name) for name in data if name not in accepted]
        if unknown:
            detail = f"There is no such field; accepted: {', '.join(accepted)}."
            errors = {name[:100]: [serializers.ErrorDetail(detail, code="unknown_field")] for name in unknown}
            raise serializers.ValidationError(errors)


def _name_choices(field: Any) -> None:
    code = "invalid_choice"
    plain = serializers.ChoiceField.default_error_messages[code]
    if isinstance(field, serializers.ChoiceField) and field.error_messages[code] == plain:
        accepted = ", ".join(str(choice) for choice in field.choices)
        field.error_messages[code] = f'"{{input}}" is not a valid choice; accepted: {accepted}.'


class TextField(serializers.CharField):
    """Text that is JSON text: a number or a boolean is not turned into one."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Must be a string."}

    def to_internal_value(self, data: Any) -> str:
        """Read a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class FlagField(serializers.BooleanField):
    """A boolean that is one in JSON: a number or a word is not turned into one."""

    def to_internal_value(self, data: Any) -> bool:
        """Read true or false."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class MomentField(serializers.Field[datetime, str | int, str, Any]):
    """A moment: ISO 8601 or Unix milliseconds in, ISO 8601 with ``Z`` out."""

    def to_internal_value(self, data: Any) -> datetime:
        """Read a moment, as an aware datetime in UTC."""
        if not isinstance(data, str | int):
            raise serializers.ValidationError("Must be ISO 8601 or Unix milliseconds.", code="invalid_moment")
        try:
            return parse_moment(data)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.", code="invalid_moment") from error

    def to_representation(self, value: datetime) -> str:
        """Write a moment."""
        return format_moment(value)


class MoneyField(serializers.Field[int, str, str, Any]):
    """An amount: a plain decimal string outside, nanos inside."""

    def to_internal_value(self, data: Any) -> int:
        """Read an amount, as nanos."""
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a decimal string.", code="invalid_money")
        try:
            return parse_money(data)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.", code="invalid_money") from error

    def to_representation(self, value: int) -> str:
        """Write an amount."""
        return format_money(value)
