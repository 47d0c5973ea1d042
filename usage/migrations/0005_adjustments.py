from django.db import migrations

from organizations.rls import TenantTable
from usage import sql


class Migration(migrations.Migration):
    dependencies = [("usage", "0004_pending_since")]

    operations = [
        migrations.RunSQL(sql.read("adjustments")),
        TenantTable("usage_adjustment"),
    ]
