# ruff: noqa: E501
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import core.clock
import organizations.validators


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        # One sequence numbers the events of every kind, so that a single number orders them all.
        migrations.RunSQL(
            sql="CREATE SEQUENCE organizations_audit_seq",
            reverse_sql="DROP SEQUENCE organizations_audit_seq",
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(max_length=63, unique=True)),
                (
                    "timezone",
                    models.CharField(
                        default="UTC", max_length=64, validators=[organizations.validators.validate_zone]
                    ),
                ),
                (
                    "rollup_timezone",
                    models.CharField(
                        default="UTC",
                        editable=False,
                        help_text="The zone whose days its daily rollups are kept in.",
                        max_length=64,
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD", max_length=3, validators=[organizations.validators.validate_currency]
                    ),
                ),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(
                        blank=True, help_text="Its own rate limit; empty: the plan's.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
            options={
                "ordering": ("name", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                        name="organization_currency_iso",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("requests_per_minute__gt", 0)), name="organization_rate_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanEvent",
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
                ("slug", models.SlugField(db_index=False, max_length=40)),
                ("name", models.CharField(max_length=80)),
                ("position", models.PositiveSmallIntegerField(help_text="Order in lists, smallest first.")),
                (
                    "history_days",
                    models.PositiveIntegerField(
                        blank=True, help_text="Days of history; empty: all of it.", null=True
                    ),
                ),
                ("exports", models.BooleanField(default=False)),
                ("requests_per_minute", models.PositiveIntegerField()),
                ("spend_limit", models.BooleanField(default=False, help_text="May set a spend limit.")),
                ("invoices", models.BooleanField(default=False)),
                (
                    "api_access",
                    models.BooleanField(
                        default=True, help_text="The gate lets the organization's calls through."
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(blank=True, max_length=150)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False, help_text="May enter the operator's admin.", verbose_name="operator"
                    ),
                ),
                ("date_joined", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "ordering": ("email",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="user_email_lower",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "client_id",
                    models.CharField(editable=False, max_length=23, unique=True, verbose_name="Client ID"),
                ),
                ("name", models.CharField(max_length=100)),
                ("environment", models.CharField(default="production", max_length=40)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("key_hint", models.CharField(editable=False, max_length=4, verbose_name="ends in")),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("rotated_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
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
                        related_name="credentials",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization", "-created_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("client_id__regex", "^cl_[0-9A-Za-z]{20}$")),
                        name="credential_client_id_format",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scopes__contained_by",
                                [
                                    "usage:write",
                                    "usage:read",
                                    "billing:read",
                                    "billing:write",
                                    "alerts:write",
                                    "keys:write",
                                ],
                            ),
                            ("scopes__len__gt", 0),
                        ),
                        name="credential_scopes_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("billing", "Billing"),
                            ("analyst", "Analyst"),
                            ("developer", "Developer"),
                        ],
                        max_length=16,
                    ),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invited_by",
                    models.ForeignKey(
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
                        related_name="invitations",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("withdrawn_at", None)),
                        fields=("organization", "email"),
                        name="invitation_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="invitation_email_lower",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["owner", "admin", "billing", "analyst", "developer"])
                        ),
                        name="invitation_role_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="invitation_expires_later",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("billing", "Billing"),
                            ("analyst", "Analyst"),
                            ("developer", "Developer"),
                        ],
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization", "user"),
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user"), name="membership_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["owner", "admin", "billing", "analyst", "developer"])
                        ),
                        name="membership_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MembershipEvent",
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
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("billing", "Billing"),
                            ("analyst", "Analyst"),
                            ("developer", "Developer"),
                        ],
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_events",
                        related_query_name="+",
                        to="organizations.membership",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
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
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="membershipevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="InvitationEvent",
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
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("billing", "Billing"),
                            ("analyst", "Analyst"),
                            ("developer", "Developer"),
                        ],
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_events",
                        related_query_name="+",
                        to="organizations.invitation",
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
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="invitationevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="CredentialEvent",
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
                ("client_id", models.CharField(editable=False, max_length=23, verbose_name="Client ID")),
                ("name", models.CharField(max_length=100)),
                ("environment", models.CharField(default="production", max_length=40)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                ("key_hint", models.CharField(editable=False, max_length=4, verbose_name="ends in")),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("rotated_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
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
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_events",
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
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-pgh_id"], name="credentialevent_newest")],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("position", models.PositiveSmallIntegerField(help_text="Order in lists, smallest first.")),
                (
                    "history_days",
                    models.PositiveIntegerField(
                        blank=True, help_text="Days of history; empty: all of it.", null=True
                    ),
                ),
                ("exports", models.BooleanField(default=False)),
                ("requests_per_minute", models.PositiveIntegerField()),
                ("spend_limit", models.BooleanField(default=False, help_text="May set a spend limit.")),
                ("invoices", models.BooleanField(default=False)),
                (
                    "api_access",
                    models.BooleanField(
                        default=True, help_text="The gate lets the organization's calls through."
                    ),
                ),
            ],
            options={
                "ordering": ("position", "slug"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("history_days__gt", 0)), name="plan_history_days_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("requests_per_minute__gt", 0)), name="plan_rate_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrganizationEvent",
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
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(db_index=False, max_length=63)),
                (
                    "timezone",
                    models.CharField(
                        default="UTC", max_length=64, validators=[organizations.validators.validate_zone]
                    ),
                ),
                (
                    "rollup_timezone",
                    models.CharField(
                        default="UTC",
                        editable=False,
                        help_text="The zone whose days its daily rollups are kept in.",
                        max_length=64,
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD", max_length=3, validators=[organizations.validators.validate_currency]
                    ),
                ),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(
                        blank=True, help_text="Its own rate limit; empty: the plan's.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_events",
                        related_query_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organizations.plan",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["id", "-pgh_id"], name="organizationevent_newest")],
            },
        ),
        migrations.AddField(
            model_name="organization",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="organizations",
                to="organizations.plan",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_planevent" ("api_access", "exports", "history_days", "id", "invoices", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "requests_per_minute", "slug", "spend_limit") VALUES (NEW."api_access", NEW."exports", NEW."history_days", NEW."id", NEW."invoices", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."position", NEW."requests_per_minute", NEW."slug", NEW."spend_limit"); RETURN NULL;',
                    hash="8ffc9222b26b64addf099a59a608d53da32a0058",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_878b2",
                    table="organizations_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organizations_planevent" ("api_access", "exports", "history_days", "id", "invoices", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "requests_per_minute", "slug", "spend_limit") VALUES (NEW."api_access", NEW."exports", NEW."history_days", NEW."id", NEW."invoices", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."position", NEW."requests_per_minute", NEW."slug", NEW."spend_limit"); RETURN NULL;',
                    hash="25a660c456f458e4c11b2ae198063759c13290d5",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_d7123",
                    table="organizations_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_planevent" ("api_access", "exports", "history_days", "id", "invoices", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "requests_per_minute", "slug", "spend_limit") VALUES (OLD."api_access", OLD."exports", OLD."history_days", OLD."id", OLD."invoices", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."position", OLD."requests_per_minute", OLD."slug", OLD."spend_limit"); RETURN NULL;',
                    hash="f071ad1f6590dbf53792eec9ac0d84a060985d47",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d0c3c",
                    table="organizations_plan",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="planevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="audit_events",
                related_query_name="+",
                to="organizations.plan",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membershipevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9d29d58c28204c813b0a1d8c710bffcfc6a9293d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_ce92c",
                    table="organizations_membershipevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_membershipevent" ("created_at", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "user_id") VALUES (NEW."created_at", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."role", NEW."user_id"); RETURN NULL;',
                    hash="c127784f61b7e75821f737724d945ebc807cbded",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_df650",
                    table="organizations_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organizations_membershipevent" ("created_at", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "user_id") VALUES (NEW."created_at", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."role", NEW."user_id"); RETURN NULL;',
                    hash="07a86d21f63b307314f2e5ad9c359c051bf4b753",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_6cb9e",
                    table="organizations_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_membershipevent" ("created_at", "id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "user_id") VALUES (OLD."created_at", OLD."id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."role", OLD."user_id"); RETURN NULL;',
                    hash="ea6e7d594b0ad8b79c68dfa1527ebbb8aba52cdd",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_0b96a",
                    table="organizations_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invitationevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="99dbc5fb19c6392b941299155c6d6624524c9a30",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_7bd3c",
                    table="organizations_invitationevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invitation",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_invitationevent" ("accepted_at", "created_at", "email", "expires_at", "id", "invited_by_id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "withdrawn_at") VALUES (NEW."accepted_at", NEW."created_at", NEW."email", NEW."expires_at", NEW."id", NEW."invited_by_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."role", NEW."withdrawn_at"); RETURN NULL;',
                    hash="3607744ec944fba491d179663265a71872a3781f",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6632f",
                    table="organizations_invitation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invitation",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."accepted_at" IS DISTINCT FROM (NEW."accepted_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."invited_by_id" IS DISTINCT FROM (NEW."invited_by_id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."withdrawn_at" IS DISTINCT FROM (NEW."withdrawn_at"))',
                    func='INSERT INTO "organizations_invitationevent" ("accepted_at", "created_at", "email", "expires_at", "id", "invited_by_id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "withdrawn_at") VALUES (NEW."accepted_at", NEW."created_at", NEW."email", NEW."expires_at", NEW."id", NEW."invited_by_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."role", NEW."withdrawn_at"); RETURN NULL;',
                    hash="b7e432b53efa4d6e90655fb325f08dd47149c29b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_a4010",
                    table="organizations_invitation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invitation",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_invitationevent" ("accepted_at", "created_at", "email", "expires_at", "id", "invited_by_id", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "withdrawn_at") VALUES (OLD."accepted_at", OLD."created_at", OLD."email", OLD."expires_at", OLD."id", OLD."invited_by_id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."role", OLD."withdrawn_at"); RETURN NULL;',
                    hash="ce95c7702cc1d09e41826f6fd3c8ac09604badad",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e94f1",
                    table="organizations_invitation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="390436b8bd370258ee22a584c170c8c530f5e57f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_232a1",
                    table="organizations_credentialevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credential",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_credentialevent" ("client_id", "created_at", "created_by_id", "environment", "id", "key_hint", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "rotated_at", "scopes") VALUES (NEW."client_id", NEW."created_at", NEW."created_by_id", NEW."environment", NEW."id", NEW."key_hint", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."revoked_at", NEW."rotated_at", NEW."scopes"); RETURN NULL;',
                    hash="e6900cf4d1c7b4a7265914ba7f3496bf707bf950",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d2621",
                    table="organizations_credential",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credential",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."environment" IS DISTINCT FROM (NEW."environment") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."key_hint" IS DISTINCT FROM (NEW."key_hint") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."rotated_at" IS DISTINCT FROM (NEW."rotated_at") OR OLD."scopes" IS DISTINCT FROM (NEW."scopes"))',
                    func='INSERT INTO "organizations_credentialevent" ("client_id", "created_at", "created_by_id", "environment", "id", "key_hint", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "rotated_at", "scopes") VALUES (NEW."client_id", NEW."created_at", NEW."created_by_id", NEW."environment", NEW."id", NEW."key_hint", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."revoked_at", NEW."rotated_at", NEW."scopes"); RETURN NULL;',
                    hash="6f8de150af1deaabc5797cf70c3b7a78f7700907",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_87480",
                    table="organizations_credential",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credential",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_credentialevent" ("client_id", "created_at", "created_by_id", "environment", "id", "key_hint", "name", "organization_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "rotated_at", "scopes") VALUES (OLD."client_id", OLD."created_at", OLD."created_by_id", OLD."environment", OLD."id", OLD."key_hint", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."revoked_at", OLD."rotated_at", OLD."scopes"); RETURN NULL;',
                    hash="c9463041b933d86e5c7d5fc998928132a9519596",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_b8050",
                    table="organizations_credential",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organizationevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="b57d657ff616d824ae4a63d9d1c32f035699505a",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_88049",
                    table="organizations_organizationevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_organizationevent" ("created_at", "currency", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "requests_per_minute", "rollup_timezone", "slug", "timezone") VALUES (NEW."created_at", NEW."currency", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."requests_per_minute", NEW."rollup_timezone", NEW."slug", NEW."timezone"); RETURN NULL;',
                    hash="443c52e38587ddf8fc448dd88396157200b9c17d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_5a753",
                    table="organizations_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organizations_organizationevent" ("created_at", "currency", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "requests_per_minute", "rollup_timezone", "slug", "timezone") VALUES (NEW."created_at", NEW."currency", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."plan_id", NEW."requests_per_minute", NEW."rollup_timezone", NEW."slug", NEW."timezone"); RETURN NULL;',
                    hash="05101a787ebb9585054e5248c517e255feaa024b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_73a92",
                    table="organizations_organization",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_organizationevent" ("created_at", "currency", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "requests_per_minute", "rollup_timezone", "slug", "timezone") VALUES (OLD."created_at", OLD."currency", OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."requests_per_minute", OLD."rollup_timezone", OLD."slug", OLD."timezone"); RETURN NULL;',
                    hash="d1c35c8158eb3c9b6768e934fc8a642235a4a66c",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_84ac6",
                    table="organizations_organization",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="planevent",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="planevent_newest"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="planevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="0c9f78b76c6060e9f8aaac38acf2ffe65e91eec6",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_53a4f",
                    table="organizations_planevent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
