from django.db import migrations


class Migration(migrations.Migration):
    """Lets it be told for how long the oldest of what is pending has been waiting."""

    dependencies = [("usage", "0003_exports")]

    operations = [
        migrations.RunSQL("ALTER TABLE usage_pending ADD stored_at timestamptz NOT NULL DEFAULT now()"),
    ]
