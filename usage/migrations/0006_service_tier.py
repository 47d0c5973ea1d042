from django.db import migrations

from usage import sql


class Migration(migrations.Migration):
    """Keeps in which service tier a call was made; NULL is the standard one."""

    dependencies = [("usage", "0005_adjustments")]

    operations = [
        migrations.RunSQL("ALTER TABLE usage_record ADD service_tier text"),
        migrations.RunSQL(sql.read("store")),
    ]
