"""Services outside that settings name: the mail server, and the single sign-on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.env import Env

MAIL_SCHEMES: Final = ("smtp", "smtps")
_BACKENDS: Final = "django.core.mail.backends"
_SUBMISSION: Final = 587
_SUBMISSION_TLS: Final = 465
PROVIDER: Final = "sso"


@dataclass(frozen=True, slots=True)
class MailServer:
    """How the mail server is reached: ``starttls`` begins in the open, ``tls`` doesn't."""

    host: str = ""
    port: int = _SUBMISSION
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


def mail_server(url: str) -> MailServer:
    """Return the server of ``smtp://user:password@host:port``, which speaks STARTTLS, or of ``smtps://…``.

    A server on this machine is spoken to in the open.
    """
    if not url:
        return MailServer()
    parts = urlsplit(url)
    tls, host = parts.scheme == "smtps", parts.hostname or ""
    return MailServer(
        host=host,
        port=parts.port or (_SUBMISSION_TLS if tls else _SUBMISSION),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=not tls and host not in ("localhost", "127.0.0.1", "::1"),
        tls=tls,
    )


def mail_backend(url: str, *, production: bool) -> str:
    """Return Django's backend: without a server, messages are shown in development and dropped otherwise."""
    if url:
        return f"{_BACKENDS}.smtp.EmailBackend"
    return f"{_BACKENDS}.{'dummy' if production else 'console'}.EmailBackend"


def public_url(hosts: Sequence[str], *, https: bool, port: int) -> str:
    """Return where people find the portal: on the first host that is a name, with a port only in the open."""
    host = next((name for name in hosts if not name.startswith(("*", "."))), "localhost")
    return f"https://{host}" if https else f"http://{host}:{port}"


def single_sign_on(environment: Env) -> dict[str, Any]:
    """Return the provider of ``OIDC_ISSUER``, as django-allauth takes it; nothing when it isn't set.

    Raises: ImproperlyConfigured when its client is not known.
    """
    issuer = environment.url("OIDC_ISSUER", ("https", "http"), "")
    if not issuer:
        return {}
    client = environment.required("OIDC_CLIENT_ID", "single sign-on needs it")
    secret = environment.required("OIDC_CLIENT_SECRET", "single sign-on needs it")
    if issuer.startswith("http://") and not environment.boolean("OIDC_ALLOW_HTTP", False):
        raise ImproperlyConfigured("OIDC_ISSUER must begin with https:// (OIDC_ALLOW_HTTP=true allows http).")
    app = {
        "provider_id": PROVIDER,
        "name": environment.text("OIDC_NAME", "Single sign-on"),
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": issuer},
    }
    return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}
