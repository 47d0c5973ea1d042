from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

COLUMNS = (
    "slug", "name", "history_days", "exports", "requests_per_minute", "spend_limit", "invoices", "api_access",
)  # fmt: skip
PLANS = (
    ("free", "Free", 30, False, 60, False, False, False),
    ("starter", "Starter", 90, False, 300, False, False, True),
    ("professional", "Professional", 365, True, 1000, False, False, True),
    ("pay-as-you-go", "Pay-as-you-go", 90, False, 1000, True, False, True),
    ("enterprise", "Enterprise", None, True, 60_000, False, True, True),
)


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    plans = apps.get_model("organizations", "Plan").objects.using(schema_editor.connection.alias)
    for position, values in enumerate(PLANS, start=1):
        plan = dict(zip(COLUMNS, values, strict=True))
        plans.get_or_create(slug=plan["slug"], defaults={**plan, "position": position})


class Migration(migrations.Migration):
    dependencies = [("organizations", "0003_door")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
