"""The forms of the pages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BoundField

from core.problems import Problem
from organizations.roles import Role, Scope
from usage.exports.formats import FORMATS


class PlainField(BoundField):
    """A field of a form on its page: the first one that is wrong is where the reader goes on."""

    @property
    def is_first_wrong(self) -> bool:
        """Whether the keyboard begins here: no fault of the whole form or of a field before it is told."""
        wrong = self.form.errors
        return (
            NON_FIELD_ERRORS not in wrong
            and next((one for one in self.form.fields if one in wrong), "") == self.name
        )

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Return what the widget is told; of several boxes, their frame is where the keyboard begins."""
        found = super().build_widget_attrs(attrs, widget)
        if self.is_first_wrong and not self.use_fieldset:
            found["autofocus"] = True
        return found


class PlainForm(forms.Form):
    """A form of a page: labels without colons, and faults that say what to do."""

    bound_field_class = PlainField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for field in self.fields.values():
            field.error_messages["required"] = "This field is required."

    def blame(self, problem: Problem) -> None:
        """Say a refusal at the fields that it names, else above them."""
        for error in problem.errors:
            name = error.pointer.strip("/").partition("/")[0]
            self.add_error(name if name in self.fields else None, error.detail)
        if not problem.errors:
            self.add_error(None, problem.detail)


class KeyForm(PlainForm):
    """A new API key: what it is for, where it is used, and what it may."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="A name to recognize the key by, such as the application that uses it.",
    )
    environment = forms.CharField(label="Environment", max_length=40, initial="production")
    scopes = forms.MultipleChoiceField(label="Permissions", choices=[], widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, grantable: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(scope, f"{said} ({scope})") for scope, said in SCOPES.items() if scope in grantable]
        scopes: Any = self.fields["scopes"]
        scopes.choices = choices
        scopes.initial = [scope for scope in ("usage:write", "usage:read") if scope in grantable]
        scopes.error_messages["required"] = "Choose at least one permission."


SCOPES: Final = {
    Scope.USAGE_WRITE.value: "Send records",
    Scope.USAGE_READ.value: "Read usage",
    Scope.BILLING_READ.value: "Read costs and limits",
    Scope.BILLING_WRITE.value: "Manage limits",
    Scope.ALERTS_WRITE.value: "Manage alerts",
    Scope.KEYS_WRITE.value: "Manage API keys",
}
"""What each scope allows, in words."""


class ExportForm(PlainForm):
    """What is to be exported: a dataset, a format, and the days, all of the history without them."""

    dataset = forms.ChoiceField(label="Data")
    format = forms.ChoiceField(label="Format", choices=[(name, name.upper()) for name in FORMATS])
    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, datasets: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dataset: Any = self.fields["dataset"]
        dataset.choices = [(name, DATASETS.get(name, name)) for name in datasets]

    def clean(self) -> dict[str, Any]:
        """Refuse days the wrong way round, and those no calendar needs."""
        data: dict[str, Any] = self.cleaned_data
        first, last = data.get("first"), data.get("last")
        for name, day in (("first", first), ("last", last)):
            if day is not None and not FIRST_DAY <= day <= LAST_DAY:
                self.add_error(name, "Choose a day of the years 1971 to 2998.")
        if first and last and last < first:
            self.add_error("last", "The last day must not come before the first.")
        return data


DATASETS: Final = {
    "records": "Records",
    "daily": "Usage by day, key and model",
    "costs": "Costs by day",
    "focus": "Costs (FOCUS)",
}
"""What datasets are called; others go by their own names."""
FIRST_DAY: Final = date(1971, 1, 1)
LAST_DAY: Final = date(2998, 12, 31)


class ReportForm(PlainForm):
    """A scheduled report: of what, when, and to whom."""

    name = forms.CharField(label="Name", max_length=100, initial="Weekly report")
    cadence = forms.ChoiceField(
        label="Schedule",
        choices=[("weekly", "Weekly, on Monday"), ("monthly", "Monthly, on the first")],
    )
    hour = forms.TypedChoiceField(
        label="Hour",
        choices=[(hour, f"{hour:02d}:00") for hour in range(24)],
        coerce=int,
        initial=8,
        help_text="In the organization's time zone.",
    )
    members = forms.MultipleChoiceField(
        label="Members", choices=[], required=False, widget=forms.CheckboxSelectMultiple
    )
    channels = forms.MultipleChoiceField(
        label="Channels", choices=[], required=False, widget=forms.CheckboxSelectMultiple
    )
    enabled = forms.BooleanField(label="Active", required=False, initial=True)

    def __init__(
        self, *args: Any, members: list[tuple[str, str]], channels: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("members", members), ("channels", channels)):
            field: Any = self.fields[name]
            field.choices = choices
        if not channels:
            del self.fields["channels"]

    def clean(self) -> dict[str, Any]:
        """Refuse a report that nobody gets."""
        data: dict[str, Any] = self.cleaned_data
        if not self.errors and not data.get("members") and not data.get("channels"):
            self.add_error("members", "Choose at least one recipient.")
        return data

    def terms(self) -> dict[str, Any]:
        """Return what the report is to be, as it is made and changed."""
        channels = [UUID(one) for one in self.cleaned_data.get("channels", [])]
        return {**self.cleaned_data, "channels": channels}


class OrganizationForm(PlainForm):
    """What an organization's managers may change of it."""

    name = forms.CharField(label="Name", max_length=120)
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=[],
        help_text="Days, weeks and months follow this time zone on every page and in every limit.",
    )
    second_factor = forms.BooleanField(
        label="Require two-factor authentication for all members",
        required=False,
        help_text="Members without it lose access to the organization until they set it up.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        timezone: Any = self.fields["timezone"]
        names = sorted(available_timezones() | {self.get_initial_for_field(timezone, "timezone")})
        timezone.choices = [(name, name) for name in names if name]


class InviteForm(PlainForm):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(label="Role", initial=Role.ANALYST.value)

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields["role"]
        role.choices = roles


class AccountForm(PlainForm):
    """What one is called."""

    name = forms.CharField(
        label="Name", max_length=150, required=False, widget=forms.TextInput({"autocomplete": "name"})
    )


class JoinForm(PlainForm):
    """A new account: what one is called, and a password."""

    name = forms.CharField(
        label="Your name", max_length=150, required=False, widget=forms.TextInput({"autocomplete": "name"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )

    def clean_password(self) -> str:
        """Refuse a password that is easy to guess."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password
