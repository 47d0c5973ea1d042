"""The paths of organizations under /api/v1/."""

from django.urls import URLPattern, path

from organizations.api import AuditView, KeyViewSet

_ONE = "keys/<str:client_id>"

urlpatterns: list[URLPattern] = [
    path("keys", KeyViewSet.as_view({"get": "list", "post": "create"}), name="keys"),
    path(_ONE, KeyViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="key"),
    path(f"{_ONE}/rotate", KeyViewSet.as_view({"post": "rotate"}), name="key-rotate"),
    path("audit", AuditView.as_view(), name="audit"),
]
