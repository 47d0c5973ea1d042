"""The forms of spend limits: one to set, and one to try on the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from billing.models import Enforcement, Window
from billing.models.limits import MAX_WARN_AT
from core.money import parse_money
from organizations.models import Credential
from portal.forms import PlainForm

WARN_AT: Final = (50, 80, 95)
ORGANIZATION_WIDE: Final = "Entire organization"
WEEKS: Final = {"4": "Last 4 weeks", "8": "Last 8 weeks", "13": "Last 13 weeks"}
_EXAMPLE: Final = "Enter an amount such as 250 or 99.50."


class AmountField(forms.CharField):
    """An amount of money, more than nothing.

    Units: nanos.
    """

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=32, widget=forms.TextInput(attributes), **kwargs)

    def clean(self, value: Any) -> int:
        """Return the amount.

        Raises: ValidationError saying how amounts are written.
        """
        text = super().clean(value)
        try:
            nanos = parse_money(text)
        except ValueError as error:
            raise forms.ValidationError(_EXAMPLE) from error
        if nanos <= 0:
            raise forms.ValidationError("The limit must be greater than 0.")
        return nanos


class SharesField(forms.CharField):
    """Whole percentages, with commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "text", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=80, required=False, widget=forms.TextInput(attributes), **kwargs)

    def clean(self, value: Any) -> tuple[int, ...]:
        """Return the shares in their order, each once.

        Raises: ValidationError saying what is accepted.
        """
        parts = [part.strip().removesuffix("%").strip() for part in super().clean(value).split(",")]
        given = [part for part in parts if part]
        if any(not part.isascii() or not part.isdigit() or not 1 <= int(part) <= 100 for part in given):
            raise forms.ValidationError("Enter whole numbers from 1 to 100, separated by commas.")
        shares = tuple(sorted({int(part) for part in given}))
        if len(shares) > MAX_WARN_AT:
            raise forms.ValidationError(f"Enter at most {MAX_WARN_AT} percentages.")
        return shares


class TermsForm(PlainForm):
    """A limit: whose, how much, over which time, and what reaching it means."""

    clientId = forms.ChoiceField(label="Applies to", required=False)  # noqa: N815 as addresses have it
    limit = AmountField()
    window = forms.ChoiceField(
        label="Period",
        choices=[(Window.ROLLING.value, "Rolling 7 days"), (Window.WEEK.value, "Calendar weeks")],
        initial=Window.ROLLING.value,
    )
    enforcement = forms.ChoiceField(
        label="When reached",
        choices=[
            (Enforcement.PAUSE.value, "Pause: refuse requests"),
            (Enforcement.WARN.value, "Warn only: never refuse requests"),
        ],
        initial=Enforcement.PAUSE.value,
    )
    warnAt = SharesField(  # noqa: N815 as addresses have it
        label="Warn at (%)",
        initial=", ".join(map(str, WARN_AT)),
        help_text="An alert is sent when spending reaches each percentage.",
    )

    def __init__(self, *args: Any, currency: str, keys: Sequence[Credential], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whose: Any = self.fields["clientId"]
        whose.choices = [
            ("", ORGANIZATION_WIDE),
            *((key.client_id, f"{key.name} ({key.client_id})") for key in keys),
        ]
        whose.error_messages["invalid_choice"] = "This organization has no such API key."
        self.fields["limit"].label = f"Limit in {currency}"


class TrialForm(TermsForm):
    """A limit to try, and on which weeks."""

    weeks = forms.ChoiceField(label="Past weeks", choices=list(WEEKS.items()), initial="4")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warnAt"].help_text = ""
