from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PLANS: tuple[dict[str, Any], ...] = (
    {
        "slug": "free", "name": "Free", "history_days": 30, "exports": False, "requests_per_minute": 60,
        "spend_limit": False, "invoices": False, "api_access": False,
    },
    {
        "slug": "starter", "name": "Starter", "history_days": 90, "exports": False, "requests_per_minute": 300,
        "spend_limit": False, "invoices": False, "api_access": True,
    },
    {
        "slug": "professional", "name": "Professional", "history_days": 365, "exports": True,
        "requests_per_minute": 1000, "spend_limit": False, "invoices": False, "api_access": True,
    },
    {
        "slug": "pay-as-you-go", "name": "Pay-as-you-go", "history_days": 90, "exports": False,
        "requests_per_minute": 1000, "spend_limit": True, "invoices": False, "api_access": True,
    },
    {
        "slug": "enterprise", "name": "Enterprise", "history_days": None, "exports": True,
        "requests_per_minute": 60_000, "spend_limit": False, "invoices": True, "api_access": True,
    },
)  # fmt: skip


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    plans = apps.get_model("organizations", "Plan").objects.using(schema_editor.connection.alias)
    for position, plan in enumerate(PLANS, start=1):
        plans.get_or_create(slug=plan["slug"], defaults={**plan, "position": position})


class Migration(migrations.Migration):
    dependencies = [("organizations", "0003_door")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
