"""The pages' addresses."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from portal import consent, joining, pages, registry

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    *registry.patterns(),
    path("unsubscribe/<str:token>/", consent.unsubscribe, name="unsubscribe"),
    path("confirm-address/<str:token>/", consent.confirm, name="confirm-address"),
    path("invitations/<str:token>/", joining.invitation, name="invitation"),
]

__all__ = ["pages"]
