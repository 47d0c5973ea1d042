"""The forms of imports: the file, and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.forms import BoundField

from portal.forms import PlainForm
from usage.dialects.errors import Fault
from usage.imports import fields
from usage.imports.errors import ImportProblem
from usage.imports.jobs.choice import Choice
from usage.imports.jobs.sample import Found
from usage.imports.mapping import constant

KEYED: Final = {"meta.": "Metadata…", "quantities.": "Quantity…"}
"""Fields that are completed by a key or a meter."""
CONSTANTS: Final = {"type": "Type", "model": "Model", "provider": "Provider"}
_MAX_TEXT: Final = 200


class UploadForm(PlainForm):
    """A file to import."""

    file = forms.FileField(
        label="File", widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.ndjson,.jsonl,.json,.gz"})
    )

    def __init__(self, *args: Any, most: str, is_too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        file: Any = self.fields["file"]
        file.help_text = f"CSV or NDJSON, also compressed with gzip. Up to {most}."
        file.error_messages["empty"] = "The file is empty."
        file.error_messages["required"] = (
            f"The file is larger than {most}. Divide it, or compress it with gzip."
            if is_too_large
            else "Choose a file."
        )


class MappingForm(PlainForm):
    """The field that each column fills, what no column says, and how times without an offset are meant."""

    type = forms.CharField(
        label="Type",
        required=False,
        max_length=_MAX_TEXT,
        help_text="Such as conversation.completion. Required unless a column has it.",
    )
    model = forms.CharField(label="Model", required=False, max_length=_MAX_TEXT)
    provider = forms.CharField(label="Provider", required=False, max_length=_MAX_TEXT)
    client_id = forms.ChoiceField(
        label="API key", required=False, help_text="Whose use it is, unless a line has a clientId."
    )
    timezone = forms.ChoiceField(label="Time zone", help_text="Of times that have no offset.")

    def __init__(
        self,
        *args: Any,
        columns: tuple[Found, ...],
        keys: list[tuple[str, str]],
        zones: list[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.columns, self.keys, self.zones = columns, keys, zones
        for place, column in enumerate(columns):
            named = f"Field for the column {column.name}"
            self.fields[f"field-{place}"] = forms.ChoiceField(
                label=named, required=False, choices=_choices(column)
            )
            if not column.is_group and not column.is_repeated:
                self.fields[f"key-{place}"] = forms.CharField(
                    label=f"Key or meter for the column {column.name}",
                    required=False,
                    max_length=100,
                    widget=forms.TextInput({"placeholder": column.name}),
                )
        client: Any = self.fields["client_id"]
        client.choices = keys or [("", "No API key yet")]
        timezone: Any = self.fields["timezone"]
        timezone.choices = [(zone, zone) for zone in zones]

    def rows(self) -> list[tuple[Found, BoundField, BoundField | None]]:
        """Return the columns, each with its inputs."""
        return [
            (column, self[f"field-{place}"], self[name] if (name := f"key-{place}") in self.fields else None)
            for place, column in enumerate(self.columns)
        ]

    def rest(self) -> list[BoundField]:
        """Return the inputs that are no column's."""
        return [self[name] for name in (*CONSTANTS, "client_id", "timezone")]

    def faults(self) -> list[tuple[str, str, str]]:
        """Return what is wrong: the input's name, its place on the page, and why."""
        return [
            (str(self[name].label), self[name].id_for_label, " ".join(map(str, errors)))
            for name, errors in self.errors.items()
        ]

    def clean(self) -> dict[str, Any]:
        """Find the field of each column, and refuse one that is filled twice."""
        filled: dict[str, str] = {}
        columns = {}
        for place, column in enumerate(self.columns):
            name = columns[column.name] = self._field(place, column)
            if name in filled:
                self.add_error(f"field-{place}", f"The column {filled[name]} fills {name} already.")
            elif name:
                filled[name] = column.name
        constants = {name: self.cleaned_data.get(name, "") for name in CONSTANTS}
        self._check(constants, filled)
        self.cleaned_data["choice"] = Choice(
            columns, {name: text for name, text in constants.items() if text}
        )
        return self.cleaned_data

    def _field(self, place: int, column: Found) -> str:
        chosen: str = self.cleaned_data.get(f"field-{place}", "")
        if chosen not in KEYED:
            return chosen
        name = chosen + (self.cleaned_data.get(f"key-{place}") or column.name)
        try:
            return fields.find(name).name
        except ImportProblem:
            self.add_error(
                f"key-{place}" if f"key-{place}" in self.fields else f"field-{place}", _RULES[chosen]
            )
            return ""

    def _check(self, constants: Mapping[str, str], filled: Mapping[str, str]) -> None:
        for name, text in constants.items():
            if text and name in filled:
                self.add_error(name, f"The column {filled[name]} has it already: leave one of them out.")
            elif text:
                try:
                    constant(fields.find(name), text)
                except Fault as fault:
                    self.add_error(name, fault.detail)
        if "type" not in filled and not constants["type"] and "type" not in self.errors:
            self.add_error("type", "Choose the column that has the type, or enter the type of all records.")


_RULES: Final = {
    "meta.": "A key has 1 to 100 characters.",
    "quantities.": "A meter has up to 100 letters, digits and _ . : / -, and begins with a letter or _.",
}


def initial_of(choice: Choice, columns: tuple[Found, ...]) -> dict[str, str]:
    """Return what the form shows of a choice."""
    found = dict(choice.constants)
    for place, column in enumerate(columns):
        name = choice.columns.get(column.name, "")
        prefix = next((prefix for prefix in KEYED if name.startswith(prefix)), "")
        found[f"field-{place}"] = prefix or name
        if prefix:
            found[f"key-{place}"] = name.removeprefix(prefix)
    return found


def _choices(column: Found) -> list[Any]:
    left_out = ("", "Leave out")
    if column.is_repeated:
        return [left_out]
    if column.is_group:
        return [left_out, (column.name, f"{column.name}, as it is")]
    plain = [name for name in fields.PLAIN if "." not in name]
    tokens = [name for name in fields.PLAIN if name not in plain]
    return [
        left_out,
        ("Record", [(name, name) for name in plain]),
        ("Tokens", [(name, name) for name in tokens]),
        ("Your own", list(KEYED.items())),
    ]
