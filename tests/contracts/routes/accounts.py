"""Accounts, and what needs none: signing in, one's own account, links of mails, the reference."""

from __future__ import annotations

from typing import Final

from tests.contracts.routes.actors import ANYONE, SIGNED_IN, STRANGERS

ACCOUNTS: Final[dict[str, dict[str, frozenset[str]]]] = {
    "account_login": {"GET": STRANGERS, "POST": STRANGERS},
    "account_logout": {"POST": ANYONE},
    "account_signup": {"GET": STRANGERS},
    "account_inactive": {"GET": ANYONE},
    "account": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_reauthenticate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_change_password": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_set_password": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_reset_password": {"GET": ANYONE, "POST": ANYONE},
    "account_reset_password_done": {"GET": ANYONE},
    "account_reset_password_from_key": {"GET": ANYONE, "POST": ANYONE},
    "account_reset_password_from_key_done": {"GET": ANYONE},
    # The second step of signing in is nobody's before the first: to strangers it is the first.
    "mfa_authenticate": {"GET": frozenset(), "POST": frozenset()},
    # So is signing in with a passkey, but for the script that asks for it.
    "mfa_login_webauthn": {"GET": frozenset(), "POST": frozenset()},
    "mfa_index": {"GET": SIGNED_IN},
    "mfa_reauthenticate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_activate_totp": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_deactivate_totp": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_view_recovery_codes": {"GET": SIGNED_IN},
    "mfa_generate_recovery_codes": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_download_recovery_codes": {"GET": SIGNED_IN},
    "mfa_list_webauthn": {"GET": SIGNED_IN},
    "mfa_add_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_reauthenticate_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_remove_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_edit_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "usersessions_list": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "usersessions_end": {"POST": SIGNED_IN},
    "openid_connect_login": {"GET": ANYONE, "POST": ANYONE},
    "openid_connect_callback": {"GET": ANYONE},
    "socialaccount_login_cancelled": {"GET": ANYONE},
    "socialaccount_login_error": {"GET": ANYONE},
    "socialaccount_signup": {"GET": STRANGERS},
}
"""Where it isn't open, strangers are led to sign in, and whoever is signed in to the first page."""

LINKS: Final[dict[str, dict[str, frozenset[str]]]] = {
    "portal:unsubscribe": {"GET": ANYONE, "POST": ANYONE},
    "portal:confirm-address": {"GET": ANYONE, "POST": ANYONE},
    "portal:invitation": {"GET": ANYONE, "POST": ANYONE},
}
"""What mails lead to: the link itself is the authority."""

REFERENCE: Final[dict[str, dict[str, frozenset[str]]]] = {
    "schema": {"GET": ANYONE},
    "docs": {"GET": ANYONE},
    "problems": {"GET": ANYONE},
}
"""What the API is like is no secret."""
