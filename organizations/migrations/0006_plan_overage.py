# ruff: noqa: E501
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0005_owners"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="plan",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="plan",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="plan",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="plan",
            name="overage",
            field=models.BooleanField(
                default=False, help_text="May use more credits and quota than were granted."
            ),
        ),
        migrations.AddField(
            model_name="planevent",
            name="overage",
            field=models.BooleanField(
                default=False, help_text="May use more credits and quota than were granted."
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organizations_planevent" ("api_access", "exports", "history_days", "id", "invoices", "name", "overage", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "requests_per_minute", "slug", "spend_limit") VALUES (NEW."api_access", NEW."exports", NEW."history_days", NEW."id", NEW."invoices", NEW."name", NEW."overage", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."position", NEW."requests_per_minute", NEW."slug", NEW."spend_limit"); RETURN NULL;',
                    hash="d4ce476076e0ad7568b0f13fc1a9f59efb0d719b",
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
                    func='INSERT INTO "organizations_planevent" ("api_access", "exports", "history_days", "id", "invoices", "name", "overage", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "requests_per_minute", "slug", "spend_limit") VALUES (NEW."api_access", NEW."exports", NEW."history_days", NEW."id", NEW."invoices", NEW."name", NEW."overage", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."position", NEW."requests_per_minute", NEW."slug", NEW."spend_limit"); RETURN NULL;',
                    hash="f419caf7cf91ff18aefc58b1e9a1d85f6c2479a0",
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
                    func='INSERT INTO "organizations_planevent" ("api_access", "exports", "history_days", "id", "invoices", "name", "overage", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "requests_per_minute", "slug", "spend_limit") VALUES (OLD."api_access", OLD."exports", OLD."history_days", OLD."id", OLD."invoices", OLD."name", OLD."overage", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."position", OLD."requests_per_minute", OLD."slug", OLD."spend_limit"); RETURN NULL;',
                    hash="27eeea30bb487b548e485553044e30406051c892",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d0c3c",
                    table="organizations_plan",
                    when="AFTER",
                ),
            ),
        ),
    ]
