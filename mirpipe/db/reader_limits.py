"""Limits what a reader can do, with session settings and revoked privileges on functions.

The migrations grant a reader only SELECT on tables and views.
"""

READER_LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    # An open transaction keeps the tables locked that it has read, so a migration would wait.
    "idle_in_transaction_session_timeout": "10min",
}
"""Settings that prevent mistakes. Readers can change them, so security depends on the grants."""

TEMPORARY_FILE_LIMIT = "1GB"
"""Limit on a reader's temporary files. Only a superuser can set and change it."""
REVOKE_LARGE_OBJECTS = r"""
DO $$
DECLARE
    signature regprocedure;
BEGIN
    FOR signature IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^lo(_|read$|write$)'
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', signature);
    END LOOP;
END $$
"""
"""SQL that prevents all roles except superusers from calling the functions for large objects.

By default, every role can call them, so that a reader could write to the database. The change
applies to the connected database only.
"""
