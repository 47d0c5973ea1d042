"""The Django application of the billing room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Prices, limits and costs."""

    name = "billing"
    verbose_name = "Billing"
