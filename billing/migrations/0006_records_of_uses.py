from django.db import migrations, models
from django.db.models import F, Q

from billing import sql
from billing.ledger.burning import LATE


class Migration(migrations.Migration):
    """Keeps with each use by what the records that it is made of are found."""

    dependencies = [("billing", "0005_repricing")]

    operations = [
        *(
            migrations.AddField("ledgertransaction", name, models.DateTimeField(null=True))
            for name in ("used_from", "used_to", "stored_at")
        ),
        migrations.AddConstraint(
            "ledgertransaction",
            models.CheckConstraint(
                condition=Q(used_from=None, used_to=None, stored_at=None)
                | Q(kind="use", used_from__lt=F("used_to"), stored_at__isnull=False),
                name="ledger_transaction_records",
            ),
        ),
        migrations.RunSQL(sql.read("burn", late=f"interval '{LATE.total_seconds():.0f} seconds'")),
    ]
