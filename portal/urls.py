"""The pages' addresses."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from portal import joining, pages, registry

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    *registry.patterns(),
    path("invitations/<str:token>/", joining.invitation, name="invitation"),
]

__all__ = ["pages"]
