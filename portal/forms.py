"""The forms of the pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """E-mail address and password; one answer for every wrong pair, whether or not the address is known."""

    error_messages: dict[str, Any] = {
        "invalid_login": "This e-mail address and password don't go together. Check both and try again.",
        "inactive": "This account has been closed. An owner of your organization can help.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        address = self.fields["username"]
        address.label = "E-mail address"
        address.widget = forms.EmailInput(
            attrs={"autocomplete": "username", "autofocus": True, "maxlength": 254, "spellcheck": "false"}
        )
        for field in self.fields.values():
            field.error_messages["required"] = "Please fill this in."
