"""The forms of accounts: django-allauth's, with the labels, hints and faults of every other form."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as passkeys
from django import forms

from portal.forms import PlainField

LENGTH: Final = "At least 12 characters."
CODE_ATTRIBUTES: Final = {
    "autocomplete": "one-time-code",
    "autocapitalize": "off",
    "spellcheck": "false",
    "maxlength": "32",
}


class Plainly(forms.Form):
    """Says the ``words`` of a form's fields, a label and a hint each, and begins at the ``first``."""

    bound_field_class = PlainField
    words: ClassVar[dict[str, tuple[str, str]]] = {}
    first = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, field in self.fields.items():
            field.label, field.help_text = self.words.get(name, (field.label, ""))
            field.widget.attrs.pop("placeholder", None)
            field.error_messages["required"] = "This field is required."
        if self.first and not self.is_bound:
            self.fields[self.first].widget.attrs["autofocus"] = True


class SignInForm(Plainly, account.LoginForm):  # type: ignore[misc] # it has no types
    """E-mail address and password; one answer for every wrong pair, whether or not the address is known."""

    words: ClassVar = {"login": ("E-mail address", ""), "password": ("Password", "")}
    first = "login"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget = forms.EmailInput(
            attrs={
                **self.fields["login"].widget.attrs,
                "autocomplete": "username",
                "maxlength": 254,
                "spellcheck": "false",
            }
        )


class ConfirmPasswordForm(Plainly, account.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""

    words: ClassVar = {"password": ("Password", "")}
    first = "password"


class ChangePasswordForm(Plainly, account.ChangePasswordForm):  # type: ignore[misc]
    """The present password, and another."""

    words: ClassVar = {
        "oldpassword": ("Current password", ""),
        "password1": ("New password", LENGTH),
        "password2": ("Repeat new password", ""),
    }


class SetPasswordForm(Plainly, account.SetPasswordForm):  # type: ignore[misc]
    """The first password of an account that had none."""

    words: ClassVar = {"password1": ("Password", LENGTH), "password2": ("Repeat password", "")}


class ResetPasswordForm(Plainly, account.ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link."""

    words: ClassVar = {"email": ("E-mail address", "")}
    first = "email"


class NewPasswordForm(Plainly, account.ResetPasswordKeyForm):  # type: ignore[misc]
    """Another password, by the link that was sent."""

    words: ClassVar = {
        "password1": ("New password", LENGTH),
        "password2": ("Repeat new password", ""),
    }
    first = "password1"


class CodeForm(Plainly, factors.AuthenticateForm):  # type: ignore[misc]
    """A code at the sign-in."""

    first = "code"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_code(self)


class ConfirmCodeForm(Plainly, factors.ReauthenticateForm):  # type: ignore[misc]
    """A code once more."""

    first = "code"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_code(self)


class ActivateForm(Plainly, ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app."""

    words: ClassVar = {"code": ("Code from the app", "6 digits; they change every 30 seconds.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {**CODE_ATTRIBUTES, "inputmode": "numeric"}


class AddPasskeyForm(Plainly, passkeys.AddWebAuthnForm):  # type: ignore[misc]
    """A security key or passkey, and what it is called."""

    words: ClassVar = {
        "name": ("Name", "To tell it from your others, such as “Work laptop”."),
        "passwordless": (
            "Use it as a passkey",
            "Signs you in without a password: the key asks for your fingerprint, face or PIN instead.",
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True
        self.fields["name"].widget.attrs["maxlength"] = 100


class RenamePasskeyForm(Plainly, passkeys.EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a security key or passkey."""

    words: ClassVar = {"name": ("Name", "")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["maxlength"] = 100


def _ask_for_code(form: Any) -> None:
    """Ask for the codes that the person has."""
    has_app = Authenticator.objects.filter(user=form.user, type=Authenticator.Type.TOTP).exists()
    code = form.fields["code"]
    code.widget.attrs |= CODE_ATTRIBUTES
    code.label = "Code" if has_app else "Recovery code"
    code.help_text = "From your authenticator app, or one of your recovery codes." if has_app else ""
