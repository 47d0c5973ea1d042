# ruff: noqa: E501
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import core.clock
import organizations.validators
from billing import sql
from organizations.rls import SharedTenantTable, TenantTable
from usage.pipeline import OUTDATED


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_ledger")]

    operations = [
        migrations.CreateModel(
            name="Discount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "basis_points",
                    models.PositiveSmallIntegerField(help_text="Hundredths of a percent: 1250 is 12.5%."),
                ),
                (
                    "provider",
                    models.CharField(blank=True, help_text="Empty: every provider's.", max_length=200),
                ),
                ("model", models.CharField(blank=True, help_text="Empty: every model.", max_length=200)),
                ("effective_from", models.DateTimeField(default=core.clock.now)),
                (
                    "effective_until",
                    models.DateTimeField(blank=True, help_text="Empty: without end.", null=True),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization", "-effective_from", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("basis_points__gt", 0), ("basis_points__lte", 10000)),
                        name="discount_within_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("effective_until__gt", models.F("effective_from"))),
                        name="discount_ends_after_beginning",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscountEvent",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_id",
                    models.BigIntegerField(
                        db_default=models.Func(
                            output_field=models.BigIntegerField(),
                            template="nextval('organizations_audit_seq')",
                        ),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "basis_points",
                    models.PositiveSmallIntegerField(help_text="Hundredths of a percent: 1250 is 12.5%."),
                ),
                (
                    "provider",
                    models.CharField(blank=True, help_text="Empty: every provider's.", max_length=200),
                ),
                ("model", models.CharField(blank=True, help_text="Empty: every model.", max_length=200)),
                ("effective_from", models.DateTimeField(default=core.clock.now)),
                (
                    "effective_until",
                    models.DateTimeField(blank=True, help_text="Empty: without end.", null=True),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_events",
                        related_query_name="+",
                        to="billing.discount",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="discountevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        blank=True, help_text="Empty: whoever provides the model.", max_length=200
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        blank=True, help_text="Empty: calls that name no model.", max_length=200
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("standard", "Standard"),
                            ("batch", "Batch"),
                            ("priority", "Priority"),
                            ("flex", "Flex"),
                        ],
                        default="standard",
                        max_length=8,
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD", max_length=3, validators=[organizations.validators.validate_currency]
                    ),
                ),
                ("effective_from", models.DateTimeField(default=core.clock.now)),
                (
                    "effective_until",
                    models.DateTimeField(blank=True, help_text="Empty: until superseded.", null=True),
                ),
                ("daily_from", models.TimeField(blank=True, help_text="UTC; empty: all day.", null=True)),
                ("daily_until", models.TimeField(blank=True, help_text="UTC; empty: all day.", null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("genai-prices", "genai-prices"),
                            ("litellm", "LiteLLM"),
                            ("manual", "Manual"),
                        ],
                        default="manual",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a price of the list.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("provider", "model", "tier", "-effective_from", "-id"),
                "indexes": [
                    models.Index(
                        fields=["provider", "model", "tier", "effective_from"], name="price_listing"
                    ),
                    models.Index(fields=["model"], name="price_model"),
                    models.Index(
                        condition=models.Q(("organization__isnull", False)),
                        fields=["organization"],
                        name="price_organization",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["standard", "batch", "priority", "flex"])),
                        name="price_tier_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["genai-prices", "litellm", "manual"])),
                        name="price_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="price_currency_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("effective_until__gt", models.F("effective_from"))),
                        name="price_ends_after_beginning",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("daily_from__isnull", True), ("daily_until__isnull", True)),
                            models.Q(
                                ("daily_from__isnull", False),
                                ("daily_until__isnull", False),
                                models.Q(("daily_from", models.F("daily_until")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="price_daily_window_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceEvent",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_id",
                    models.BigIntegerField(
                        db_default=models.Func(
                            output_field=models.BigIntegerField(),
                            template="nextval('organizations_audit_seq')",
                        ),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "provider",
                    models.CharField(
                        blank=True, help_text="Empty: whoever provides the model.", max_length=200
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        blank=True, help_text="Empty: calls that name no model.", max_length=200
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("standard", "Standard"),
                            ("batch", "Batch"),
                            ("priority", "Priority"),
                            ("flex", "Flex"),
                        ],
                        default="standard",
                        max_length=8,
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD", max_length=3, validators=[organizations.validators.validate_currency]
                    ),
                ),
                ("effective_from", models.DateTimeField(default=core.clock.now)),
                (
                    "effective_until",
                    models.DateTimeField(blank=True, help_text="Empty: until superseded.", null=True),
                ),
                ("daily_from", models.TimeField(blank=True, help_text="UTC; empty: all day.", null=True)),
                ("daily_until", models.TimeField(blank=True, help_text="UTC; empty: all day.", null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("genai-prices", "genai-prices"),
                            ("litellm", "LiteLLM"),
                            ("manual", "Manual"),
                        ],
                        default="manual",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty: a price of the list.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_events",
                        related_query_name="+",
                        to="billing.price",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="priceevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="PriceRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("meter", models.CharField(max_length=100)),
                ("amount_nanos", models.BigIntegerField()),
                ("per", models.BigIntegerField(default=1000000)),
                (
                    "above",
                    models.BigIntegerField(
                        default=0, help_text="Prompt tokens beyond which it holds for the whole call."
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rates", to="billing.price"
                    ),
                ),
            ],
            options={
                "db_table": "billing_rate",
                "ordering": ("price", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("price", "meter", "above"), name="rate_once"),
                    models.CheckConstraint(
                        condition=models.Q(("above__gte", 0), ("amount_nanos__gte", 0), ("per__gt", 0)),
                        name="rate_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("meter", ""), _negated=True), name="rate_has_meter"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="discount",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_discountevent" ("basis_points", "created_at", "effective_from", "effective_until", "id", "model", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider") VALUES (NEW."basis_points", NEW."created_at", NEW."effective_from", NEW."effective_until", NEW."id", NEW."model", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider"); RETURN NULL;',
                    hash="d27528f05993984dae31726f6f6ad808d4c8a7d6",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ac496",
                    table="billing_discount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="discount",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "billing_discountevent" ("basis_points", "created_at", "effective_from", "effective_until", "id", "model", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider") VALUES (NEW."basis_points", NEW."created_at", NEW."effective_from", NEW."effective_until", NEW."id", NEW."model", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider"); RETURN NULL;',
                    hash="9d92ee45fd80f5e6f3d07b19963e8c73b5a502eb",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_24e7c",
                    table="billing_discount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="discount",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_discountevent" ("basis_points", "created_at", "effective_from", "effective_until", "id", "model", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider") VALUES (OLD."basis_points", OLD."created_at", OLD."effective_from", OLD."effective_until", OLD."id", OLD."model", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."provider"); RETURN NULL;',
                    hash="0cf38fb27707c729edc31bd33a794975bbb5e307",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_64744",
                    table="billing_discount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="discountevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f69c6699c168c9a1a4d9796ecb78c1afa38e1220",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d522a",
                    table="billing_discountevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="price",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."organization_id" IS NOT NULL)',
                    func='INSERT INTO "billing_priceevent" ("created_at", "currency", "daily_from", "daily_until", "effective_from", "effective_until", "id", "model", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "source", "tier") VALUES (NEW."created_at", NEW."currency", NEW."daily_from", NEW."daily_until", NEW."effective_from", NEW."effective_until", NEW."id", NEW."model", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider", NEW."source", NEW."tier"); RETURN NULL;',
                    hash="a3f9e0c0fc66362ccf3f5394e2ef52a6e90f5b5d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_76580",
                    table="billing_price",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="price",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."organization_id" IS NOT NULL)',
                    func='INSERT INTO "billing_priceevent" ("created_at", "currency", "daily_from", "daily_until", "effective_from", "effective_until", "id", "model", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "source", "tier") VALUES (NEW."created_at", NEW."currency", NEW."daily_from", NEW."daily_until", NEW."effective_from", NEW."effective_until", NEW."id", NEW."model", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider", NEW."source", NEW."tier"); RETURN NULL;',
                    hash="dcf00792098ea57d46d633dd9d22356e10151a2a",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_a4042",
                    table="billing_price",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="priceevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="8764a7767a4c90319f4e539645f015f03fe26bbc",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_225c2",
                    table="billing_priceevent",
                    when="BEFORE",
                ),
            ),
        ),
        TenantTable("billing_discount"),
        TenantTable("billing_discountevent"),
        TenantTable("billing_priceevent"),
        SharedTenantTable("billing_price"),
        migrations.RunSQL(sql.read("prices", outdated=OUTDATED)),
    ]
