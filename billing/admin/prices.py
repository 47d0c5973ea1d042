"""The operator's view of the price book: prices are added, superseded and ended, and never edited."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from billing.book import services
from billing.book.terms import MANUAL, Terms
from billing.book.written import EXAMPLE, read_rates, write_rates
from billing.models import Discount, Price
from billing.rating.formula import BASIS_POINTS
from core import clock
from core.problems import Problem
from organizations.admin import OperatorAdmin, OrganizationFilter, register_events
from organizations.admin.faults import at_fields, check_each
from organizations.admin.showing import linked
from organizations.bounded import BoundedPaginator
from organizations.confirming import confirmed
from organizations.models import User
from organizations.tenancy import Actor

SUPERSEDES = "supersedes"
_FIELDS = (
    "organization",
    "provider",
    "model",
    "tier",
    "currency",
    "effective_from",
    "effective_until",
    "daily_from",
    "daily_until",
)


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A price that is to be, with its rates."""

    rates = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60}),
        help_text=f"One a line: {EXAMPLE}, perhaps followed by: above 200000",
    )

    class Meta:
        model = Price
        fields = _FIELDS

    def clean_rates(self) -> str:
        """Refuse what is no rate.

        Raises: Django's ValidationError.
        """
        text = str(self.cleaned_data["rates"])
        try:
            read_rates(text)
        except ValueError as error:
            raise ValidationError(f"{error}.") from error
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse what the service would.

        Raises: Django's ValidationError.
        """
        given = super().clean() or {}
        check_each(
            self,
            (services.check_end, ("effective_from", "effective_until")),
            (services.check_hours, ("daily_from", "daily_until")),
        )
        if not self.errors:
            owner = given["organization"]
            try:
                services.check_price(self.terms, organization_id=owner.pk if owner else None)
            except Problem as problem:
                raise at_fields(problem, self) from problem
        return given

    @property
    def terms(self) -> Terms:
        """The price that the form spells."""
        given = {name: self.cleaned_data[name] for name in _FIELDS if name != "organization"}
        return Terms(rates=read_rates(self.cleaned_data["rates"]), source=MANUAL, **given)


class EndableAdmin(OperatorAdmin):
    """Shows what costs are reckoned by: it is never changed or removed, but ended.

    ``ending`` ends one, and raises `Problem` for one that has not begun or has ended.
    """

    ending: Callable[[Any, Actor | None], object]
    paginator = BoundedPaginator
    sortable_by = ()
    actions = ("end",)

    @admin.action(description="End now", permissions=["end"])
    @confirmed("From now on these do not count any more; what was reckoned by them stays.", done="Ended")
    def end(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """End those of the chosen that have begun and not ended."""
        ended = []
        for one in queryset:
            try:
                self.ending(one, _actor(request))
            except Problem:
                continue
            ended.append(one)
        return ended

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Only those who may change them."""
        return super().has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The list is open to those who may change; what is on it stays."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Records refer to it for good."""
        return False


