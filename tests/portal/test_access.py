"""Who sees which page, of which organization."""

from __future__ import annotations

import pytest
from django.test import Client

from organizations.models import User
from tests.portal.pages import HTMX, add_member, figures, leave, sign_in, signed_in, text
from tests.usage.factories import Tenant, make_tenant, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def globex(acme: Tenant) -> Tenant:
    """Another organization, with three records to Acme's one."""
    tenant = make_tenant("Globex")
    acme.api.keep(record("ours"))
    tenant.api.keep(*(record(f"theirs-{number}") for number in range(3)))
    return tenant


@pytest.fixture
def of_both(acme: Tenant, globex: Tenant) -> User:
    """Somebody who belongs to both."""
    return add_member(globex, "analyst", user=add_member(acme, "owner"))


def requests(client: Client, path: str = "/", **headers: str) -> str:
    return figures(client.get(path, headers=headers))["requests"]


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "analyst", "developer"])
def test_every_role_sees_the_overview(acme: Tenant, role: str) -> None:
    acme.api.keep(record("one"))
    page = sign_in(acme, role).get("/")
    assert figures(page)["requests"] == "1"
    assert f"{role.capitalize()} of Acme" in text(page)


def test_nobody_else_does(acme: Tenant, client: Client) -> None:
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/sign-in/?next=/")
    assert "no-store" in response["Cache-Control"]


def test_a_part_of_a_page_leads_the_whole_browser_to_the_sign_in(acme: Tenant, client: Client) -> None:
    response = client.get("/?measure=cost", headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/sign-in/?next=/%3Fmeasure%3Dcost")


def test_after_signing_in_one_comes_back_to_the_page_and_not_to_its_form(
    acme: Tenant, client: Client
) -> None:
    response = client.post("/first-key/", headers={"Referer": "http://testserver/?organization=acme"})
    assert response["Location"] == "/sign-in/?next=/%3Forganization%3Dacme"


def test_a_member_of_nothing_is_told_so(acme: Tenant) -> None:
    response = signed_in(User.objects.create_user("nobody@example.org")).get("/")
    assert response.status_code == 403
    assert "You do not belong to any organization." in text(response)
    assert "Sign out" in text(response)
    assert "You're not a member" in text(response)
    assert "Go to the admin" not in text(response)
    # It would lead back here.
    assert "Go to Overview" not in text(response)


def test_an_operator_who_belongs_nowhere_is_led_to_the_admin(acme: Tenant) -> None:
    operator = User.objects.create_superuser("operator@example.org")
    response = signed_in(operator).get("/")
    assert response.status_code == 403
    assert 'href="/admin/"' in response.content.decode()


def test_only_operators_find_the_admin(acme: Tenant) -> None:
    assert 'href="/admin/"' not in sign_in(acme).get("/").content.decode()
    operator = add_member(acme, user=User.objects.create_superuser("operator@example.org"))
    assert 'href="/admin/"' in signed_in(operator).get("/").content.decode()


def test_a_member_of_one_organization_has_no_switcher_and_plain_addresses(acme: Tenant) -> None:
    acme.api.keep(record("one"))
    page = sign_in(acme).get("/").content.decode()
    assert "Organizations" not in page
    assert "organization=" not in page


def test_a_member_of_several_chooses_and_every_address_says_which(of_both: User) -> None:
    client = signed_in(of_both)
    page = client.get("/")
    assert (figures(page)["requests"], page.context["layout"].organization) == ("1", "Acme")
    html = page.content.decode()
    assert 'hx-get="/?organization=acme&amp;measure=requests&amp;shape=bars"' in html
    assert '<a href="/?organization=acme" aria-current="true">Acme</a>' in html
    assert '<a href="/?organization=globex">Globex</a>' in html
    assert requests(client, "/?organization=globex") == "3"
    assert requests(client) == "3"


def test_two_tabs_do_not_mix_two_organizations_up(of_both: User) -> None:
    client = signed_in(of_both)
    assert requests(client, "/?organization=acme") == "1"
    assert requests(client, "/?organization=globex") == "3"
    assert requests(client, "/?organization=acme&measure=requests&shape=bars", **HTMX) == "1"


@pytest.mark.parametrize("slug", ["globex", "nowhere"])
def test_an_organization_of_others_is_refused_like_none(acme: Tenant, globex: Tenant, slug: str) -> None:
    response = sign_in(acme).get(f"/?organization={slug}")
    assert response.status_code == 403
    assert f"You do not belong to an organization '{slug}'." in text(response)


def test_an_organization_that_was_left_is_refused(acme: Tenant, globex: Tenant, of_both: User) -> None:
    client = signed_in(of_both)
    assert requests(client, "/?organization=globex") == "3"
    leave(globex, of_both)
    assert client.get("/?organization=globex").status_code == 403
    assert requests(client) == "1"


def test_a_closed_account_sees_nothing(acme: Tenant) -> None:
    user = add_member(acme)
    client = signed_in(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert client.get("/")["Location"] == "/sign-in/?next=/"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_overview_is_only_read(acme: Tenant, method: str) -> None:
    assert getattr(sign_in(acme), method)("/").status_code == 405


def test_the_frame_is_for_keyboards_and_screen_readers(acme: Tenant) -> None:
    html = sign_in(acme).get("/").content.decode()
    assert '<html lang="en">' in html
    assert '<a class="skip" href="#content">' in html
    assert '<nav class="side" aria-label="Main" id="menu" popover>' in html
    assert '<main id="content" tabindex="-1">' in html
    assert '<a href="/" aria-current="page">Overview</a>' in html
    assert "style=" not in html
    assert "onclick" not in html
