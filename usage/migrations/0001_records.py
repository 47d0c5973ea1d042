from django.db import migrations, models

from organizations.rls import TenantTable
from usage import sql


class Migration(migrations.Migration):
    initial = True

    dependencies = [("organizations", "0004_plans")]

    operations = [
        migrations.RunSQL(sql.read("records")),
        migrations.CreateModel(
            name="Record",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("occurred_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("record_id", models.TextField(db_column="id", verbose_name="id")),
                ("type", models.TextField()),
                ("count", models.BigIntegerField()),
                ("succeeded", models.BooleanField()),
                ("execution", models.BooleanField()),
                ("status_code", models.SmallIntegerField(null=True)),
                ("error_type", models.TextField(null=True)),
                ("endpoint", models.TextField(null=True)),
                ("capability", models.TextField(null=True)),
                ("model", models.TextField(null=True)),
                ("provider", models.TextField(null=True)),
                ("prompt_tokens", models.BigIntegerField(null=True)),
                ("completion_tokens", models.BigIntegerField(null=True)),
                ("total_tokens", models.BigIntegerField(null=True)),
                ("cached_prompt_tokens", models.BigIntegerField(null=True)),
                ("cache_write_tokens", models.BigIntegerField(null=True)),
                ("reasoning_tokens", models.BigIntegerField(null=True)),
                ("latency_us", models.BigIntegerField(null=True)),
                ("cost_nanos", models.BigIntegerField(null=True)),
                ("price_id", models.BigIntegerField(null=True)),
                ("reservation_id", models.TextField(null=True)),
                ("links", models.JSONField(null=True)),
                ("quantities", models.JSONField(null=True)),
                ("meta", models.JSONField(null=True)),
            ],
            options={
                "verbose_name": "usage record",
                "db_table": "usage_record",
                "managed": False,
            },
        ),
        TenantTable("usage_record"),
        TenantTable("usage_record_key"),
        migrations.RunSQL(sql.read("partitions")),
        migrations.RunSQL(sql.read("retention")),
    ]
