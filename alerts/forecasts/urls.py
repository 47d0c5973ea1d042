"""The paths of forecasts under /api/v1/."""

from django.urls import URLPattern, path

from alerts.api.forecast import ForecastView

urlpatterns: list[URLPattern] = [
    path("usage/forecast", ForecastView.as_view(), name="usage-forecast"),
]
