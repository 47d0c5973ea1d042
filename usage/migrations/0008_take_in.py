from django.db import migrations

from usage import sql


class Migration(migrations.Migration):
    """Takes a batch in with less work around it."""

    dependencies = [("usage", "0007_receipts")]

    operations = [migrations.RunSQL(sql.read("store"))]
