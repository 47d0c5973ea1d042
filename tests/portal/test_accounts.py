"""Second factors, sessions, resets and invitations: who gets in, and who doesn't."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from organizations.models import Membership, User
from organizations.services import invite, require_second_factor
from organizations.tenancy import tenant_scope
from portal.accounts.devices import device
from tests.portal.pages import add_member, sign_in, signed_in, text
from tests.usage.factories import Tenant, make_tenant

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.fixture
def user() -> User:
    """Somebody with an account."""
    return User.objects.create_user("ada@example.org", PASSWORD)


def code(secret: str) -> str:
    """Return the code that a generator with this secret shows now."""
    value: int = hotp_value(secret, int(time.time()) // 30)
    return f"{value:06}"


def with_factor(user: User) -> str:
    """Give somebody a code generator, and return its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def enter(client: Client, user: User, **more: str) -> Any:
    return client.post("/sign-in/", {"login": user.email, "password": PASSWORD, **more})


def confirm(client: Client) -> None:
    """Say the password once more, as changes of second factors ask for."""
    assert client.post("/account/confirm/", {"password": PASSWORD}).status_code == 302


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def is_open(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_a_password_alone_does_not_open_an_account_with_a_second_factor(client: Client, user: User) -> None:
    secret = with_factor(user)
    asked = enter(client, user, next="/usage/")
    assert asked["Location"].startswith("/account/factors/authenticate/")
    assert not is_in(client)
    wrong = client.post("/account/factors/authenticate/", {"code": "000000"})
    assert "This code isn't right" in text(wrong)
    assert not is_in(client)
    entered = client.post("/account/factors/authenticate/", {"code": code(secret)})
    assert entered["Location"] == "/usage/"
    assert is_in(client)


def test_a_code_opens_once(client: Client, user: User) -> None:
    secret = with_factor(user)
    used = code(secret)
    for expected in (True, False):
        browser = Client()
        enter(browser, user)
        browser.post("/account/factors/authenticate/", {"code": used})
        assert is_in(browser) is expected


def test_secrets_are_not_kept_in_the_clear(user: User) -> None:
    secret = with_factor(user)
    kept = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    assert secret not in str(kept.data)
    assert TOTP(kept).validate_code(code(secret))


def test_setting_a_code_generator_up(client: Client, user: User) -> None:
    enter(client, user)
    asked = client.get("/account/factors/totp/activate/")
    assert asked["Location"].startswith("/account/confirm/")
    confirm(client)
    page = client.get("/account/factors/totp/activate/")
    html = page.content.decode()
    secret = page.context["form"].secret
    assert secret in html
    assert 'src="data:image/svg+xml' in html
    assert "style=" not in html
    done = client.post("/account/factors/totp/activate/", {"code": code(secret)})
    assert done.status_code == 302
    assert Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def test_a_recovery_code_stands_in_once(client: Client, user: User) -> None:
    enter(client, user)
    confirm(client)
    secret = client.get("/account/factors/totp/activate/").context["form"].secret
    client.post("/account/factors/totp/activate/", {"code": code(secret)})
    codes = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES).wrap()
    first = codes.get_unused_codes()[0]
    for expected in (True, False):
        browser = Client()
        enter(browser, user)
        browser.post("/account/factors/authenticate/", {"code": first})
        assert is_in(browser) is expected


def test_an_organization_can_require_a_second_factor(acme: Tenant) -> None:
    owner, other = add_member(acme), add_member(acme, "analyst")
    with_factor(owner)
    assert signed_in(other).get("/").status_code == 200
    settings = {"name": "Acme", "timezone": "Europe/Berlin", "second_factor": "on"}
    assert signed_in(owner).post("/settings/", settings)["Location"] == "/settings/"
    refused = signed_in(other).get("/")
    assert refused.status_code == 403
    assert "Acme requires a second factor of its members" in text(refused)
    assert 'href="/account/factors/"' in refused.content.decode()
    assert signed_in(owner).get("/").status_code == 200
    globex = make_tenant("Globex")
    assert "Globex" not in text(signed_in(other).get("/"))
    add_member(globex, user=other)
    page = signed_in(other).get("/").content.decode()
    assert 'href="/?organization=globex"' in page
    assert 'href="/?organization=acme"' not in page
    with_factor(other)
    assert signed_in(other).get("/").status_code == 200


def test_what_is_required_of_pages_is_required_of_the_api(acme: Tenant) -> None:
    require_second_factor(organization_id=acme.id, required=True)
    answer = sign_in(acme).get("/api/v1/usage")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    # Keys are no people.
    assert acme.api.get("/usage").status == 200


def test_nobody_locks_themselves_out(acme: Tenant) -> None:
    settings = {"name": "Acme", "timezone": "Europe/Berlin", "second_factor": "on"}
    answer = sign_in(acme).post("/settings/", settings)
    assert answer.status_code == 422
    assert "Set up a second factor of your own first" in text(answer)


def test_after_many_wrong_passwords_a_right_one_has_to_wait(client: Client, user: User) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"login": user.email, "password": "wrong"})
    answer = enter(client, user)
    assert "Too many attempts failed." in text(answer)
    assert not is_in(client)


def test_sessions_are_listed_and_the_others_can_be_ended(user: User) -> None:
    here, there = Client(headers={"user-agent": "Here"}), Client(headers={"user-agent": "There"})
    for browser in (here, there):
        enter(browser, user)
    page = text(here.get("/account/sessions/"))
    assert "Here" in page
    assert "There" in page
    here.post("/account/sessions/")
    assert there.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


def test_sessions_are_told_in_the_zone_of_the_organization(client: Client, user: User) -> None:
    add_member(make_tenant("Acme", timezone="Asia/Tokyo"), user=user)
    with time_machine.travel("2026-07-01T22:30:00Z", tick=False):
        enter(client, user)
        page = text(client.get("/account/sessions/"))
    assert "signed in 2 Jul 2026, 07:30" in page
    assert "Times in Asia/Tokyo." in page


