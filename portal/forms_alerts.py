"""The forms of the pages of alerts."""

from __future__ import annotations

from typing import Any

from django import forms

from alerts.channels.targets import MOST
from alerts.models import Kind
from core.problems import Problem
from portal.forms import PlainForm
from portal.reading.channels import EXAMPLES


class ChannelForm(PlainForm):
    """A channel of one kind: what it is called, and where it leads, as the kind has it.

    With ``changes``, an empty address leaves the one that is kept, which is never shown.
    """

    name = forms.CharField(label="Name", max_length=100, help_text="What people know it by.")
    target = forms.CharField(
        label="Address", max_length=MOST, widget=forms.TextInput({"autocomplete": "off"})
    )

    def __init__(self, *args: Any, kind: str, changes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        target = self.fields["target"]
        target.required = not changes
        example = EXAMPLES[kind]
        target.help_text = f"Such as {example}" if not changes else f"Only to change it, such as {example}"
        if kind == Kind.EMAIL:
            target.label = "E-mail address"

    @property
    def where(self) -> dict[str, str]:
        """Where the channel leads, by the name that its kind has for it; nothing to leave it."""
        given = self.cleaned_data["target"]
        return {("address" if self.kind == Kind.EMAIL else "url"): given} if given else {}

    def blame(self, problem: Problem) -> None:
        """Say what is wrong with the address at its field, whatever the kind calls it."""
        for error in problem.errors:
            is_where = error.pointer in ("/url", "/address")
            self.add_error("target" if is_where else None, error.detail)
        if not problem.errors:
            self.add_error(None, problem.detail)
