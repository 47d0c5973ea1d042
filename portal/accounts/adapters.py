"""What django-allauth asks of its host: nobody signs up, mail may be away, and secrets are kept encrypted."""

from __future__ import annotations

import base64
import hashlib
from smtplib import SMTPException
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from organizations.models import User, normalize_email

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # it has no types
    """Accounts are made by operators and by invitations only."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": (
            "This e-mail address and password don't go together. Check both and try again."
        ),
        "too_many_login_attempts": "Too many attempts failed. Wait five minutes and try again.",
        "rate_limited": "Too many attempts failed. Wait five minutes and try again.",
        "incorrect_password": "This isn't your password. Try again.",
        "enter_current_password": "This isn't your current password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account of their own."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whose address and password these are; a closed account is like none."""
        user: User | None = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a message; a mail server that is away stops nobody."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            log.warning("account_not_mailed", message=template_prefix, error=str(error))


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # it has no types
    """Single sign-on leads into accounts that are there, by the address that the provider has verified."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody gets an account by signing in."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect the provider's account with the one of the same verified address."""
        if sociallogin.is_existing or request.user.is_authenticated:
            return
        verified = [normalize_email(one.email) for one in sociallogin.email_addresses if one.verified]
        user = User.objects.filter(email__in=verified, is_active=True).first()
        if user is not None:
            sociallogin.connect(request, user)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # it has no types
    """Second factors; their secrets are encrypted with the server's secret key."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code isn't right, or was used before. Enter a new one.",
    }

    def get_totp_issuer(self) -> str:
        """Name the product where codes are shown."""
        return "Headroom"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name this server where passkeys are kept."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "Headroom"}

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """Name the account by its address."""
        return str(user.get_username())

    def generate_authenticator_name(self, user: AbstractBaseUser, kind: str) -> str:
        """Suggest a name for another security key or passkey."""
        count = Authenticator.objects.filter(user_id=user.pk, type=kind).count()
        return "Passkey" if count == 0 else f"Passkey {count + 1}"

    def encrypt(self, text: str) -> str:
        """Return what is stored."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; older keys that still verify still decrypt."""
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(key: str) -> Fernet:
    digest = hashlib.sha256(b"headroom second factors\0" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
