from django.db import migrations

from usage import sql


class Migration(migrations.Migration):
    """Finds records by their status code and by the type of their error."""

    dependencies = [("usage", "0009_imports")]

    operations = [migrations.RunSQL(sql.read("outcomes")), migrations.RunSQL(sql.read("wanted"))]
