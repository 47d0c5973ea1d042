# ruff: noqa: E501
import uuid

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
    "alerts_report",
    "alerts_reportevent",
    "alerts_reportrecipient",
    "alerts_digest",
    "alerts_mutedmember",
)


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0003_default_rules"),
        ("organizations", "0007_second_factor"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "cadence",
                    models.CharField(choices=[("weekly", "Weekly"), ("monthly", "Monthly")], max_length=7),
                ),
                ("first_day", models.DateField()),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
            options={
                "ordering": ("report", "-first_day"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("period_end__gt", models.F("period_start"))),
                        name="digest_period_ends_later",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "cadence",
                    models.CharField(choices=[("weekly", "Weekly"), ("monthly", "Monthly")], max_length=7),
                ),
                (
                    "hour",
                    models.PositiveSmallIntegerField(default=8, help_text="By the organization's clock."),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("starts_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("last_period_end", models.DateField(editable=False, null=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
            options={
                "ordering": ("organization", "-created_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cadence__in", ["weekly", "monthly"])),
                        name="report_cadence_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("hour__lte", 23)), name="report_hour_of_day"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportEvent",
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
                ("name", models.CharField(max_length=100)),
                (
                    "cadence",
                    models.CharField(choices=[("weekly", "Weekly"), ("monthly", "Monthly")], max_length=7),
                ),
                (
                    "hour",
                    models.PositiveSmallIntegerField(default=8, help_text="By the organization's clock."),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReportRecipient",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("unsubscribed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("report", "id"),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="channel",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="channel",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="channel",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="channel",
            name="channel_disabled_because",
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_notice_known",
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_of_event",
        ),
        migrations.AddField(
            model_name="channel",
            name="confirmed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="channelevent",
            name="confirmed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="subscription",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="channel",
            name="disabled_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("byHand", "By hand"),
                    ("gone", "The receiver answered 410"),
                    ("failing", "It failed for days"),
                    ("unconfirmed", "Its address was not confirmed yet"),
                    ("unsubscribed", "Its receiver unsubscribed"),
                ],
                editable=False,
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="channelevent",
            name="disabled_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("byHand", "By hand"),
                    ("gone", "The receiver answered 410"),
                    ("failing", "It failed for days"),
                    ("unconfirmed", "Its address was not confirmed yet"),
                    ("unsubscribed", "Its receiver unsubscribed"),
                ],
                editable=False,
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="notice",
            field=models.CharField(
                choices=[
                    ("fired", "An event fired"),
                    ("resolved", "An event resolved"),
                    ("test", "A test"),
                    ("channelDisabled", "A channel was disabled"),
                    ("report", "A report"),
                    ("confirmation", "A request to confirm an address"),
                ],
                max_length=15,
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "pending"), ("subscription__isnull", False)),
                fields=["subscription"],
                name="delivery_subscription",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channel",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "alerts_channelevent" ("confirmed_at", "created_at", "created_by_id", "disabled_at", "disabled_because", "enabled", "id", "kind", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "shown") VALUES (NEW."confirmed_at", NEW."created_at", NEW."created_by_id", NEW."disabled_at", NEW."disabled_because", NEW."enabled", NEW."id", NEW."kind", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."shown"); RETURN NULL;',
                    hash="0405863bb7fe41abfe322cb92806cb91ce66ebfe",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_e91c3",
                    table="alerts_channel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channel",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."confirmed_at" IS DISTINCT FROM (NEW."confirmed_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."disabled_at" IS DISTINCT FROM (NEW."disabled_at") OR OLD."disabled_because" IS DISTINCT FROM (NEW."disabled_because") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."shown" IS DISTINCT FROM (NEW."shown"))',
                    func='INSERT INTO "alerts_channelevent" ("confirmed_at", "created_at", "created_by_id", "disabled_at", "disabled_because", "enabled", "id", "kind", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "shown") VALUES (NEW."confirmed_at", NEW."created_at", NEW."created_by_id", NEW."disabled_at", NEW."disabled_because", NEW."enabled", NEW."id", NEW."kind", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."shown"); RETURN NULL;',
                    hash="41ecf5fc9a98364825f8d818f27aec2763768f3f",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f798d",
                    table="alerts_channel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channel",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "alerts_channelevent" ("confirmed_at", "created_at", "created_by_id", "disabled_at", "disabled_because", "enabled", "id", "kind", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "shown") VALUES (OLD."confirmed_at", OLD."created_at", OLD."created_by_id", OLD."disabled_at", OLD."disabled_because", OLD."enabled", OLD."id", OLD."kind", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."shown"); RETURN NULL;',
                    hash="f4183b10114de75b77e2dee61614d56f2abef8e4",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_8f02b",
                    table="alerts_channel",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disabled_at", None), ("disabled_because", ""), ("enabled", True)),
                    models.Q(
                        ("disabled_at__isnull", False),
                        (
                            "disabled_because__in",
                            ["byHand", "gone", "failing", "unconfirmed", "unsubscribed"],
                        ),
                        ("enabled", False),
                    ),
                    _connector="OR",
                ),
                name="channel_disabled_because",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("notice__in", ["fired", "resolved", "test", "channelDisabled", "report", "confirmation"])
                ),
                name="delivery_notice_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("event__isnull", False), ("notice__in", ["fired", "resolved"])),
                    models.Q(
                        ("event", None), ("notice__in", ["test", "channelDisabled", "report", "confirmation"])
                    ),
                    _connector="OR",
                ),
                name="delivery_of_event",
            ),
        ),
        migrations.AddField(
            model_name="digest",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
            ),
        ),
        migrations.AddField(
            model_name="report",
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
            model_name="report",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organizations.organization"
            ),
        ),
        migrations.AddField(
            model_name="digest",
            name="report",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="digests",
                to="alerts.report",
            ),
        ),
        migrations.AddField(
            model_name="reportevent",
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
            model_name="reportevent",
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
            model_name="reportevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="audit_events",
                related_query_name="+",
                to="alerts.report",
            ),
        ),
        migrations.AddField(
            model_name="reportrecipient",
            name="channel",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="alerts.channel"
            ),
        ),
        migrations.AddField(
            model_name="reportrecipient",
            name="membership",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="organizations.membership",
            ),
        ),
        migrations.AddField(
            model_name="reportrecipient",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
            ),
        ),
        migrations.AddField(
            model_name="reportrecipient",
            name="report",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recipients",
                to="alerts.report",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="report",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "alerts_reportevent" ("cadence", "created_at", "created_by_id", "enabled", "hour", "id", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."cadence", NEW."created_at", NEW."created_by_id", NEW."enabled", NEW."hour", NEW."id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                    hash="86988b56a68125639a8ec98cf085f52192d8962f",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_5b82d",
                    table="alerts_report",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="report",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."cadence" IS DISTINCT FROM (NEW."cadence") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."hour" IS DISTINCT FROM (NEW."hour") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id"))',
                    func='INSERT INTO "alerts_reportevent" ("cadence", "created_at", "created_by_id", "enabled", "hour", "id", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."cadence", NEW."created_at", NEW."created_by_id", NEW."enabled", NEW."hour", NEW."id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                    hash="96f85c1d3c930c1e3889ce3a626638003f945b02",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_74b67",
                    table="alerts_report",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="report",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "alerts_reportevent" ("cadence", "created_at", "created_by_id", "enabled", "hour", "id", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."cadence", OLD."created_at", OLD."created_by_id", OLD."enabled", OLD."hour", OLD."id", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                    hash="583c1a29129907308a23f2e16fc33d2e460c06c7",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_9d754",
                    table="alerts_report",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.UniqueConstraint(fields=("report", "cadence", "first_day"), name="digest_once"),
        ),
        migrations.AddIndex(
            model_name="reportevent",
            index=models.Index(fields=["organization", "-pgh_id"], name="reportevent_newest"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reportevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="b24077665afa5e41702c5c50586dfd60604bda87",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a650f",
                    table="alerts_reportevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="reportrecipient",
            constraint=models.UniqueConstraint(fields=("report", "membership"), name="report_member_once"),
        ),
        migrations.AddConstraint(
            model_name="reportrecipient",
            constraint=models.UniqueConstraint(fields=("report", "channel"), name="report_channel_once"),
        ),
        migrations.AddConstraint(
            model_name="reportrecipient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel__isnull", False), ("membership", None)),
                    models.Q(("channel", None), ("membership__isnull", False)),
                    _connector="OR",
                ),
                name="report_member_or_channel",
            ),
        ),
        migrations.CreateModel(
            name="MutedMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("muted_at", models.DateTimeField(default=core.clock.now)),
                (
                    "membership",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organizations.membership",
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
                "ordering": ("organization", "membership"),
            },
        ),
        *(TenantTable(table) for table in TABLES),
        migrations.RunSQL(sql.read("reports")),
        append_only("alerts_reportevent"),
    ]
