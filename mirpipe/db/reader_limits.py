"""Limits what a reader can do, with session settings and revoked privileges on functions.

The migrations grant a reader only SELECT on tables and views.
"""

from psycopg2 import extensions
from psycopg2.sql import SQL, Identifier
from psycopg2.sql import Literal as Value

READER_LIMITS = {"default_transaction_read_only": "on", "statement_timeout": "30s"}
"""Settings that prevent mistakes. Readers can change them, so security depends on the grants."""

_REVOKE_FUNCTIONS = """
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS signature, p.proname LIKE 'pg\\_%' AS is_lock
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND (p.proname ~ '^pg_.*advisory.*lock' OR p.proname ~ '^lo(_|read$|write$)')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f.signature);
        IF f.is_lock THEN
            EXECUTE format(
                'GRANT EXECUTE ON FUNCTION %s TO mirpipe_owner, mirpipe_app, airflow', f.signature);
        END IF;
    END LOOP;
END $$;
"""


def limit_reader_sessions(sql: extensions.cursor) -> None:
    """Set the limits for all mirpipe_read sessions: read-only, 30 s, 1 GB of temporary files.

    Only a superuser can change the limit on temporary files.
    """
    for name, value in READER_LIMITS.items():
        sql.execute(
            SQL("ALTER ROLE mirpipe_read SET {} = {}").format(Identifier(name), Value(value))
        )
    sql.execute("ALTER ROLE mirpipe_read SET temp_file_limit = '1GB'")


def revoke_locks_and_large_objects(sql: extensions.cursor) -> None:
    """Prevent readers from calling the functions for advisory locks and large objects.

    By default, every role is allowed to call these functions. With an advisory lock, a reader could
    block the pipeline. With large objects, a reader could write to the database. Only the roles
    that write can still call the lock functions. The change applies to the connected database only.
    """
    sql.execute(_REVOKE_FUNCTIONS)
