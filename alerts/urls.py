"""The paths of alerts under /api/v1/."""

from django.urls import URLPattern, path

from alerts.api.channels import ChannelViewSet
from alerts.api.deliveries import DeliveriesView, DeliveryView
from alerts.api.events import EventsView, EventView
from alerts.api.reports import ReportViewSet
from alerts.api.rules import RuleViewSet

_CHANNEL = "alerts/channels/<uuid:channel_id>"
_REPORT = "alerts/reports/<uuid:report_id>"

urlpatterns: list[URLPattern] = [
    path("alerts/rules", RuleViewSet.as_view({"get": "list", "post": "create"}), name="alert-rules"),
    path(
        "alerts/rules/<uuid:rule_id>",
        RuleViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="alert-rule",
    ),
    path("alerts/channels", ChannelViewSet.as_view({"get": "list", "post": "create"}), name="alert-channels"),
    path(
        _CHANNEL,
        ChannelViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="alert-channel",
    ),
    path(f"{_CHANNEL}/test", ChannelViewSet.as_view({"post": "test"}), name="alert-channel-test"),
    path(
        f"{_CHANNEL}/confirmation",
        ChannelViewSet.as_view({"post": "confirmation"}),
        name="alert-channel-confirmation",
    ),
    path(f"{_CHANNEL}/rotate", ChannelViewSet.as_view({"post": "rotate"}), name="alert-channel-rotate"),
    path("alerts/reports", ReportViewSet.as_view({"get": "list", "post": "create"}), name="alert-reports"),
    path(
        _REPORT,
        ReportViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="alert-report",
    ),
    path(f"{_REPORT}/test", ReportViewSet.as_view({"post": "test"}), name="alert-report-test"),
    path("alerts/events", EventsView.as_view(), name="alert-events"),
    path("alerts/events/<uuid:event_id>", EventView.as_view(), name="alert-event"),
    path("alerts/deliveries", DeliveriesView.as_view(), name="alert-deliveries"),
    path("alerts/deliveries/<uuid:delivery_id>", DeliveryView.as_view(), name="alert-delivery"),
]
