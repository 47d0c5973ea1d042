"""The application of the operator's admin."""

from django.contrib.admin.apps import AdminConfig


class OperatorAdminConfig(AdminConfig):
    """Django's admin with the operator's site in the place of its own."""

    default = False
    default_site = "config.operator.site.OperatorSite"

    def ready(self) -> None:
        """Find what rooms and libraries register, and show the latter's in the operator's way."""
        super().ready()
        from django.contrib import admin

        from config.operator import accounts

        accounts.take_over(admin.site)
