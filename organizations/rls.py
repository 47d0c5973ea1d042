"""Row-level security: the migration operation that binds a table to the tenant of the transaction.

The tenant is the setting ``headroom.organization_id``; work for the whole system sets
``headroom.system`` to ``on``. With neither, no row is seen and none can be written. Foreign keys
and unique constraints are checked by PostgreSQL across tenants.
"""

from typing import Any, Final

from django.conf import settings
from django.db.migrations import RunSQL

POLICY: Final = "tenant"
SHARED: Final = "shared"
# In sub-selects the settings are read once a statement, not once a row.
TENANT: Final = "(SELECT nullif(current_setting('headroom.organization_id', true), '')::bigint)"
SYSTEM: Final = "(SELECT current_setting('headroom.system', true) = 'on')"


class TenantTable(RunSQL):
    """Show and accept, in this table, only rows of the transaction's tenant; bind the owner as well."""

    def __init__(self, table: str, column: str = "organization_id") -> None:
        self.table = table
        self.column = column
        super().__init__(sql=enable(table, column), reverse_sql=disable(table))

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how a migration writes this operation."""
        return type(self).__name__, [], {"table": self.table, "column": self.column}

    def describe(self) -> str:
        """Return what the operation does, for `migrate` to say."""
        return f"Bind the rows of {self.table} to their tenant"


class SharedTenantTable(TenantTable):
    """As `TenantTable`; rows of nobody are every tenant's to read, and only the system's to add."""

    def __init__(self, table: str, column: str = "organization_id") -> None:
        super().__init__(table, column)
        self.sql = (*enable(table, column), share(table, f'"{column}" IS NULL AND {TENANT} IS NOT NULL'))
        self.reverse_sql = (f'DROP POLICY {SHARED} ON "{table}"', *disable(table))


def share(table: str, condition: str) -> str:
    """Return the statement that lets everyone read the rows of a table for which a condition holds."""
    return f'CREATE POLICY {SHARED} ON "{table}" FOR SELECT USING ({condition})'


def enable(table: str, column: str = "organization_id") -> tuple[str, ...]:
    """Return the statements that bind a table's rows to the tenant in ``column``."""
    visible = f'"{column}" = {TENANT} OR {SYSTEM}'
    return (
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY {POLICY} ON "{table}" USING ({visible}) WITH CHECK ({visible})',
    )


def disable(table: str) -> tuple[str, ...]:
    """Return the statements that undo `enable`."""
    return (
        f'DROP POLICY {POLICY} ON "{table}"',
        f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
    )


def append_only(table: str) -> RunSQL:
    """Return the operation that lets the application add rows to a table, but change or remove none."""
    role = settings.DATABASE_APP_ROLE
    return RunSQL(
        sql=f'REVOKE UPDATE, DELETE ON "{table}" FROM "{role}"',
        reverse_sql=f'GRANT UPDATE, DELETE ON "{table}" TO "{role}"',
    )
