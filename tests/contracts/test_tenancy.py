"""Every table that belongs to organizations is bound to one by the database."""

from typing import Any

import psycopg

# Every table with the column, and the organizations themselves; a partition counts when the
# application may name it, since a policy on the parent does not guard it.
TENANT_TABLES = """
SELECT c.oid::regclass::text, c.relrowsecurity, c.relforcerowsecurity,
       array(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY 1),
       pg_get_userbyid(c.relowner)
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND (c.relname IN ('organizations_organization', 'organizations_organizationevent')
        OR EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped))
   AND (NOT c.relispartition
        OR has_table_privilege('headroom_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE'))
 ORDER BY 1
"""
FORBIDDEN = """
SELECT c.oid::regclass::text FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND (has_table_privilege('headroom_app', c.oid, 'TRUNCATE, TRIGGER, REFERENCES')
        OR pg_get_userbyid(c.relowner) = 'headroom_app')
"""
STRONG_ROLES = """
SELECT rolname FROM pg_roles
 WHERE rolname IN ('headroom_app', 'headroom_owner', 'headroom_lookup') AND (rolsuper OR rolbypassrls)
"""
STRONG_FUNCTIONS = """
SELECT p.proname FROM pg_proc p
 WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
   AND (p.proowner = 'headroom_app'::regrole OR p.proacl IS NULL
        OR EXISTS (SELECT FROM aclexplode(p.proacl) WHERE grantee = 0)
        OR NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%'))
"""
WIDE_POLICIES = """
SELECT tablename, policyname FROM pg_policies
 WHERE policyname <> 'tenant'
   AND NOT (roles = '{headroom_lookup}' AND qual ILIKE '%current_user = ''headroom_lookup''%')
   AND NOT (roles = '{headroom_lookup}' AND tablename = 'usage_record' AND cmd = 'SELECT')
   AND NOT (policyname = 'shared' AND cmd = 'SELECT' AND qual LIKE '((organization_id IS NULL) AND %')
"""
HEIRS = """
SELECT rolname FROM pg_roles
 WHERE rolname IN ('headroom_app', 'headroom_owner') AND pg_has_role(rolname, 'headroom_lookup', 'USAGE')
"""

Connection = psycopg.Connection[Any]


def test_every_table_of_an_organization_has_forced_row_level_security(owner_connection: Connection) -> None:
    rows = owner_connection.execute(TENANT_TABLES).fetchall()
    assert len(rows) >= 8
    unbound = [row[0] for row in rows if not (row[1] and row[2] and "tenant" in row[3])]
    assert unbound == []


def test_the_application_owns_no_table_and_can_empty_none(owner_connection: Connection) -> None:
    assert owner_connection.execute(FORBIDDEN).fetchall() == []


def test_no_role_of_ours_is_above_row_level_security(owner_connection: Connection) -> None:
    assert owner_connection.execute(STRONG_ROLES).fetchall() == []


def test_a_function_that_lends_rights_fixes_its_search_path_and_is_not_for_everybody(
    owner_connection: Connection,
) -> None:
    assert owner_connection.execute(STRONG_FUNCTIONS).fetchall() == []


def test_policies_let_in_the_tenant_the_lookup_role_by_name_and_readers_of_what_is_nobodys(
    owner_connection: Connection,
) -> None:
    assert owner_connection.execute(WIDE_POLICIES).fetchall() == []


def test_nobody_inherits_what_the_lookup_role_may_see(owner_connection: Connection) -> None:
    assert owner_connection.execute(HEIRS).fetchall() == []
