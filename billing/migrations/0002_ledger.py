# ruff: noqa: E501
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import core.clock
from billing import sql
from billing.ledger.burning import LATE
from organizations.rls import TenantTable, append_only

TABLES = (
    "billing_grant",
    "billing_grantevent",
    "billing_ledgeraccount",
    "billing_ledgertransaction",
    "billing_ledgerposting",
)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_limits"),
        ("organizations", "0006_plan_overage"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "allowance",
                    models.CharField(choices=[("credits", "Credits"), ("quota", "Quota")], max_length=8),
                ),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        default=100, help_text="The smallest is burnt down first."
                    ),
                ),
                ("effective_at", models.DateTimeField(default=core.clock.now)),
                ("expires_at", models.DateTimeField(blank=True, help_text="Empty: never.", null=True)),
                ("reason", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "granted_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                "ordering": (
                    "organization",
                    "priority",
                    models.OrderBy(models.F("expires_at"), nulls_last=True),
                    "id",
                ),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("allowance__in", ["credits", "quota"])),
                        name="grant_allowance_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="grant_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("effective_at"))),
                        name="grant_expires_after_effect",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GrantEvent",
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
                    "allowance",
                    models.CharField(choices=[("credits", "Credits"), ("quota", "Quota")], max_length=8),
                ),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        default=100, help_text="The smallest is burnt down first."
                    ),
                ),
                ("effective_at", models.DateTimeField(default=core.clock.now)),
                ("expires_at", models.DateTimeField(blank=True, help_text="Empty: never.", null=True)),
                ("reason", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "granted_by",
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
                        to="billing.grant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="grantevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "allowance",
                    models.CharField(choices=[("credits", "Credits"), ("quota", "Quota")], max_length=8),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("granted", "Granted"),
                            ("available", "Available"),
                            ("consumed", "Consumed"),
                            ("expired", "Expired"),
                            ("revoked", "Revoked"),
                            ("uncovered", "Uncovered"),
                            ("overage", "Overage"),
                        ],
                        max_length=9,
                    ),
                ),
                ("balance", models.DecimalField(decimal_places=9, default=0, max_digits=38)),
                (
                    "grant",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account",
                        to="billing.grant",
                    ),
                ),
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
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("grant", None)),
                        fields=("organization", "allowance", "kind"),
                        name="ledger_account_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("grant__isnull", False), ("kind", "available")),
                            models.Q(models.Q(("kind", "available"), _negated=True), ("grant", None)),
                            _connector="OR",
                        ),
                        name="ledger_account_of_grant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("balance__lte", 0), ("kind__in", ("granted", "uncovered", "overage"))),
                            models.Q(
                                models.Q(("kind__in", ("granted", "uncovered", "overage")), _negated=True),
                                ("balance__gte", 0),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_account_sign",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerTransaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "allowance",
                    models.CharField(choices=[("credits", "Credits"), ("quota", "Quota")], max_length=8),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("grant", "Grant"),
                            ("use", "Use"),
                            ("expiry", "Expiry"),
                            ("revocation", "Revocation"),
                        ],
                        max_length=10,
                    ),
                ),
                ("posted_at", models.DateTimeField(default=core.clock.now)),
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
                "indexes": [models.Index(fields=["organization", "id"], name="ledger_transaction_listing")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["grant", "use", "expiry", "revocation"])),
                        name="ledger_transaction_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerPosting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=9, max_digits=38)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="billing.ledgeraccount",
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
                (
                    "transaction",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="billing.ledgertransaction",
                    ),
                ),
            ],
            options={
                "ordering": ("transaction", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("transaction", "account"), name="ledger_posting_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="ledger_posting_moves"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grant",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_grantevent" ("allowance", "amount", "created_at", "effective_at", "expires_at", "granted_by_id", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "reason", "revoked_at") VALUES (NEW."allowance", NEW."amount", NEW."created_at", NEW."effective_at", NEW."expires_at", NEW."granted_by_id", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."priority", NEW."reason", NEW."revoked_at"); RETURN NULL;',
                    hash="5fbaf9809f03e8b2216208f09025ed158959c56f",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_363c8",
                    table="billing_grant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grant",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "billing_grantevent" ("allowance", "amount", "created_at", "effective_at", "expires_at", "granted_by_id", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "reason", "revoked_at") VALUES (NEW."allowance", NEW."amount", NEW."created_at", NEW."effective_at", NEW."expires_at", NEW."granted_by_id", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."priority", NEW."reason", NEW."revoked_at"); RETURN NULL;',
                    hash="179a0529d88be13c59c27791d31a045eb703759f",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f1886",
                    table="billing_grant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grant",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "billing_grantevent" ("allowance", "amount", "created_at", "effective_at", "expires_at", "granted_by_id", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "reason", "revoked_at") VALUES (OLD."allowance", OLD."amount", OLD."created_at", OLD."effective_at", OLD."expires_at", OLD."granted_by_id", OLD."id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."priority", OLD."reason", OLD."revoked_at"); RETURN NULL;',
                    hash="43515ebf7edbebfbb0ffab5d7b9a808425ca2b1f",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_9bdde",
                    table="billing_grant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grantevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="6d0e1acb09efd75bd33ac2dc7f06644004334fa8",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_15f57",
                    table="billing_grantevent",
                    when="BEFORE",
                ),
            ),
        ),
        *(TenantTable(table) for table in TABLES),
        migrations.RunSQL(sql.read("ledger")),
        migrations.RunSQL(sql.read("burn", late=f"interval '{LATE.total_seconds():.0f} seconds'")),
        append_only("billing_grantevent"),
    ]
