from django.conf import settings
from django.db import migrations

from organizations.rls import TenantTable

EVENTS = (
    "organizations_planevent",
    "organizations_organizationevent",
    "organizations_membershipevent",
    "organizations_invitationevent",
    "organizations_credentialevent",
)


def append_only(table: str) -> migrations.RunSQL:
    role = settings.DATABASE_APP_ROLE
    return migrations.RunSQL(
        sql=f'REVOKE UPDATE, DELETE ON "{table}" FROM "{role}"',
        reverse_sql=f'GRANT UPDATE, DELETE ON "{table}" TO "{role}"',
    )


class Migration(migrations.Migration):
    dependencies = [("organizations", "0001_tables")]

    operations = [
        TenantTable("organizations_organization", column="id"),
        TenantTable("organizations_membership"),
        TenantTable("organizations_invitation"),
        TenantTable("organizations_credential"),
        TenantTable("organizations_organizationevent", column="id"),
        TenantTable("organizations_membershipevent"),
        TenantTable("organizations_invitationevent"),
        TenantTable("organizations_credentialevent"),
        *(append_only(table) for table in EVENTS),
    ]
