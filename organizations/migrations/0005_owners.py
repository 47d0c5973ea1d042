"""An organization that has had an owner always has one, whatever removes people from it."""

from django.db import migrations

# At the end of the transaction, so that ownership can be handed over in either order. The lock makes
# transactions that each remove another owner take turns. The check must see rows although the scope
# that changed them may have been left, so it opens the system's and puts back what was there.
KEEP = """
CREATE FUNCTION organizations_keep_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    outer_setting text := coalesce(current_setting('headroom.system', true), '');
BEGIN
    PERFORM set_config('headroom.system', 'on', true);
    PERFORM FROM public.organizations_organization WHERE id = OLD.organization_id FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT FROM public.organizations_membership
         WHERE organization_id = OLD.organization_id AND role = 'owner'
    ) THEN
        RAISE EXCEPTION 'organization % would be left without an owner', OLD.organization_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_keeps_owner';
    END IF;
    PERFORM set_config('headroom.system', outer_setting, true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER membership_keeps_owner
    AFTER UPDATE OR DELETE ON organizations_membership
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION organizations_keep_owner();
"""
FORGET = """
DROP TRIGGER membership_keeps_owner ON organizations_membership;
DROP FUNCTION organizations_keep_owner();
"""


class Migration(migrations.Migration):
    dependencies = [("organizations", "0004_plans")]

    operations = [migrations.RunSQL(KEEP, FORGET)]
