# ruff: noqa: E501
import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import core.clock
from billing import sql
from organizations.rls import TenantTable

TABLES = (
    "billing_spend_limit",
    "billing_spendlimitevent",
    "billing_spend_bucket",
    "billing_reservation",
    "billing_decision",
)


def append_only(table: str) -> migrations.RunSQL:
    role = settings.DATABASE_APP_ROLE
    return migrations.RunSQL(f'REVOKE UPDATE, DELETE ON "{table}" FROM "{role}"')


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organizations", "0005_owners"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpendLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("limit_nanos", models.BigIntegerField()),
                (
                    "window_kind",
                    models.CharField(
                        choices=[("rolling7Days", "The last 7 days"), ("week", "Calendar week")],
                        max_length=16,
                    ),
                ),
                (
                    "warn_at",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), size=None
                    ),
                ),
                (
                    "enforcement",
                    models.CharField(choices=[("pause", "Pause"), ("warn", "Warn only")], max_length=8),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("paused", "Paused")], default="open", max_length=8
                    ),
                ),
                ("paused_at", models.DateTimeField(null=True)),
                (
                    "warned",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), default=list, size=None
                    ),
                ),
                ("window_start", models.DateTimeField()),
                ("window_end", models.DateTimeField()),
                ("spent_nanos", models.DecimalField(decimal_places=0, default=0, max_digits=38)),
                ("reserved_nanos", models.DecimalField(decimal_places=0, default=0, max_digits=38)),
                (
                    "credential",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.credential",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "db_table": "billing_spend_limit",
                "ordering": ("organization", models.OrderBy(models.F("credential"), nulls_first=True)),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "credential"), name="spend_limit_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit_nanos__gt", 0)), name="spend_limit_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("window_kind__in", ["rolling7Days", "week"])),
                        name="spend_limit_window_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("enforcement__in", ["pause", "warn"])),
                        name="spend_limit_enforcement_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("paused_at", None), ("state", "open")),
                            models.Q(("paused_at__isnull", False), ("state", "paused")),
                            _connector="OR",
                        ),
                        name="spend_limit_paused_since",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("window_end__gt", models.F("window_start"))),
                        name="spend_limit_window_ordered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reserved_nanos__gte", 0), ("spent_nanos__gte", 0)),
                        name="spend_limit_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("warn_at__len__lte", 10)), name="spend_limit_warnings_few"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpendBucket",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "limit", "quarter", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("quarter", models.DateTimeField()),
                ("cost_nanos", models.DecimalField(decimal_places=0, max_digits=38)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "limit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="buckets",
                        to="billing.spendlimit",
                    ),
                ),
            ],
            options={
                "db_table": "billing_spend_bucket",
            },
        ),
        migrations.CreateModel(
            name="SpendLimitEvent",
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
                ("limit_nanos", models.BigIntegerField()),
                (
                    "window_kind",
                    models.CharField(
                        choices=[("rolling7Days", "The last 7 days"), ("week", "Calendar week")],
                        max_length=16,
                    ),
                ),
                (
                    "warn_at",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), size=None
                    ),
                ),
                (
                    "enforcement",
                    models.CharField(choices=[("pause", "Pause"), ("warn", "Warn only")], max_length=8),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now)),
                (
                    "credential",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organizations.credential",
                    ),
                ),
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
                        to="billing.spendlimit",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="spendlimitevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("limitSet", "Limit set"),
                            ("limitRemoved", "Limit removed"),
                            ("warned", "Share of the limit reached"),
                            ("paused", "Paused"),
                            ("resumed", "Resumed"),
                            ("corrected", "Figures corrected"),
                        ],
                        max_length=16,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                ("threshold", models.PositiveSmallIntegerField(null=True)),
                ("limit_nanos", models.BigIntegerField()),
                (
                    "window_kind",
                    models.CharField(
                        choices=[("rolling7Days", "The last 7 days"), ("week", "Calendar week")],
                        max_length=16,
                    ),
                ),
                (
                    "enforcement",
                    models.CharField(choices=[("pause", "Pause"), ("warn", "Warn only")], max_length=8),
                ),
                ("window_start", models.DateTimeField()),
                ("window_end", models.DateTimeField()),
                ("spent_nanos", models.DecimalField(decimal_places=0, max_digits=38)),
                ("reserved_nanos", models.DecimalField(decimal_places=0, max_digits=38)),
                (
                    "credential",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.credential",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["organization", "id"], name="decision_listing")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["limitSet", "limitRemoved", "warned", "paused", "resumed", "corrected"],
                            )
                        ),
                        name="decision_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "warned"), ("threshold__isnull", False)),
                            models.Q(models.Q(("kind", "warned"), _negated=True), ("threshold", None)),
                            _connector="OR",
                        ),
                        name="decision_threshold_of_warning",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("amount_nanos", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("settled", "Settled"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="held",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("settled_nanos", models.DecimalField(decimal_places=0, default=0, max_digits=38)),
                (
                    "credential",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="organizations.credential",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-id"),
                "indexes": [
                    models.Index(fields=["organization", "created_at", "id"], name="reservation_listing"),
                    models.Index(
                        condition=models.Q(("state", "held")),
                        fields=["organization", "expires_at"],
                        name="reservation_held",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_nanos__gt", 0)), name="reservation_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state", "held")),
                            models.Q(
                                ("state__in", ["settled", "released", "expired"]), ("ended_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="reservation_end_has_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="reservation_expires_later",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="spendlimit",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_spendlimitevent" ("created_at", "credential_id", "enforcement", "id", "limit_nanos", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "warn_at", "window_kind") VALUES (NEW."created_at", NEW."credential_id", NEW."enforcement", NEW."id", NEW."limit_nanos", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."warn_at", NEW."window_kind"); RETURN NULL;',
                    hash="e0fc9fadd4c7e94e9de3d44fb5a4e163d0a80cdc",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d83f4",
                    table="billing_spend_limit",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="spendlimit",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."credential_id" IS DISTINCT FROM (NEW."credential_id") OR OLD."enforcement" IS DISTINCT FROM (NEW."enforcement") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."limit_nanos" IS DISTINCT FROM (NEW."limit_nanos") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."warn_at" IS DISTINCT FROM (NEW."warn_at") OR OLD."window_kind" IS DISTINCT FROM (NEW."window_kind"))',
                    func='INSERT INTO "billing_spendlimitevent" ("created_at", "credential_id", "enforcement", "id", "limit_nanos", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "warn_at", "window_kind") VALUES (NEW."created_at", NEW."credential_id", NEW."enforcement", NEW."id", NEW."limit_nanos", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."warn_at", NEW."window_kind"); RETURN NULL;',
                    hash="4fcb07749f15a8e910c0c7ac27690c2635e55624",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_91dee",
                    table="billing_spend_limit",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="spendlimit",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_spendlimitevent" ("created_at", "credential_id", "enforcement", "id", "limit_nanos", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "warn_at", "window_kind") VALUES (OLD."created_at", OLD."credential_id", OLD."enforcement", OLD."id", OLD."limit_nanos", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."warn_at", OLD."window_kind"); RETURN NULL;',
                    hash="1a86e041643bfade4d31c5a36b57db37c649dc0f",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_cdb69",
                    table="billing_spend_limit",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="spendlimitevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f817abb8fcbb1764eb88ff81bfdccdf738958466",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_83a51",
                    table="billing_spendlimitevent",
                    when="BEFORE",
                ),
            ),
        ),
        *(TenantTable(table) for table in TABLES),
        *(append_only(table) for table in ("billing_spendlimitevent", "billing_decision")),
        # Rows that change all the time stay on their pages, without touching an index.
        migrations.RunSQL("ALTER TABLE billing_spend_limit SET (fillfactor = 50)"),
        migrations.RunSQL("ALTER TABLE billing_spend_bucket SET (fillfactor = 70)"),
        migrations.RunSQL(sql.read("limits")),
    ]
