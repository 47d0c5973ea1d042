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

TABLES = ("alerts_channel", "alerts_channelevent", "alerts_event", "alerts_delivery", "alerts_attempt")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organizations", "0006_plan_overage"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Channel",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("webhook", "Webhook"),
                            ("slack", "Slack"),
                            ("teams", "Microsoft Teams"),
                            ("discord", "Discord"),
                            ("pagerduty", "PagerDuty"),
                            ("opsgenie", "Opsgenie"),
                            ("mattermost", "Mattermost"),
                            ("googleChat", "Google Chat"),
                            ("telegram", "Telegram"),
                            ("ntfy", "ntfy"),
                            ("pushover", "Pushover"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("target", models.BinaryField()),
                ("shown", models.CharField(editable=False, max_length=254, verbose_name="address")),
                ("secret", models.BinaryField(null=True)),
                ("old_secret", models.BinaryField(null=True)),
                ("old_secret_until", models.DateTimeField(editable=False, null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("disabled_at", models.DateTimeField(editable=False, null=True)),
                (
                    "disabled_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("byHand", "By hand"),
                            ("gone", "The receiver answered 410"),
                            ("failing", "It failed for days"),
                        ],
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                (
                    "delivered_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last delivered"),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "created_by",
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
                "ordering": ("organization", "-created_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "email",
                                    "webhook",
                                    "slack",
                                    "teams",
                                    "discord",
                                    "pagerduty",
                                    "opsgenie",
                                    "mattermost",
                                    "googleChat",
                                    "telegram",
                                    "ntfy",
                                    "pushover",
                                ],
                            )
                        ),
                        name="channel_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "webhook"), ("secret__isnull", False)),
                            models.Q(models.Q(("kind", "webhook"), _negated=True), ("secret", None)),
                            _connector="OR",
                        ),
                        name="channel_secret_of_webhook",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("old_secret", None), ("old_secret_until", None)),
                            models.Q(
                                ("old_secret__isnull", False),
                                ("old_secret_until__isnull", False),
                                ("secret__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="channel_old_secret_ends",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_at", None), ("disabled_because", ""), ("enabled", True)),
                            models.Q(
                                ("disabled_at__isnull", False),
                                ("disabled_because__in", ["byHand", "gone", "failing"]),
                                ("enabled", False),
                            ),
                            _connector="OR",
                        ),
                        name="channel_disabled_because",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelEvent",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("webhook", "Webhook"),
                            ("slack", "Slack"),
                            ("teams", "Microsoft Teams"),
                            ("discord", "Discord"),
                            ("pagerduty", "PagerDuty"),
                            ("opsgenie", "Opsgenie"),
                            ("mattermost", "Mattermost"),
                            ("googleChat", "Google Chat"),
                            ("telegram", "Telegram"),
                            ("ntfy", "ntfy"),
                            ("pushover", "Pushover"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("shown", models.CharField(editable=False, max_length=254, verbose_name="address")),
                ("enabled", models.BooleanField(default=True)),
                ("disabled_at", models.DateTimeField(editable=False, null=True)),
                (
                    "disabled_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("byHand", "By hand"),
                            ("gone", "The receiver answered 410"),
                            ("failing", "It failed for days"),
                        ],
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "created_by",
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
                        to="alerts.channel",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="channelevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "notice",
                    models.CharField(
                        choices=[
                            ("fired", "An event fired"),
                            ("resolved", "An event resolved"),
                            ("test", "A test"),
                            ("channelDisabled", "A channel was disabled"),
                        ],
                        max_length=15,
                    ),
                ),
                (
                    "channel_kind",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("webhook", "Webhook"),
                            ("slack", "Slack"),
                            ("teams", "Microsoft Teams"),
                            ("discord", "Discord"),
                            ("pagerduty", "PagerDuty"),
                            ("opsgenie", "Opsgenie"),
                            ("mattermost", "Mattermost"),
                            ("googleChat", "Google Chat"),
                            ("telegram", "Telegram"),
                            ("ntfy", "ntfy"),
                            ("pushover", "Pushover"),
                        ],
                        max_length=12,
                    ),
                ),
                ("channel_name", models.CharField(blank=True, max_length=100)),
                ("recipient", models.EmailField(blank=True, max_length=254)),
                ("lane", models.UUIDField()),
                ("payload", models.JSONField()),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why it was not delivered.", max_length=200),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="deliveries",
                        to="alerts.channel",
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
                "ordering": ("organization", "-created_at", "-id"),
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="delivery_listing"),
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["due_at"], name="delivery_due"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("notice__in", ["fired", "resolved", "test", "channelDisabled"])),
                        name="delivery_notice_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "delivered", "failed", "cancelled"])),
                        name="delivery_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("due_at__isnull", False), ("finished_at", None), ("state", "pending")),
                            models.Q(
                                models.Q(("state", "pending"), _negated=True),
                                ("due_at", None),
                                ("finished_at__isnull", False),
                                ("leased_until", None),
                            ),
                            _connector="OR",
                        ),
                        name="delivery_pending_or_finished",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("started_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("underWay", "Under way"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("lost", "Lost with its worker"),
                        ],
                        default="underWay",
                        max_length=9,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(help_text="HTTP's or SMTP's.", null=True)),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                (
                    "response",
                    models.CharField(blank=True, help_text="The beginning of the answer.", max_length=500),
                ),
                ("error", models.CharField(blank=True, max_length=200)),
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
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="alerts.delivery",
                    ),
                ),
            ],
            options={
                "ordering": ("delivery", "number"),
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "number"), name="attempt_once"),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["underWay", "delivered", "failed", "lost"])),
                        name="attempt_outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("rule_id", models.UUIDField(null=True)),
                ("rule_revision", models.PositiveIntegerField(null=True)),
                ("dedup_key", models.UUIDField()),
                (
                    "severity",
                    models.CharField(
                        choices=[("info", "Info"), ("warning", "Warning"), ("critical", "Critical")],
                        max_length=8,
                    ),
                ),
                ("metric", models.CharField(max_length=100)),
                ("scope", models.JSONField(default=dict)),
                ("unit", models.CharField(blank=True, max_length=40)),
                ("threshold", models.DecimalField(decimal_places=9, max_digits=38, null=True)),
                ("value", models.DecimalField(decimal_places=9, max_digits=38, null=True)),
                ("period_start", models.DateTimeField(null=True)),
                ("period_end", models.DateTimeField(null=True)),
                ("message", models.CharField(max_length=500)),
                ("recommendation", models.CharField(blank=True, max_length=1000)),
                ("chart", models.JSONField(help_text="The figures that an e-mail draws.", null=True)),
                ("fired_at", models.DateTimeField(default=core.clock.now)),
                ("resolved_at", models.DateTimeField(null=True)),
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
                "ordering": ("organization", "-fired_at", "-id"),
                "indexes": [
                    models.Index(fields=["organization", "-fired_at", "-id"], name="event_listing"),
                    models.Index(
                        condition=models.Q(("resolved_at", None)),
                        fields=["organization", "rule_id"],
                        name="event_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "dedup_key"), name="event_once"),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["info", "warning", "critical"])),
                        name="event_severity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rule_id", None), ("rule_revision", None)),
                            models.Q(("rule_id__isnull", False), ("rule_revision__isnull", False)),
                            _connector="OR",
                        ),
                        name="event_rule_revision",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("period_end", None), ("period_start", None)),
                            ("period_end__gt", models.F("period_start")),
                            _connector="OR",
                        ),
                        name="event_period_ends_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("resolved_at__gte", models.F("fired_at"))),
                        name="event_resolved_after_it_fired",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="event",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="alerts.event",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channel",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "alerts_channelevent" ("created_at", "created_by_id", "disabled_at", "disabled_because", "enabled", "id", "kind", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "shown") VALUES (NEW."created_at", NEW."created_by_id", NEW."disabled_at", NEW."disabled_because", NEW."enabled", NEW."id", NEW."kind", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."shown"); RETURN NULL;',
                    hash="dbbed0fff9649b882bc7b53a364782d3224cccbb",
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
                    condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."disabled_at" IS DISTINCT FROM (NEW."disabled_at") OR OLD."disabled_because" IS DISTINCT FROM (NEW."disabled_because") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."shown" IS DISTINCT FROM (NEW."shown"))',
                    func='INSERT INTO "alerts_channelevent" ("created_at", "created_by_id", "disabled_at", "disabled_because", "enabled", "id", "kind", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "shown") VALUES (NEW."created_at", NEW."created_by_id", NEW."disabled_at", NEW."disabled_because", NEW."enabled", NEW."id", NEW."kind", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."shown"); RETURN NULL;',
                    hash="df1362667e945533e8298f1a00307dd6ee9fccfb",
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
                    func='INSERT INTO "alerts_channelevent" ("created_at", "created_by_id", "disabled_at", "disabled_because", "enabled", "id", "kind", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "shown") VALUES (OLD."created_at", OLD."created_by_id", OLD."disabled_at", OLD."disabled_because", OLD."enabled", OLD."id", OLD."kind", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."shown"); RETURN NULL;',
                    hash="0f9305b758b7ced9a622febe3e8974f0717d7f5c",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_8f02b",
                    table="alerts_channel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channelevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="a1ab01e99ed89fc7f5832564bab7eec1af89a57f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_9983b",
                    table="alerts_channelevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("event__isnull", False), ("notice__in", ["fired", "resolved"])),
                    models.Q(("event", None), ("notice__in", ["test", "channelDisabled"])),
                    _connector="OR",
                ),
                name="delivery_of_event",
            ),
        ),
        *(TenantTable(table) for table in TABLES),
        migrations.RunSQL(sql.read("deliveries")),
        append_only("alerts_channelevent"),
    ]
