"""Inputs of the operator's admin: the browser's own for moments, and one that finds a row by typing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.forms.models import ModelChoiceIterator


class MomentInput(forms.DateTimeInput):
    """A date with a time, in UTC."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"step": 1, **(attrs or {})}, format="%Y-%m-%dT%H:%M:%S")


class DayInput(forms.DateInput):
    """A date."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """A time of day, in UTC."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"step": 1, **(attrs or {})}, format="%H:%M:%S")


class Chooser(AutocompleteSelect):
    """A row of another table, found by typing a part of its name; choose.js makes the select a combobox."""

    @property
    def media(self) -> forms.Media:
        """Return the script, without the library that Django brings for it."""
        return forms.Media(js=("portal/choose.js",))

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Say where to ask, and for which field."""
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        ours = ("data-app-label", "data-model-name", "data-field-name")
        kept = {name: value for name, value in attrs.items() if name in ours or not name.startswith("data-")}
        return {**kept, "class": "chooser", "lang": None, "data-choose": self.get_url()}


class GroupedPermissions(ModelChoiceIterator):  # type: ignore[type-arg]
    """Permissions by the room whose rows they are about."""

    def __iter__(self) -> Iterator[Any]:
        """Yield each room's name with its permissions."""
        rooms: dict[str, list[Any]] = {}
        for permission in self.queryset:
            model = permission.content_type.model_class()
            name = model._meta.app_config.verbose_name if model else permission.content_type.app_label
            rooms.setdefault(str(name), []).append(self.choice(permission))
        yield from rooms.items()


class PermissionBoxes(forms.CheckboxSelectMultiple):
    """A box for each permission, those of one room together."""

    template_name = "organizations/permissions.html"


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Permissions to tick, of the models that the admin shows."""

    iterator = GroupedPermissions

    def label_from_instance(self, obj: Any) -> str:
        """Say what may be done: ``view plan``."""
        model = obj.content_type.model_class()
        action, _, _ = obj.codename.partition("_")
        return f"{action} {model._meta.verbose_name}"


def permissions_of(shown: Mapping[Any, Any]) -> Any:
    """Return the permissions that decide something about these models, by room and model.

    ``shown`` are model admins by their models; one that names what it ``obeys`` asks for nothing else.
    """
    kinds = ContentType.objects.get_for_models(*shown)
    wanted = Q()
    for model, model_admin in shown.items():
        obeyed = getattr(model_admin, "obeys", ("add", "change", "delete", "view"))
        names = [f"{action}_{model._meta.model_name}" for action in obeyed]
        wanted |= Q(content_type=kinds[model], codename__in=names)
    found = Permission.objects.filter(wanted).select_related("content_type")
    return found.order_by("content_type__app_label", "content_type__model", "codename")
