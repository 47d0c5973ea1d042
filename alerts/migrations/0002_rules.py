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
from alerts import sql
from organizations.rls import TenantTable, append_only

TABLES = (
    "alerts_rule",
    "alerts_ruleevent",
    "alerts_rulechannel",
    "alerts_rulestate",
    "alerts_limitnotice",
)


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0001_deliveries"),
        ("billing", "0004_invoices"),
        ("organizations", "0007_second_factor"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LimitNotice",
            fields=[
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="billing.decision",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("code", models.CharField(blank=True, editable=False, max_length=20)),
                ("name", models.CharField(max_length=100)),
                ("metric", models.CharField(max_length=100)),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("above", "At or above"),
                            ("below", "Below"),
                            ("aboveShare", "At or above a share of what is allowed"),
                            ("rises", "Rises against the period before"),
                            ("falls", "Falls against the period before"),
                            ("noTraffic", "No traffic"),
                            ("forecastAbove", "Forecast to reach"),
                            ("forecastShare", "Forecast to reach a share of the limit"),
                            ("anomaly", "Unlike the weeks before"),
                            ("spendLimit", "A spend limit warns or pauses"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "scope_kind",
                    models.CharField(
                        choices=[
                            ("organization", "The organization"),
                            ("credential", "Credentials"),
                            ("model", "Models"),
                            ("endpoint", "Endpoints"),
                            ("capability", "Capabilities"),
                        ],
                        default="organization",
                        max_length=12,
                    ),
                ),
                ("value", models.CharField(max_length=200, null=True)),
                (
                    "window",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("1m", "1 minute"),
                            ("5m", "5 minutes"),
                            ("15m", "15 minutes"),
                            ("1h", "1 hour"),
                            ("6h", "6 hours"),
                            ("24h", "24 hours"),
                            ("7d", "7 days"),
                            ("30d", "30 days"),
                            ("day", "Calendar day"),
                            ("week", "Calendar week"),
                            ("month", "Calendar month"),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "thresholds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=9, max_digits=38),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("info", "Info"), ("warning", "Warning"), ("critical", "Critical")],
                        default="warning",
                        max_length=8,
                    ),
                ),
                ("least_requests", models.PositiveIntegerField(default=0)),
                ("hysteresis", models.DecimalField(decimal_places=2, default=5, max_digits=4)),
                ("quiet_minutes", models.PositiveIntegerField(default=60)),
                ("enabled", models.BooleanField(default=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
            options={
                "ordering": ("organization", "created_at", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "condition__in",
                                [
                                    "above",
                                    "below",
                                    "aboveShare",
                                    "rises",
                                    "falls",
                                    "noTraffic",
                                    "forecastAbove",
                                    "forecastShare",
                                    "anomaly",
                                    "spendLimit",
                                ],
                            )
                        ),
                        name="rule_condition_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["info", "warning", "critical"])),
                        name="rule_severity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "window__in",
                                [
                                    "",
                                    "1m",
                                    "5m",
                                    "15m",
                                    "1h",
                                    "6h",
                                    "24h",
                                    "7d",
                                    "30d",
                                    "day",
                                    "week",
                                    "month",
                                ],
                            )
                        ),
                        name="rule_window_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hysteresis__gte", 0), ("hysteresis__lte", 50)),
                        name="rule_hysteresis_half_at_most",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RuleChannel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RuleEvent",
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
                ("code", models.CharField(blank=True, editable=False, max_length=20)),
                ("name", models.CharField(max_length=100)),
                ("metric", models.CharField(max_length=100)),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("above", "At or above"),
                            ("below", "Below"),
                            ("aboveShare", "At or above a share of what is allowed"),
                            ("rises", "Rises against the period before"),
                            ("falls", "Falls against the period before"),
                            ("noTraffic", "No traffic"),
                            ("forecastAbove", "Forecast to reach"),
                            ("forecastShare", "Forecast to reach a share of the limit"),
                            ("anomaly", "Unlike the weeks before"),
                            ("spendLimit", "A spend limit warns or pauses"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "scope_kind",
                    models.CharField(
                        choices=[
                            ("organization", "The organization"),
                            ("credential", "Credentials"),
                            ("model", "Models"),
                            ("endpoint", "Endpoints"),
                            ("capability", "Capabilities"),
                        ],
                        default="organization",
                        max_length=12,
                    ),
                ),
                ("value", models.CharField(max_length=200, null=True)),
                (
                    "window",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("1m", "1 minute"),
                            ("5m", "5 minutes"),
                            ("15m", "15 minutes"),
                            ("1h", "1 hour"),
                            ("6h", "6 hours"),
                            ("24h", "24 hours"),
                            ("7d", "7 days"),
                            ("30d", "30 days"),
                            ("day", "Calendar day"),
                            ("week", "Calendar week"),
                            ("month", "Calendar month"),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "thresholds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=9, max_digits=38),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("info", "Info"), ("warning", "Warning"), ("critical", "Critical")],
                        default="warning",
                        max_length=8,
                    ),
                ),
                ("least_requests", models.PositiveIntegerField(default=0)),
                ("hysteresis", models.DecimalField(decimal_places=2, default=5, max_digits=4)),
                ("quiet_minutes", models.PositiveIntegerField(default=60)),
                ("enabled", models.BooleanField(default=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RuleState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("revision", models.PositiveIntegerField()),
                ("period_start", models.DateTimeField(null=True)),
                ("level", models.PositiveSmallIntegerField()),
                ("value", models.DecimalField(decimal_places=9, max_digits=38, null=True)),
                ("since", models.DateTimeField()),
                ("episode", models.PositiveIntegerField()),
                ("quiet_until", models.DateTimeField(null=True)),
                ("quiet_level", models.PositiveSmallIntegerField(default=0)),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(null=True), default=list, size=None
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("events__len", models.F("level"))),
                        name="rule_state_event_each",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="event",
            name="rule_name",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="limitnotice",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="organizations.organization",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="credential",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.credential",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
            ),
        ),
        # The column stays what it is; only its meaning is known now.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="event",
                    name="event_rule_revision",
                ),
                migrations.RemoveIndex(
                    model_name="event",
                    name="event_open",
                ),
                migrations.RemoveField(
                    model_name="event",
                    name="rule_id",
                ),
                migrations.AddField(
                    model_name="event",
                    name="rule",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="alerts.rule",
                    ),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(
                        condition=models.Q(("resolved_at", None)),
                        fields=["organization", "rule"],
                        name="event_open",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="event",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rule", None), ("rule_revision", None)),
                            models.Q(("rule__isnull", False), ("rule_revision__isnull", False)),
                            _connector="OR",
                        ),
                        name="event_rule_revision",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="rulechannel",
            name="channel",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="alerts.channel"
            ),
        ),
        migrations.AddField(
            model_name="rulechannel",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
            ),
        ),
        migrations.AddField(
            model_name="rulechannel",
            name="rule",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="chosen",
                to="alerts.rule",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="channels",
            field=models.ManyToManyField(related_name="+", through="alerts.RuleChannel", to="alerts.channel"),
        ),
        migrations.AddField(
            model_name="ruleevent",
            name="created_by",
            field=models.ForeignKey(
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ruleevent",
            name="credential",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organizations.credential",
            ),
        ),
        migrations.AddField(
            model_name="ruleevent",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organizations.organization",
            ),
        ),
        migrations.AddField(
            model_name="ruleevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="audit_events",
                related_query_name="+",
                to="alerts.rule",
            ),
        ),
        migrations.AddField(
            model_name="rulestate",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="organizations.organization",
            ),
        ),
        migrations.AddField(
            model_name="rulestate",
            name="rule",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="states",
                to="alerts.rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulechannel",
            constraint=models.UniqueConstraint(fields=("rule", "channel"), name="rule_channel_once"),
        ),
        migrations.AddIndex(
            model_name="rule",
            index=models.Index(fields=["organization", "created_at", "id"], name="rule_listing"),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("code", ""), _negated=True),
                fields=("organization", "code"),
                name="rule_built_in_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credential", None), ("scope_kind", "organization"), ("value", None)),
                    models.Q(("scope_kind", "credential"), ("value", None)),
                    models.Q(("credential", None), ("scope_kind__in", ["model", "endpoint", "capability"])),
                    _connector="OR",
                ),
                name="rule_scope_names_its_kind",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rule",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"code\" = '')",
                    func='INSERT INTO "alerts_ruleevent" ("code", "condition", "created_at", "created_by_id", "credential_id", "enabled", "hysteresis", "id", "least_requests", "metric", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "quiet_minutes", "revision", "scope_kind", "severity", "thresholds", "updated_at", "value", "window") VALUES (NEW."code", NEW."condition", NEW."created_at", NEW."created_by_id", NEW."credential_id", NEW."enabled", NEW."hysteresis", NEW."id", NEW."least_requests", NEW."metric", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."quiet_minutes", NEW."revision", NEW."scope_kind", NEW."severity", NEW."thresholds", NEW."updated_at", NEW."value", NEW."window"); RETURN NULL;',
                    hash="b77c76cb07834a05df903cbf61d2c2656513f994",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_2657b",
                    table="alerts_rule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rule",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "alerts_ruleevent" ("code", "condition", "created_at", "created_by_id", "credential_id", "enabled", "hysteresis", "id", "least_requests", "metric", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "quiet_minutes", "revision", "scope_kind", "severity", "thresholds", "updated_at", "value", "window") VALUES (NEW."code", NEW."condition", NEW."created_at", NEW."created_by_id", NEW."credential_id", NEW."enabled", NEW."hysteresis", NEW."id", NEW."least_requests", NEW."metric", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."quiet_minutes", NEW."revision", NEW."scope_kind", NEW."severity", NEW."thresholds", NEW."updated_at", NEW."value", NEW."window"); RETURN NULL;',
                    hash="f61af1a6841b772b8374d6642dd725bcbb0018e5",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3cd3a",
                    table="alerts_rule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rule",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "alerts_ruleevent" ("code", "condition", "created_at", "created_by_id", "credential_id", "enabled", "hysteresis", "id", "least_requests", "metric", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "quiet_minutes", "revision", "scope_kind", "severity", "thresholds", "updated_at", "value", "window") VALUES (OLD."code", OLD."condition", OLD."created_at", OLD."created_by_id", OLD."credential_id", OLD."enabled", OLD."hysteresis", OLD."id", OLD."least_requests", OLD."metric", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."quiet_minutes", OLD."revision", OLD."scope_kind", OLD."severity", OLD."thresholds", OLD."updated_at", OLD."value", OLD."window"); RETURN NULL;',
                    hash="a5122bc7f2869748f208f7657c96e57a4b665ac0",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_52a2a",
                    table="alerts_rule",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="ruleevent",
            index=models.Index(fields=["organization", "-pgh_id"], name="ruleevent_newest"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ruleevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5c4b50eea0cd754202bfd2932e8f80fa78408700",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_94628",
                    table="alerts_ruleevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="rulestate",
            constraint=models.UniqueConstraint(fields=("rule", "subject"), name="rule_state_once"),
        ),
        *(TenantTable(table) for table in TABLES),
        migrations.RunSQL(sql.read("rules")),
        append_only("alerts_ruleevent"),
    ]