class WhoseFilter(admin.SimpleListFilter):
    """Whether a price is of the list, or an organization's own."""

    title = "whose"
    parameter_name = "own"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two kinds."""
        return [("0", "The list's"), ("1", "Organizations'")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> QuerySet[Price]:
        """Return the prices of the kind that is chosen."""
        value = self.value()
        return queryset if value is None else queryset.filter(organization__isnull=value == "0")


def _end_price(price: Price, actor: Actor | None) -> None:
    services.end_price(price_id=price.pk, organization_id=price.organization_id, actor=actor)


def _end_discount(discount: Discount, actor: Actor | None) -> None:
    services.end_discount(organization_id=discount.organization_id, discount_id=discount.pk, actor=actor)


@admin.register(Price)
class PriceAdmin(EndableAdmin):
    """Prices of the list and of organizations; a price is superseded, not changed."""

    ending = staticmethod(_end_price)
    form = PriceForm
    list_display = (
        "named", "provider", "tier", linked("organization"), "currency", "effective_from", "effective_until",
        "source", "supersede",
    )  # fmt: skip
    list_filter = (OrganizationFilter, WhoseFilter, "source", "tier", "provider")
    list_select_related = ("organization",)
    search_fields = ("model", "provider", "organization__slug__exact")
    search_help_text = "A part of the model's or provider's name, or an organization's slug."
    autocomplete_fields = ("organization",)

    @admin.display(description="model")
    def named(self, price: Price) -> str:
        """Name the model; without one it is for calls that name none."""
        return price.model or "(no model)"

    @admin.display(description="change")
    def supersede(self, price: Price) -> str:
        """Link to a new price like this one."""
        return format_html(
            '<a href="{}?{}={}">Supersede</a>', reverse("admin:billing_price_add"), SUPERSEDES, price.pk
        )

    @admin.display(description="rates")
    def written(self, price: Price) -> str:
        """Show the price's rates."""
        return write_rates(services.rates_of([price.pk]).get(price.pk, ()))

    def get_fieldsets(self, request: HttpRequest, obj: Price | None = None) -> Any:
        """Show the rates of a price that is, and ask for those of a new one."""
        rates = ("currency", "rates" if obj is None else "written")
        known = [
            ("Calls", {"fields": ("organization", "provider", "model", "tier")}),
            ("Rates", {"fields": rates}),
            ("Holds", {"fields": ("effective_from", "effective_until")}),
            ("Hours of the day", {"fields": ("daily_from", "daily_until")}),
        ]
        return known if obj is None else [*known, ("Made", {"fields": ("source", "created_at")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> Any:
        """A price that is stays as it is."""
        return () if obj is None else ("written", "source", "created_at")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what the superseded price says, or with the model that has none."""
        number = request.GET.get(SUPERSEDES, "")
        price = Price.objects.filter(pk=int(number)).first() if number.isdecimal() else None
        if price is None:
            return {name: request.GET[name] for name in ("provider", "model") if name in request.GET}
        kept = {name: getattr(price, name) for name in _FIELDS if not name.startswith("effective")}
        rates = services.rates_of([price.pk]).get(price.pk, ())
        return {**kept, "effective_from": clock.now(), "rates": write_rates(rates)}

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Add it to the book."""
        owner = form.cleaned_data["organization"]
        made = services.add_price(
            form.terms, organization_id=None if owner is None else owner.pk, actor=_actor(request)
        )
        obj.pk = made.pk


class DiscountForm(forms.ModelForm):  # type: ignore[type-arg]
    """A discount that is to be."""

    class Meta:
        model = Discount
        fields = ("organization", "basis_points", "provider", "model", "effective_from", "effective_until")

    def clean(self) -> dict[str, Any]:
        """Refuse one that would end before it begins, which is now at the earliest.

        Raises: Django's ValidationError.
        """
        given = super().clean() or {}
        if given.keys() >= {"effective_from", "effective_until"}:
            until = given["effective_until"]
            if until is not None and until <= max(given["effective_from"], clock.now()):
                ends = "A discount begins now or later, and ends after that."
                raise ValidationError({"effective_until": ends})
        return given


@admin.register(Discount)
class DiscountAdmin(EndableAdmin):
    """Discounts of organizations on the list; a discount is ended, and another given."""

    ending = staticmethod(_end_discount)
    form = DiscountForm
    list_display = (
        "__str__", linked("organization"), "provider", "model", "effective_from", "effective_until",
    )  # fmt: skip
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact", "model", "provider")
    search_help_text = "An organization's slug, or a part of the model's or provider's name."
    autocomplete_fields = ("organization",)
    bounds: ClassVar[Any] = {"basis_points": (1, BASIS_POINTS)}
    fieldsets = (
        (None, {"fields": ("organization", "basis_points")}),
        ("On", {"fields": ("provider", "model")}),
        ("Holds", {"fields": ("effective_from", "effective_until")}),
    )

    def save_model(self, request: HttpRequest, obj: Discount, form: Any, change: bool) -> None:
        """Give the discount."""
        given = dict(form.cleaned_data)
        organization = given.pop("organization")
        begins = given.pop("effective_from")
        # What has passed since the form was shown is no past to rewrite.
        given["effective_from"] = begins if begins > clock.now() else None
        made = services.add_discount(organization_id=organization.pk, actor=_actor(request), **given)
        obj.pk = made.pk


def _actor(request: HttpRequest) -> Actor | None:
    return Actor(kind="user", user_id=request.user.pk) if isinstance(request.user, User) else None


register_events(Price, Discount)
