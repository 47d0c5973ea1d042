"""Which room answers which path."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import reference

api: list[URLPattern | URLResolver] = [
    path("", include("organizations.urls")),
    path("", include("usage.urls")),
    path("", include("billing.urls")),
    path("", include("alerts.urls")),
    path("", include("alerts.forecasts.urls")),
]

# Read, and nothing else: without this, OPTIONS would be answered by what describes a view.
READ = ["get", "head"]
schema = SpectacularAPIView.as_view(http_method_names=READ)
# The page's script comes from an address of its own: the Content-Security-Policy refuses one inside the page.
docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="config/docs.html", http_method_names=READ
)

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.permission_denied"
handler404 = "portal.errors.page_not_found"
handler429 = "portal.errors.too_many_requests"
handler500 = "core.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api)),
    path("api/schema/", schema, name="schema"),
    path("api/docs/", docs, name="docs"),
    path("api/docs/problems", reference.problems, name="problems"),
    path("admin/", admin.site.urls),
    path("", include("portal.accounts.urls")),
    path("", include("portal.urls")),
]
