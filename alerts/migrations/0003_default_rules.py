from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from alerts.rules.defaults import default_rules

SYSTEM = "SELECT set_config('headroom.system', %s, true)"
CHUNK = 1000
COLUMNS = (
    "id", "organization_id", "code", "name", "metric", "condition", "scope_kind", "window", "thresholds",
    "severity", "least_requests", "quiet_minutes", "created_at", "updated_at",
)  # fmt: skip


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give the organizations that there are the rules that new ones have."""
    connection = schema_editor.connection
    rules = apps.get_model("alerts", "Rule").objects.using(connection.alias)
    organizations = apps.get_model("organizations", "Organization").objects.using(connection.alias)
    with connection.cursor() as cursor:
        cursor.execute(SYSTEM, ["on"])
        made = (
            rules.model(**{name: getattr(one, name) for name in COLUMNS})
            for key in organizations.order_by("pk").values_list("pk", flat=True)
            for one in default_rules(key)
        )
        rules.bulk_create(made, batch_size=CHUNK, ignore_conflicts=True)
        cursor.execute(SYSTEM, [""])


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_rules")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
