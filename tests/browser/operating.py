"""The operator's admin as a browser walks it, with a row in each list.

Every list and every form is looked at. The pages of a row's history, of deleting, and of what actions ask are
the same for every model but for its names: of each kind the first is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from axe_playwright_python.sync_playwright import Axe
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import RequestFactory
from django.urls import reverse

from organizations.models import Plan, User
from organizations.tenancy import system_scope
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.looking import OPTIONS, WIDTHS
from tests.contracts.test_tenant_tables import fill
from tests.usage.factories import make_tenant

HEIGHT: Final = 900
PEOPLE: Final = "/admin/organizations/user/"
OPERATOR: Final = "operator@example.org"
BESIDES: Final = {"exclude": [["#header"], ["#nav-sidebar"]]}
OPEN_MENUS: Final = """async () => {
  const menus = document.querySelectorAll(".filter-menu");
  if (menus.length === 0) return;
  for (const menu of menus) menu.open = false;
  await new Promise(requestAnimationFrame);
  for (const menu of menus) menu.open = true;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def make_rows() -> User:
    """Leave a row in every list of the admin; return an operator, who may do all."""
    fill(make_tenant("Acme"))
    with system_scope():
        Plan.objects.filter(slug="free").update(requests_per_minute=61)
        operator = User.objects.create_superuser(OPERATOR, PASSWORD, name="Olga Operator")
        group = Group.objects.create(name="Support")
        group.permissions.set(Permission.objects.filter(codename__startswith="view_"))
        operator.groups.add(group)
        other = User.objects.create_user("other@example.org", PASSWORD)
        Authenticator.objects.create(user=other, type=Authenticator.Type.RECOVERY_CODES, data={})
        SocialAccount.objects.create(user=operator, provider="example", uid="olga")
    return operator


def enter(visit: Visit) -> None:
    """Sign in, and wait for the admin's first page."""
    visit.page.goto(f"{visit.url}/admin/")
    visit.page.get_by_label("E-mail address").fill(OPERATOR)
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    visit.page.get_by_role("heading", name="Operation").wait_for()


class Walk:
    """Looks at one page after the other, and writes down what is wrong with each."""

    def __init__(self, visit: Visit, operator: User, *, at_one_width: bool) -> None:
        self.visit = visit
        self.page = visit.page
        self.wrong: list[str] = []
        self.widths = () if at_one_width else WIDTHS
        self.request = RequestFactory().get("/admin/")
        self.request.user = operator
        self.seen = 0
        self.kinds: set[str] = set()

    def open(self, path: str, status: int = 200) -> None:
        """Open a page, which is there."""
        answer = self.page.goto(f"{self.visit.url}{path}")
        assert answer is not None
        assert answer.status == status, (path, answer.status)

    def look(self, name: str) -> None:
        """Hold what axe finds against the page, what is wider than its window, and what the browser says."""
        self.seen += 1
        # What stands beside every page was looked at on the first.
        context = None if self.seen == 1 else BESIDES
        found = Axe().run(self.page, context=context, options=OPTIONS).response["violations"]
        for one in found:
            for node in one["nodes"]:
                self.wrong.append(f"{name}: {one['id']} at {node['target']}: {node['html'][:120]}")
        # The last is the one in which pages are opened.
        for width in self.widths:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            self._menus()
            if over := self.visit.overflow():
                self.wrong.append(f"{name}: {over} pixels wider than {width}")
        self.listen(name)

    def listen(self, name: str) -> None:
        """Hold against the page what the browser says of it."""
        self.wrong += [f"{name}: {complaint}" for complaint in self.visit.complaints]
        self.visit.complaints.clear()

    def model(self, model: Any, shown: Any) -> None:
        """Look at a model's list with its menus open, at its forms, and at kinds of page not seen before."""
        opts = model._meta
        where = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        self.open(where)
        self._menus()
        self.look(where)
        change = self._first(where)
        if change is None:
            self.wrong.append(f"{where}: no row")
            return
        for path in self._pages(shown, where, change):
            self.open(path)
            self.look(path)
        if self.widths and shown.search_fields:
            self.open(f"{where}?q=a")
            self.listen(f"{where}?q=a")
        for action in shown.get_actions(self.request):
            if self._is_new("delete many" if action == "delete_selected" else "action"):
                self._ask(where, action)

    def _menus(self) -> None:
        """Open the menus of a list's filters, which the page then moves inside the window."""
        self.page.evaluate(OPEN_MENUS)

    def _first(self, where: str) -> str | None:
        pattern = f"#result_list a[href^='{where}'][href*='/change/']"
        return (
            self.page.locator(pattern).first.get_attribute("href")
            if self.page.locator(pattern).count()
            else None
        )

    def _pages(self, shown: Any, where: str, change: str) -> Iterator[str]:
        yield change
        if shown.has_add_permission(self.request):
            yield f"{where}add/"
        row = change.partition("?")[0].removesuffix("change/")
        if self._is_new("history"):
            yield f"{row}history/"
        if shown.has_delete_permission(self.request) and self._is_new("delete"):
            yield f"{row}delete/"

    def _is_new(self, kind: str) -> bool:
        """Say whether a kind of page comes for the first time, and remember it."""
        is_new = kind not in self.kinds
        self.kinds.add(kind)
        return is_new

    def _ask(self, where: str, action: str) -> None:
        self.open(where)
        self.page.locator("#result_list .action-select").first.check()
        self.page.locator("select[name=action]").select_option(action)
        self.page.get_by_role("button", name="Go").click()
        self.page.locator(".submit-row input[type=submit], input[type=submit]").first.wait_for()
        self.look(f"{where} {action}")


def look_everywhere(visit: Visit, *, at_one_width: bool = False) -> list[str]:
    """Look at every page of the admin, at all of it or at its colours; return what is wrong."""
    operator = make_rows()
    walk = Walk(visit, operator, at_one_width=at_one_width)
    enter(visit)
    apps = dict.fromkeys(model._meta.app_label for model in admin.site._registry)
    for path in ("/admin/", *(f"/admin/{label}/" for label in apps), f"{PEOPLE}{operator.pk}/password/"):
        walk.open(path)
        walk.look(path)
    for model, shown in admin.site._registry.items():
        walk.model(model, shown)
    walk.open("/admin/nowhere/", status=404)
    # The browser itself reports the status.
    visit.complaints[:] = [one for one in visit.complaints if "404" not in one]
    walk.look("/admin/nowhere/")
    assert walk.seen > 2 * len(admin.site._registry)
    assert walk.kinds == {"history", "delete", "delete many", "action"}
    return walk.wrong
