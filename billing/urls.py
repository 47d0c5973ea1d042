"""The paths of billing under /api/v1/."""

from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from billing.api.authorize import AuthorizeView
from billing.api.comparison import ComparisonView
from billing.api.costs import CostsView
from billing.api.credits import CreditsView, MovementsView
from billing.api.gateway import EnvoyView, ForwardView, NginxView, envoy_below
from billing.api.invoices import InvoicesView, InvoiceView
from billing.api.limits import DecisionsView, ReplayView, SpendLimitsView, SpendLimitView
from billing.api.plan import PlanView
from billing.api.prices import PricesView, RecordCostView
from billing.api.reservations import ReservationViewSet

urlpatterns: list[URLPattern] = [
    path("authorize", AuthorizeView.as_view(), name="authorize"),
    path("reservations", ReservationViewSet.as_view({"get": "list"}), name="reservations"),
    path(
        "reservations/<str:reservation_id>",
        ReservationViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="reservation",
    ),
    path("spend-limit", SpendLimitView.as_view(), name="spend-limit"),
    path("spend-limits", SpendLimitsView.as_view(), name="spend-limits"),
    path("spend-limit/decisions", DecisionsView.as_view(), name="spend-limit-decisions"),
    path("spend-limit/replay", ReplayView.as_view(), name="spend-limit-replay"),
    path("gateway/forward", ForwardView.as_view(), name="gateway-forward"),
    path("gateway/envoy/", EnvoyView.as_view(), name="gateway-envoy"),
    path("gateway/envoy/<path:asked>", csrf_exempt(envoy_below), name="gateway-envoy-path"),
    path("gateway/nginx", NginxView.as_view(), name="gateway-nginx"),
    path("costs", CostsView.as_view(), name="costs"),
    path("costs/compare", ComparisonView.as_view(), name="costs-compare"),
    path("costs/records/<path:record_id>", RecordCostView.as_view(), name="record-cost"),
    path("prices", PricesView.as_view(), name="prices"),
    path("plan", PlanView.as_view(), name="plan"),
    path("credits", CreditsView.as_view(), name="credits"),
    path("credits/transactions", MovementsView.as_view(), name="credit-transactions"),
    path("invoices", InvoicesView.as_view(), name="invoices"),
    path("invoices/<str:reference>", InvoiceView.as_view(), name="invoice"),
]
