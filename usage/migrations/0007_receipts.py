from django.db import migrations

from usage import sql


class Migration(migrations.Migration):
    """Hands on what a batch stored to whoever counts it in the same statement."""

    dependencies = [("usage", "0006_service_tier")]

    operations = [migrations.RunSQL(sql.read("store"))]
