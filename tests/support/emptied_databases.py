"""Empties a used test database, so that the next test does not need a new one.

Creating a database copies several hundred files, which takes longer than most tests. A database is
used again only if its schema, privileges and settings are those of a new database.
"""

from contextlib import closing

import psycopg2
from psycopg2 import extensions

from mirpipe.postgres.embedded import EmbeddedPostgres

_END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Tables of encoders and locks are created when they are needed.
_DROP_ADDED = r"""
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'mirpipe'::regnamespace
            AND (relkind = 'v' AND relname ~ '^v_embedding_\d+$'
                OR relkind = 'r' AND relname ~ '^(embedding_\d+|lock_[0-9a-f]{16})$')
        ORDER BY relkind DESC
    LOOP
        EXECUTE format('DROP %s mirpipe.%I', CASE r.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
            r.relname);
    END LOOP;
END $$
"""
_DELETE_ROWS = """
DO $$
DECLARE
    r record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR r IN
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'mirpipe'::regnamespace AND relkind IN ('r', 'S')
            AND relname <> 'schema_file'
    LOOP
        IF r.relkind = 'r' THEN
            EXECUTE format('DELETE FROM mirpipe.%I', r.relname);
        ELSE
            PERFORM setval(format('mirpipe.%I', r.relname)::regclass, 1, false);
        END IF;
    END LOOP;
END $$
"""
_FINGERPRINT = """
    WITH own AS (
        SELECT oid FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), relation AS (
        SELECT c.* FROM pg_class c JOIN own ON own.oid = c.relnamespace
    ), line AS (
        SELECT concat_ws(' ', relkind, relname, relowner, relacl, reloptions) AS line FROM relation
        UNION ALL
        SELECT concat_ws(' ', relname, attnum, attname, atttypid, atttypmod, attnotnull, attacl,
            attstorage)
        FROM relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0
        UNION ALL
        SELECT concat_ws(' ', conname, contype, convalidated, md5(conbin::text), conkey,
            confdeltype)
        FROM pg_constraint JOIN own ON own.oid = connamespace
        UNION ALL
        SELECT concat_ws(' ', proname, proowner, proacl, proconfig, prosecdef, md5(prosrc))
        FROM pg_proc JOIN own ON own.oid = pronamespace
        UNION ALL
        SELECT concat_ws(' ', tgname, tgenabled) FROM pg_trigger
        JOIN relation ON relation.oid = tgrelid WHERE NOT tgisinternal
        UNION ALL
        SELECT concat_ws(' ', ev_class, md5(ev_action::text))
        FROM pg_rewrite JOIN relation ON relation.oid = ev_class
        UNION ALL
        SELECT concat_ws(' ', relname, objsubid, md5(description))
        FROM pg_description JOIN relation ON relation.oid = objoid
        UNION ALL
        SELECT concat_ws(' ', nspname, nspowner, nspacl) FROM pg_namespace JOIN own USING (oid)
        UNION ALL
        SELECT concat_ws(' ', defaclrole, defaclobjtype, defaclacl) FROM pg_default_acl
        UNION ALL
        SELECT concat_ws(' ', extname, extversion, extnamespace) FROM pg_extension
        UNION ALL
        SELECT concat_ws(' ', datdba, datacl, datconnlimit) FROM pg_database
        WHERE datname = current_database()
        UNION ALL
        SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL
        SELECT lomowner::text FROM pg_largeobject_metadata
        UNION ALL
        SELECT s::text FROM mirpipe.schema_file s
        UNION ALL
        SELECT v::text FROM public.schema_version v
    )
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM line
"""


def fingerprint(embedded: EmbeddedPostgres, name: str) -> str:
    """Return a hash of the database's schema, privileges and settings."""
    with closing(embedded.connect(name)) as connection, connection.cursor() as sql:
        return _fingerprint(sql)


def empty(embedded: EmbeddedPostgres, name: str, expected: str) -> bool:
    """Delete all rows. Return whether the database is then like a new one.

    `expected` is the fingerprint of a new database.
    """
    try:
        with closing(embedded.connect(name)) as connection, connection.cursor() as sql:
            for statement in (_END_SESSIONS, _DROP_ADDED, _DELETE_ROWS):
                sql.execute(statement)
            return _fingerprint(sql) == expected
    except psycopg2.Error:  # The test changed the schema or deleted it.
        return False


def _fingerprint(sql: extensions.cursor) -> str:
    sql.execute(_FINGERPRINT)
    row = sql.fetchone()
    assert row is not None
    return str(row[0])
