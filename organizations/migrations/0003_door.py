"""The one way from the hash of a key to its organization, for a caller that has no tenant yet.

The function runs as a role that may read three tables and set one column, and sees every tenant's
rows of them; the application may call it, and gets at most the one row whose key it knows.
"""

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = "organizations_credential, organizations_organization, organizations_plan"
SIGNATURE = "public.organizations_open_door(bytea, timestamptz)"

FUNCTION = """
CREATE FUNCTION public.organizations_open_door(hash bytea, moment timestamptz)
RETURNS TABLE (
    organization_id bigint, organization text, organization_name text,
    timezone text, rollup_timezone text, currency text,
    plan text, plan_name text, history_days integer, exports boolean, requests_per_minute integer,
    spend_limit boolean, invoices boolean, api_access boolean,
    credential_id bigint, client_id text, scopes text[], revoked_at timestamptz
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used timestamptz;
BEGIN
    SELECT o.id, o.slug, o.name, o.timezone, o.rollup_timezone, o.currency,
           p.slug, p.name, p.history_days, p.exports,
           coalesce(o.requests_per_minute, p.requests_per_minute),
           p.spend_limit, p.invoices, p.api_access,
           c.id, c.client_id, c.scopes, c.revoked_at, c.last_used_at
      INTO organization_id, organization, organization_name, timezone, rollup_timezone, currency,
           plan, plan_name, history_days, exports, requests_per_minute,
           spend_limit, invoices, api_access,
           credential_id, client_id, scopes, revoked_at, used
      FROM public.organizations_credential c
      JOIN public.organizations_organization o ON o.id = c.organization_id
      JOIN public.organizations_plan p ON p.id = o.plan_id
     WHERE c.key_hash = hash;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- At most once a minute, and never waiting for whoever is changing the credential.
    IF revoked_at IS NULL AND (used IS NULL OR used <= moment - interval '1 minute') THEN
        UPDATE public.organizations_credential c SET last_used_at = moment
         WHERE c.id = (SELECT l.id FROM public.organizations_credential l
                        WHERE l.id = credential_id FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN NEXT;
END
$$
"""


def open_door(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    app, lookup = settings.DATABASE_APP_ROLE, settings.DATABASE_LOOKUP_ROLE
    statements = [
        f'GRANT USAGE ON SCHEMA public TO "{lookup}"',
        f'GRANT SELECT ON {TABLES} TO "{lookup}"',
        f'GRANT UPDATE (last_used_at) ON organizations_credential TO "{lookup}"',
        # By name: a policy's TO also covers members of the role that inherit its rights, and the owner of
        # the tables is a member, for which PostgreSQL before 16 knows no other way.
        f"CREATE POLICY door ON organizations_credential TO \"{lookup}\" USING (current_user = '{lookup}')",
        f"CREATE POLICY door ON organizations_organization TO \"{lookup}\" USING (current_user = '{lookup}')",
        FUNCTION,
        f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM public",
        f'GRANT EXECUTE ON FUNCTION {SIGNATURE} TO "{app}"',
        # PostgreSQL wants a function's new owner to be one who could have created it.
        f'GRANT CREATE ON SCHEMA public TO "{lookup}"',
        f'ALTER FUNCTION {SIGNATURE} OWNER TO "{lookup}"',
        f'REVOKE CREATE ON SCHEMA public FROM "{lookup}"',
    ]
    for statement in statements:
        schema_editor.execute(statement)


def close_door(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    lookup = settings.DATABASE_LOOKUP_ROLE
    statements = [
        f"DROP FUNCTION {SIGNATURE}",
        "DROP POLICY door ON organizations_organization",
        "DROP POLICY door ON organizations_credential",
        f'REVOKE SELECT ON {TABLES} FROM "{lookup}"',
        f'REVOKE UPDATE (last_used_at) ON organizations_credential FROM "{lookup}"',
    ]
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("organizations", "0002_tenancy")]

    operations = [migrations.RunPython(open_door, close_door)]
