"""Signing in and out: one answer for every wrong pair, and a way back to where one wanted to go."""

from __future__ import annotations

import pytest
from django.test import Client

from organizations.models import User
from tests.portal.pages import text

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
WRONG = "This e-mail address and password don't go together."


@pytest.fixture
def user() -> User:
    """Somebody with an account."""
    return User.objects.create_user("ada@example.org", PASSWORD)


@pytest.mark.parametrize("address", ["ada@example.org", "Ada@Example.ORG", " ada@example.org "])
def test_signs_in_by_e_mail_however_it_is_written(client: Client, user: User, address: str) -> None:
    response = client.post("/sign-in/", {"login": address, "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize(
    ("address", "password"), [("ada@example.org", "wrong"), ("bob@example.org", PASSWORD)]
)
def test_a_wrong_pair_has_one_answer(client: Client, user: User, address: str, password: str) -> None:
    response = client.post("/sign-in/", {"login": address, "password": password})
    assert response.status_code == 200
    assert WRONG in text(response)
    assert "_auth_user_id" not in client.session
    assert address in response.content.decode()
    assert f'value="{password}"' not in response.content.decode()


def test_a_closed_account_stays_out(client: Client, user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])
    response = client.post("/sign-in/", {"login": user.email, "password": PASSWORD})
    assert WRONG in text(response)
    assert "_auth_user_id" not in client.session


def test_empty_fields_are_named_and_tied_to_their_words(client: Client) -> None:
    page = client.post("/sign-in/", {}).content.decode()
    assert page.count("This field is required.") == 2
    for name in ("login", "password"):
        assert f'aria-describedby="id_{name}_error"' in page
        assert f'id="id_{name}_error"' in page


def test_leads_back_to_where_one_wanted_to_go(client: Client, user: User) -> None:
    asked = client.get("/?measure=cost&shape=area")
    assert asked["Location"] == "/sign-in/?next=/%3Fmeasure%3Dcost%26shape%3Darea"
    form = client.get(asked["Location"]).content.decode()
    assert 'name="next" value="/?measure=cost&amp;shape=area"' in form
    credentials = {"login": user.email, "password": PASSWORD, "next": "/?measure=cost&shape=area"}
    assert client.post("/sign-in/", credentials)["Location"] == "/?measure=cost&shape=area"


def test_leads_nowhere_else(client: Client, user: User) -> None:
    credentials = {"login": user.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/sign-in/", credentials)["Location"] == "/"


def test_whoever_is_signed_in_goes_on(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/sign-in/")["Location"] == "/"


def test_a_form_of_another_site_is_refused_in_words(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/sign-in/", {"login": user.email, "password": PASSWORD})
    assert response.status_code == 403
    assert "This form has expired" in text(response)


def test_signing_out_ends_the_session_and_says_so(client: Client, user: User) -> None:
    client.force_login(user)
    response = client.post("/sign-out/", follow=True)
    assert "_auth_user_id" not in client.session
    assert "You are signed out." in text(response)


def test_signing_out_takes_more_than_a_link(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in client.session


def test_pages_with_secrets_are_not_kept(client: Client) -> None:
    assert "no-store" in client.get("/sign-in/")["Cache-Control"]
