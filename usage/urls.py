"""The paths of usage under /api/v1/."""

from django.urls import URLPattern, path

from usage.api.exports import ExportViewSet
from usage.api.keys import KeyUsageView
from usage.api.metrics import MetricsView
from usage.api.models import CapabilityView, ModelView
from usage.api.query import QueryView
from usage.api.records import RecordViewSet
from usage.api.totals import SeriesView, UsageView

urlpatterns: list[URLPattern] = [
    path("records", RecordViewSet.as_view({"get": "list", "post": "create"}), name="records"),
    path("records/<path:record_id>", RecordViewSet.as_view({"get": "retrieve"}), name="record"),
    path("usage", UsageView.as_view(), name="usage"),
    path("usage/series", SeriesView.as_view(), name="usage-series"),
    path("usage/query", QueryView.as_view(), name="usage-query"),
    path("usage/keys", KeyUsageView.as_view(), name="usage-keys"),
    path("usage/models", ModelView.as_view(), name="usage-models"),
    path("usage/capabilities", CapabilityView.as_view(), name="usage-capabilities"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("exports", ExportViewSet.as_view({"get": "list", "post": "create"}), name="exports"),
    path("exports/<uuid:export_id>", ExportViewSet.as_view({"get": "retrieve"}), name="export"),
    path("exports/<uuid:export_id>/file", ExportViewSet.as_view({"get": "download"}), name="export-file"),
]
