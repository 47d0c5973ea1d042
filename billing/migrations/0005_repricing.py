# ruff: noqa: E501
import uuid

import django.db.models.deletion
import django.db.models.expressions
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import core.clock
from organizations.rls import SharedTenantTable, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_invoices"),
        ("organizations", "0007_second_factor"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Repricing",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "window_start",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty: from where the plan's history begins.",
                        null=True,
                        verbose_name="from",
                    ),
                ),
                (
                    "window_end",
                    models.DateTimeField(
                        blank=True, help_text="Empty: up to now.", null=True, verbose_name="to"
                    ),
                ),
                (
                    "dry_run",
                    models.BooleanField(
                        default=True, help_text="Only count what would be priced; change nothing."
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0, editable=False)),
                ("losses", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("is_counted", models.BooleanField(default=False, editable=False)),
                ("error", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("started_at", models.DateTimeField(editable=False, null=True)),
                ("heartbeat_at", models.DateTimeField(editable=False, null=True)),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: every organization.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["created_at"],
                        name="repricing_unfinished",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "running", "done", "failed", "cancelled"])
                        ),
                        name="repricing_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("window_end__gt", models.F("window_start"))),
                        name="repricing_window_ordered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), _negated=True),
                            models.Q(
                                ("attempts__gt", 0),
                                ("heartbeat_at__isnull", False),
                                ("started_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="repricing_running_is_alive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["done", "failed", "cancelled"]), _negated=True),
                            ("finished_at__isnull", False),
                            _connector="OR",
                        ),
                        name="repricing_end_has_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RepricingEvent",
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
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "window_start",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty: from where the plan's history begins.",
                        null=True,
                        verbose_name="from",
                    ),
                ),
                (
                    "window_end",
                    models.DateTimeField(
                        blank=True, help_text="Empty: up to now.", null=True, verbose_name="to"
                    ),
                ),
                (
                    "dry_run",
                    models.BooleanField(
                        default=True, help_text="Only count what would be priced; change nothing."
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("error", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty: every organization.",
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
                        to="billing.repricing",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="repricingevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="RepricingPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("window_start", models.DateTimeField()),
                ("window_end", models.DateTimeField()),
                ("records_total", models.BigIntegerField()),
                ("looked_at", models.BigIntegerField(default=0)),
                ("priced", models.BigIntegerField(default=0)),
                ("left_records", models.BigIntegerField(default=0)),
                ("left", models.JSONField(default=list)),
                ("cost_nanos", models.DecimalField(decimal_places=0, default=0, max_digits=38)),
                ("position_at", models.DateTimeField(null=True)),
                ("position_key", models.UUIDField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "repricing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="billing.repricing",
                    ),
                ),
            ],
            options={
                "ordering": ("repricing", "-records_total", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("repricing", "organization"), name="repricing_part_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("left_records__gte", 0),
                            (
                                "looked_at__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("priced"), "+", models.F("left_records")
                                ),
                            ),
                            ("priced__gte", 0),
                        ),
                        name="repricing_part_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("position_at__isnull", True), ("position_key__isnull", True)),
                            models.Q(("position_at__isnull", False), ("position_key__isnull", False)),
                            _connector="OR",
                        ),
                        name="repricing_part_position_whole",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="repricing",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_repricingevent" ("created_at", "dry_run", "error", "finished_at", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "requested_by_id", "state", "window_end", "window_start") VALUES (NEW."created_at", NEW."dry_run", NEW."error", NEW."finished_at", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."requested_by_id", NEW."state", NEW."window_end", NEW."window_start"); RETURN NULL;',
                    hash="ca81ca5b5c8597f87ccf49f5dc83006e1eb76c4d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_cb5f2",
                    table="billing_repricing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="repricing",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))',
                    func='INSERT INTO "billing_repricingevent" ("created_at", "dry_run", "error", "finished_at", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "requested_by_id", "state", "window_end", "window_start") VALUES (NEW."created_at", NEW."dry_run", NEW."error", NEW."finished_at", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."requested_by_id", NEW."state", NEW."window_end", NEW."window_start"); RETURN NULL;',
                    hash="c97249a8c8cec35dab3fff6ee65ebad829a01ed3",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_5ae56",
                    table="billing_repricing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="repricing",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_repricingevent" ("created_at", "dry_run", "error", "finished_at", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "requested_by_id", "state", "window_end", "window_start") VALUES (OLD."created_at", OLD."dry_run", OLD."error", OLD."finished_at", OLD."id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."requested_by_id", OLD."state", OLD."window_end", OLD."window_start"); RETURN NULL;',
                    hash="6026965c07fae867cbd139da5ed7ccb7926b1621",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_6f698",
                    table="billing_repricing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="repricingevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="383cee7f3519f122cd1cf3bdec7871acb977c376",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_9f9fa",
                    table="billing_repricingevent",
                    when="BEFORE",
                ),
            ),
        ),
        SharedTenantTable("billing_repricing"),
        TenantTable("billing_repricingevent"),
        TenantTable("billing_repricingpart"),
    ]
