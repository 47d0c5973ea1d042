"""What the application's database role may do, and must not be able to."""

from __future__ import annotations

from typing import Any, NamedTuple

# Table owners are found through membership too: a role that may act as the owner is as strong as the owner.
RIGHTS = """
SELECT current_user, session_user,
       acting.rolsuper, acting.rolbypassrls,
       EXISTS (SELECT FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                  AND pg_has_role(current_user, c.relowner, 'USAGE')),
       coalesce(has_table_privilege(to_regclass('public.usage_record'), 'TRUNCATE'), false),
       login.rolsuper OR login.rolbypassrls OR login.rolcreaterole
         OR EXISTS (SELECT FROM pg_class c
                     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                       AND pg_has_role(session_user, c.relowner, 'MEMBER'))
  FROM pg_roles acting, pg_roles login
 WHERE acting.rolname = current_user AND login.rolname = session_user
"""


class Rights(NamedTuple):
    """What PostgreSQL says of the role behind a connection."""

    role: str
    login: str
    superuser: bool
    bypasses_row_security: bool
    owns_tables: bool
    may_truncate_records: bool
    login_is_stronger: bool

    def excess(self) -> list[str]:
        """Return what the role can do and must not, in words; empty when it is fit to serve."""
        found = {
            "is a superuser": self.superuser,
            "bypasses row-level security": self.bypasses_row_security,
            "owns tables": self.owns_tables,
            "may truncate usage_record": self.may_truncate_records,
        }
        return [words for words, present in found.items() if present]


def read_rights(cursor: Any) -> Rights:
    """Ask PostgreSQL about the role behind a cursor."""
    cursor.execute(RIGHTS)
    return Rights(*cursor.fetchone())
