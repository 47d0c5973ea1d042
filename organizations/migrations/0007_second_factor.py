# ruff: noqa: E501
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0006_plan_overage"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="organization",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="organization",
            name="require_second_factor",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Members without a second factor see nothing."
            ),
        ),
        migrations.AddField(
            model_name="organizationevent",
            name="require_second_factor",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Members without a second factor see nothing."
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_organizationevent" ("created_at", "currency", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "requests_per_minute", "require_second_factor", "rollup_timezone", "slug", "timezone") VALUES (NEW."created_at", NEW."currency", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."requests_per_minute", NEW."require_second_factor", NEW."rollup_timezone", NEW."slug", NEW."timezone"); RETURN NULL;',
                    hash="5c084e5f727765c1ce59a68a1b0ab64f40c9f0a8",
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
                    func='INSERT INTO "organizations_organizationevent" ("created_at", "currency", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "requests_per_minute", "require_second_factor", "rollup_timezone", "slug", "timezone") VALUES (NEW."created_at", NEW."currency", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."plan_id", NEW."requests_per_minute", NEW."require_second_factor", NEW."rollup_timezone", NEW."slug", NEW."timezone"); RETURN NULL;',
                    hash="2f3dfcb919b0424bb8cb7402abb3b97d978a2c0d",
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
                    func='INSERT INTO "organizations_organizationevent" ("created_at", "currency", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "requests_per_minute", "require_second_factor", "rollup_timezone", "slug", "timezone") VALUES (OLD."created_at", OLD."currency", OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."requests_per_minute", OLD."require_second_factor", OLD."rollup_timezone", OLD."slug", OLD."timezone"); RETURN NULL;',
                    hash="01d00dce76237cfc81ec0ba48fa535878ee497cf",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_84ac6",
                    table="organizations_organization",
                    when="AFTER",
                ),
            ),
        ),
    ]