def test_one_session_is_ended_and_the_rest_go_on(user: User) -> None:
    here, there, elsewhere = Client(), Client(), Client()
    for browser in (here, there, elsewhere):
        enter(browser, user)
    ended = UserSession.objects.get(session_key=there.session.session_key)
    said = here.post(f"/account/sessions/{ended.pk}/end/", follow=True)
    assert "The session was signed out." in text(said)
    assert [is_open(browser) for browser in (here, there, elsewhere)] == [True, False, True]


def test_ending_this_session_signs_out(client: Client, user: User) -> None:
    enter(client, user)
    this = UserSession.objects.get(user=user)
    assert client.post(f"/account/sessions/{this.pk}/end/")["Location"] == "/sign-in/"
    assert not is_in(client)


def test_nobody_ends_the_session_of_another(client: Client, user: User) -> None:
    enter(client, user)
    theirs = UserSession.objects.get(user=user)
    eve = Client()
    path = f"/account/sessions/{theirs.pk}/end/"
    assert eve.post(path)["Location"].startswith("/sign-in/")
    eve.force_login(User.objects.create_user("eve@example.org", PASSWORD))
    assert eve.post(path).status_code == 302
    assert is_open(client)


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (f"{MOZILLA} (X11; Linux x86_64) {WEBKIT} Chrome/143.0 Safari/537.36", "Chrome on Linux"),
        (
            f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/143.0 Safari/537.36 Edg/143.0",
            "Edge on Windows",
        ),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15) {WEBKIT} Safari/605.1",
            "Safari on macOS",
        ),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} Safari/604.1", "Safari on iPhone"),
        (f"{MOZILLA} (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox on Android"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_called_as_people_call_them(user_agent: str, expected: str) -> None:
    assert device(user_agent) == expected


def test_a_password_is_reset_by_a_link_that_works_once(client: Client, user: User) -> None:
    client.post("/account/password/reset/", {"email": "Ada@example.org"})
    [message] = mail.outbox
    assert message.to == ["ada@example.org"]
    link = re.search(r"http://testserver(/account/password/reset/\S+)", str(message.body))
    assert link is not None
    form = client.get(link[1])["Location"]
    another = "another long password"
    client.post(form, {"password1": another, "password2": another})
    user.refresh_from_db()
    assert user.check_password(another)
    assert "This link doesn't work any more" in text(Client().get(link[1]))


def test_an_account_without_a_password_sets_its_first(client: Client) -> None:
    user = User.objects.create_user("grace@example.org")
    client.force_login(user)
    asked = client.get("/account/password/")
    assert asked["Location"] == "/account/password/set/"
    assert "no password yet" in text(client.get("/account/password/set/"))
    client.post("/account/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_reset_of_nobody_looks_the_same_and_mails_nothing(client: Client, user: User) -> None:
    answers = [
        text(client.post("/account/password/reset/", {"email": email}, follow=True))
        for email in (user.email, "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("path", ["sso/closed/", "factors/", "sessions/", "password/", ""])
def test_nothing_of_accounts_is_open_to_strangers(client: Client, path: str) -> None:
    answer = client.get(f"/account/{path}", follow=True)
    assert "Sign in" in text(answer) or "No account found" in text(answer)


def test_nobody_makes_an_account_of_their_own(client: Client) -> None:
    client.post("/account/sso/closed/", {"email": "eve@example.org", "password1": PASSWORD})
    assert not User.objects.filter(email="eve@example.org").exists()


def token(acme: Tenant, email: str, role: str = "analyst") -> str:
    with tenant_scope(acme.id):
        return invite(organization_id=acme.id, email=email, role=role, invited_by_id=None).token


def test_an_invited_person_joins_with_a_new_account(acme: Tenant, client: Client) -> None:
    path = f"/invitations/{token(acme, 'new@example.org')}/"
    assert "You are invited as Analyst." in text(client.get(path))
    short = client.post(path, {"name": "New", "password": "short"})
    assert short.status_code == 422
    assert not User.objects.filter(email="new@example.org").exists()
    joined = client.post(path, {"name": "New", "password": PASSWORD}, follow=True)
    assert "Welcome to Acme." in text(joined)
    assert joined.context["layout"].role == "Analyst"
    assert "not open any more" in text(Client().get(path))


def test_an_invited_person_with_an_account_signs_in_and_joins(
    acme: Tenant, client: Client, user: User
) -> None:
    path = f"/invitations/{token(acme, user.email)}/"
    asked = client.get(path)
    assert asked["Location"] == f"/sign-in/?next={path}"
    assert enter(client, user, next=path)["Location"] == path
    assert "Welcome to Acme." in text(client.post(path, follow=True))


def test_an_invitation_is_of_nobody_else(acme: Tenant, user: User) -> None:
    path = f"/invitations/{token(acme, 'other@example.org')}/"
    client = signed_in(user)
    assert "This invitation is for other@example.org" in text(client.get(path))
    client.post(path)
    with tenant_scope(acme.id):
        assert not Membership.objects.filter(user=user).exists()


def test_an_owner_invites_and_the_link_opens(acme: Tenant) -> None:
    owner = sign_in(acme)
    page = owner.post("/settings/members/invite/", {"email": "New@example.org", "role": "developer"})
    link = re.search(r"http://testserver(/invitations/[\w-]+/)", page.content.decode())
    assert link is not None
    [message] = mail.outbox
    assert link[1] in str(message.body)
    assert "as Developer" in text(Client().get(link[1]))
    assert "new@example.org as Developer" in text(owner.get("/settings/members/"))
