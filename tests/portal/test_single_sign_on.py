"""Single sign-on by OpenID Connect, with an issuer on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from config import outside
from config.env import Env
from organizations.models import User
from tests.portal.issuer import Issuer, issuing
from tests.portal.pages import text

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    """An issuer, and a server that is set up for it."""
    with issuing() as running:
        settings.SOCIALACCOUNT_PROVIDERS = outside.single_sign_on(Env(running.environment))
        yield running


@pytest.fixture
def user() -> User:
    """Somebody with an account."""
    return User.objects.create_user("ada@example.org", PASSWORD)


def come_back(client: Client) -> Any:
    """Go to the issuer and come back, as a browser does."""
    sent = urlsplit(client.get("/account/sso/sso/?next=/usage/")["Location"])
    query = parse_qs(sent.query)
    assert query["redirect_uri"] == ["http://testserver/account/sso/sso/done/"]
    assert query["code_challenge_method"] == ["S256"]
    return client.get("/account/sso/sso/done/", {"code": "code", "state": query["state"][0]})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_sign_in_offers_it(client: Client, issuer: Issuer) -> None:
    page = client.get("/sign-in/")
    assert "Acme ID" in text(page)
    assert 'href="/account/sso/sso/?' in page.content.decode()


def test_leads_into_the_account_of_the_verified_address(client: Client, issuer: Issuer, user: User) -> None:
    assert come_back(client)["Location"] == "/usage/"
    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email": "eve@example.org"}, {"email": None}, {"email": ""}]
)
def test_nobody_else_gets_in(client: Client, issuer: Issuer, user: User, claims: dict[str, Any]) -> None:
    issuer.claims |= claims
    come_back(client)
    assert not is_in(client)
    assert User.objects.count() == 1


def test_a_closed_account_stays_closed(client: Client, issuer: Issuer, user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])
    come_back(client)
    assert not is_in(client)


def test_a_second_factor_is_asked_for_all_the_same(client: Client, issuer: Issuer, user: User) -> None:
    TOTP.activate(user, generate_totp_secret())
    assert come_back(client)["Location"].startswith("/account/factors/authenticate/")
    assert not is_in(client)


def test_what_another_began_is_refused(client: Client, issuer: Issuer, user: User) -> None:
    client.get("/account/sso/sso/done/", {"code": "code", "state": "made up"})
    assert not is_in(client)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID is not set"),
        ({"OIDC_ISSUER": "ftp://id.example"}, "OIDC_ISSUER must be"),
        (
            {"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"},
            "https://",
        ),
    ],
)
def test_settings_that_can_not_work_stop_the_start(environment: dict[str, str], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        outside.single_sign_on(Env(environment))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", outside.MailServer()),
        ("smtp://mail.example", outside.MailServer("mail.example", 587, starttls=True)),
        ("smtp://localhost:1025", outside.MailServer("localhost", 1025)),
        ("smtps://a%40b:p%3Aw@mail.example", outside.MailServer("mail.example", 465, "a@b", "p:w", tls=True)),
    ],
)
def test_the_mail_server_is_read_from_its_address(url: str, expected: outside.MailServer) -> None:
    assert outside.mail_server(url) == expected
