"""Repricings in the operator's admin: started, watched and cancelled, never edited."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from billing.admin import repricing_page
from billing.models import Repricing, RepricingPart
from billing.repricings import services
from core.problems import Problem
from organizations.admin import OrganizationFilter, ReadOnlyAdmin, register_events
from organizations.models import User
from organizations.tenancy import Actor

LIKE: Final = "like"
FIELDS: Final = ("organization", "window_start", "window_end", "dry_run")
_SUMS: Final = ("records_total", "looked_at", "priced")


def _moment() -> forms.DateTimeInput:
    """Return the browser's own input of a moment."""
    return forms.DateTimeInput({"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")


class RepricingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A repricing that is to be."""

    window_start = forms.DateTimeField(
        label="From (UTC)",
        required=False,
        widget=_moment(),
        help_text="Empty: from where the plan's history begins.",
    )
    window_end = forms.DateTimeField(
        label="To (UTC)", required=False, widget=_moment(), help_text="Empty: up to now."
    )

    class Meta:
        model = Repricing
        fields = FIELDS

    def clean(self) -> dict[str, Any]:
        """Refuse what the service would.

        Raises: Django's ValidationError.
        """
        given = super().clean() or {}
        if not self.errors:
            try:
                services.check_request(**asked(given))
            except Problem as problem:
                at = {error.pointer.strip("/"): error.detail for error in problem.errors}
                raise ValidationError(at or problem.detail) from problem
        return given


def asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return what a form's data asks the service for."""
    return {
        "organization_id": given["organization"].pk if given["organization"] else None,
        "start": given["window_start"],
        "end": given["window_end"],
        "dry_run": given["dry_run"],
    }


@admin.register(Repricing)
class RepricingAdmin(ReadOnlyAdmin):
    """Repricings, how far they have come, and what they came to."""

    form = RepricingForm
    add_form_template = "admin/billing/repricing_new.html"
    list_display = ("created_at", "whose", "kind", "state", "progress", "requested_by")
    list_filter = (OrganizationFilter, "state", "dry_run")
    list_select_related = ("organization", "requested_by")
    search_fields = ("organization__slug",)
    search_help_text = "A part of an organization's slug."
    autocomplete_fields = ("organization",)
    ordering = ("-created_at", "-id")

    @admin.display(description="organization", ordering="organization__name")
    def whose(self, repricing: Repricing) -> str:
        """Name the organization."""
        return repricing.organization.name if repricing.organization else "All organizations"

    @admin.display(description="kind", ordering="dry_run")
    def kind(self, repricing: Repricing) -> str:
        """Say whether anything is changed."""
        return "Dry run" if repricing.dry_run else "Repricing"

    @admin.display(description="records looked at")
    def progress(self, repricing: Repricing) -> str:
        """Say how far it has come."""
        return repricing_page.summary(repricing, (getattr(repricing, f"sum_{name}") for name in _SUMS))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Repricing]:
        """Return repricings with the sums of their parts."""
        parts = RepricingPart.objects.filter(repricing=OuterRef("pk")).order_by().values("repricing")
        sums = {f"sum_{name}": Subquery(parts.annotate(found=Sum(name)).values("found")) for name in _SUMS}
        found: QuerySet[Repricing] = super().get_queryset(request)
        return found.annotate(**sums)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only those who may start repricings."""
        return request.user.has_perm("billing.add_repricing")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Only those who may change repricings."""
        return request.user.has_perm("billing.change_repricing")

    def get_fields(self, request: HttpRequest, obj: Repricing | None = None) -> Any:
        """Ask for what a repricing is of."""
        return FIELDS

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what another, mostly a dry run, was of: this one is real."""
        try:
            found = Repricing.objects.filter(pk=UUID(request.GET.get(LIKE, ""))).first()
        except ValueError:
            found = None
        if found is None:
            return {}
        return {**{name: getattr(found, name) for name in FIELDS}, "dry_run": False}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what is to be repriced."""
        return super().add_view(request, form_url, {**(extra_context or {}), "title": "Start a repricing"})

    def save_model(self, request: HttpRequest, obj: Repricing, form: Any, change: bool) -> None:
        """Ask for the repricing."""
        user_id = request.user.pk if isinstance(request.user, User) else None
        made = services.request_repricing(**asked(form.cleaned_data), user_id=user_id)
        obj.pk, obj.created_at = made.pk, made.created_at

    def response_add(
        self, request: HttpRequest, obj: Repricing, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead to its page, where it is watched."""
        return HttpResponseRedirect(_address("change", obj))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far it has come, or what it came to."""
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Dry run of a repricing" if found.dry_run else "Repricing",
            "opts": self.opts,
            "original": found,
            "whose": self.whose(found),
            "cancel": _address("cancel", found)
            if found.is_under_way and self.has_cancel_permission(request)
            else "",
            "again": self._again(request, found),
            **self._parts(found),
        }
        return TemplateResponse(request, "admin/billing/repricing.html", context)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of one repricing's progress and of cancelling it."""
        own = [
            path(
                f"<uuid:repricing_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"billing_repricing_{name}",
            )
            for name, view in (("progress", self.progress_view), ("cancel", self.cancel_view))
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_safe)
    def progress_view(self, request: HttpRequest, repricing_id: UUID) -> HttpResponse:
        """Answer with the part of the page that changes; when all is over, with the wish to load it anew."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = get_object_or_404(Repricing, pk=repricing_id)
        response = TemplateResponse(request, "admin/billing/repricing_progress.html", self._parts(found))
        if not found.is_under_way:
            response["HX-Refresh"] = "true"
        return response

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, repricing_id: UUID) -> HttpResponse:
        """Cancel it, which keeps what was priced."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        found = get_object_or_404(Repricing, pk=repricing_id)
        if services.cancel(found.pk, actor=Actor(kind="user", user_id=request.user.pk)):
            self.log_change(request, found, "Cancelled.")
            self.message_user(request, "Cancelled. What was priced until then stays.", messages.SUCCESS)
        else:
            self.message_user(request, "It had ended already.", messages.WARNING)
        return HttpResponseRedirect(_address("change", found))

    def _again(self, request: HttpRequest, found: Repricing) -> str:
        """Return where the real one is started that a dry run was made for."""
        if found.is_under_way or not found.dry_run or not self.has_add_permission(request):
            return ""
        return f"{reverse('admin:billing_repricing_add')}?{LIKE}={found.pk}"

    def _parts(self, found: Repricing) -> dict[str, Any]:
        return {"page": repricing_page.read(found), "progress": _address("progress", found)}


def _address(name: str, repricing: Repricing) -> str:
    return reverse(f"admin:billing_repricing_{name}", args=(repricing.pk,))


register_events(Repricing)
