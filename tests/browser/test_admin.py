"""What an operator does in the admin, with a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from playwright.sync_api import Page, expect

from organizations.models import Membership, Organization, User
from organizations.tenancy import system_scope
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.operating import OPERATOR, enter
from tests.usage.factories import make_tenant, record


@pytest.fixture
def operator(transactional_db: None, visit: Visit) -> Visit:
    """Somebody who runs the whole system, signed in."""
    with system_scope():
        User.objects.create_superuser(OPERATOR, PASSWORD)
    enter(visit)
    return visit


def choose(page: Page, label: str, typed: str, wanted: str) -> None:
    """Find a row by typing, and take it with the keyboard."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.fill(typed)
    expect(page.get_by_role("option", name=wanted)).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value(wanted)


def test_an_organization_is_found_by_typing_and_granted_credits(operator: Visit) -> None:
    make_tenant("Acme")
    make_tenant("Globex")
    page = operator.page
    page.goto(f"{operator.url}/admin/billing/grant/add/")
    choose(page, "Organization:", "glo", "Globex")
    page.get_by_label("Allowance").select_option("credits")
    page.get_by_label("Amount").fill("12.5")
    page.get_by_label("Reason").fill("Welcome")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was added successfully")
    expect(page.locator("#result_list .field-organization")).to_have_text("Globex")
    expect(page.locator("#result_list .field-number_left")).to_have_text("12.5")


def test_what_was_typed_and_not_chosen_is_taken_back(operator: Visit) -> None:
    make_tenant("Acme")
    page = operator.page
    page.goto(f"{operator.url}/admin/billing/price/add/")
    choose(page, "Organization:", "ac", "Acme")
    box = page.get_by_role("combobox", name="Organization:", exact=True)
    box.fill("zzz")
    expect(page.get_by_text("No results")).to_be_in_viewport(ratio=1)
    page.get_by_label("Provider").focus()
    expect(page.locator(".chooser-box .none")).to_have_count(0)
    expect(box).to_have_value("Acme")
    box.fill("")
    page.get_by_label("Provider").focus()
    expect(page.locator("#id_organization")).to_have_value("")


def test_a_list_is_narrowed_to_an_organization_and_widened_again(operator: Visit) -> None:
    for name in ("Acme", "Globex"):
        make_tenant(name).api.keep(record(name))
    page = operator.page
    page.goto(f"{operator.url}/admin/usage/record/")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("All, last 7 days")).to_be_visible()
    choose(page, "Organization", "acme", "Acme")
    page.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(1)
    page.get_by_placeholder("Search").fill("Acme")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_role("combobox", name="Organization")).to_have_value("Acme")
    page.get_by_role("link", name="Show all organizations").click()
    page.get_by_role("link", name="Clear search").click()
    expect(rows).to_have_count(2)


def test_the_menu_of_a_filter_opens_inside_the_window_and_closes(operator: Visit) -> None:
    page = operator.page
    make_tenant("Acme")
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(f"{operator.url}/admin/alerts/rule/")
    menus = page.locator(".filter-menu")
    for place in range(menus.count()):
        menus.nth(place).locator("summary").click()
        expect(menus.nth(place).locator("ul")).to_be_in_viewport()
        assert operator.overflow() == 0
        expect(page.locator(".filter-menu[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".filter-menu[open]")).to_have_count(0)
    menus.first.locator("summary").click()
    menus.first.get_by_role("link", name="No traffic").click()
    expect(menus.first.locator("summary")).to_contain_text("Condition: No traffic")
    page.get_by_role("link", name="Clear filters").click()
    expect(menus.first.locator("summary")).to_contain_text("Condition: All")


def test_a_member_is_added_to_an_organization(operator: Visit) -> None:
    acme = make_tenant("Acme")
    User.objects.create_user("new@example.org", PASSWORD)
    page = operator.page
    page.goto(f"{operator.url}/admin/organizations/organization/{acme.id}/change/")
    page.get_by_role("button", name="Add another Member").click()
    row = page.locator("#memberships-1")
    row.get_by_role("combobox", name="User").fill("new")
    page.get_by_role("option", name="new@example.org").click()
    row.get_by_label("Role").select_option("analyst")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    with system_scope():
        assert Membership.objects.filter(organization=acme.id, user__email="new@example.org").exists()


def test_who_is_found_is_listed_beyond_the_row_of_a_narrow_window(operator: Visit) -> None:
    acme = make_tenant("Acme")
    for name in ("ann", "bob", "cat", "dan", "eve"):
        User.objects.create_user(f"{name}@example.com", PASSWORD)
    page = operator.page
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(f"{operator.url}/admin/organizations/organization/{acme.id}/change/")
    page.get_by_role("button", name="Add another Member").click()
    page.get_by_role("button", name="Save and continue editing").scroll_into_view_if_needed()
    page.locator("#memberships-1").get_by_role("combobox", name="User").fill("example.com")
    expect(page.get_by_role("option", name="eve@example.com")).to_be_in_viewport(ratio=0.9)
    assert operator.overflow() == 0


def test_a_key_is_revoked_once_that_is_confirmed(operator: Visit) -> None:
    make_tenant("Acme")
    page = operator.page
    page.goto(f"{operator.url}/admin/organizations/credential/")
    page.locator("#result_list .action-select").first.check()
    page.locator("select[name=action]").select_option("revoke")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("Nothing is accepted with these keys any more")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#result_list .field-revoked_at")).to_have_text("–")
    page.locator("#result_list .action-select").first.check()
    page.locator("select[name=action]").select_option("revoke")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".messagelist")).to_contain_text("Revoked: 1.")
    expect(page.locator("#result_list .field-revoked_at")).to_contain_text("UTC")


def test_operators_sign_in_and_out_and_change_their_password_where_everybody_does(
    operator: Visit, open_page: Callable[..., Visit]
) -> None:
    page = operator.page
    page.goto(f"{operator.url}/admin/password_change/")
    page.wait_for_url("**/account/**")
    page.goto(f"{operator.url}/admin/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{operator.url}/admin/billing/invoice/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_organization_is_made(operator: Visit) -> None:
    page = operator.page
    page.goto(f"{operator.url}/admin/organizations/organization/add/")
    page.get_by_label("Name").press_sequentially("Initech")
    expect(page.get_by_label("Slug")).to_have_value("initech")
    page.get_by_label("Plan").select_option(label="Starter")
    row = page.locator("#memberships-0")
    row.get_by_role("combobox", name="User").fill("operator")
    page.get_by_role("option", name=OPERATOR).click()
    row.get_by_label("Role").select_option("owner")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was added successfully")
    with system_scope():
        assert Organization.objects.filter(slug="initech").exists()


def test_long_addresses_leave_everything_inside_a_narrow_window(operator: Visit) -> None:
    with system_scope():
        person = User.objects.create_user(f"{'long.' * 12}name@example.org", PASSWORD, name="A")
        mine = User.objects.get(email=OPERATOR)
        LogEntry.objects.log_actions(person.pk, [mine], CHANGE, "Changed Name.", single_object=True)
    page = operator.page
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(f"{operator.url}/admin/organizations/user/{person.pk}/password/")
    assert operator.overflow() == 0
    page.goto(f"{operator.url}/admin/organizations/user/{mine.pk}/history/")
    assert operator.overflow() == 0
    expect(page.get_by_role("cell", name="Changed Name.")).to_be_in_viewport(ratio=1)
