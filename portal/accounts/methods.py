"""Which methods the pages of accounts are asked with: django-allauth's forms take a PUT for a POST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.urls import URLPattern, URLResolver
from django.views.decorators.http import require_http_methods

READ: Final = ("GET", "HEAD")
FORM: Final = (*READ, "POST")

SHOWN: Final = frozenset(
    {
        "account_inactive",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "account_signup",
        "mfa_download_recovery_codes",
        "mfa_index",
        "mfa_list_webauthn",
        "mfa_view_recovery_codes",
        "openid_connect_callback",
        "socialaccount_login_cancelled",
        "socialaccount_login_error",
        "socialaccount_signup",
    }
)
"""Pages without a form of their own."""


def limited(patterns: Iterable[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """Return the addresses, also those below included ones, each refusing the methods it has no use for.

    What is included keeps its own list: it belongs to its library, and nothing is changed there.
    """
    return [_limited(pattern) for pattern in patterns]


def _limited(pattern: URLPattern | URLResolver) -> URLPattern | URLResolver:
    if isinstance(pattern, URLResolver):
        below = limited(pattern.url_patterns)
        return URLResolver(
            pattern.pattern, below, pattern.default_kwargs, pattern.app_name, pattern.namespace
        )
    methods = READ if pattern.name in SHOWN else FORM
    view = require_http_methods(list(methods))(pattern.callback)
    return URLPattern(pattern.pattern, view, pattern.default_args, pattern.name)
