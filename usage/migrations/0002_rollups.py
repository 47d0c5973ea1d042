from django.db import migrations

from organizations.rls import TenantTable
from usage import sql
from usage.rollups.latency import DIGITS, LAST_BUCKET

TABLES = (
    "usage_pending",
    "usage_rollup_minute",
    "usage_rollup_quarter",
    "usage_rollup_day",
    "usage_meter_quarter",
    "usage_meter_day",
)


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_records")]

    operations = [
        migrations.RunSQL(sql.read("rollups", digits=DIGITS, last_bucket=LAST_BUCKET)),
        *(TenantTable(table) for table in TABLES),
        migrations.RunSQL(sql.read("store")),
        migrations.RunSQL(sql.read("wanted")),
        migrations.RunSQL(sql.read("find")),
    ]
