"""Checks that the reader's login can only read, so that it may run SQL that others wrote.

If the reader has no login of its own, its sessions run SET ROLE mirpipe_read. This prevents
mistakes, but a query can undo it and then has all privileges of the login.
"""

from sqlalchemy import Connection, text

from mirpipe.db.engine import engine
from mirpipe.errors import ConfigurationError

# A session can act as every role that its login is a member of.
_PRIVILEGE = text("""
    WITH role AS (
        SELECT * FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')
    )
    SELECT session_user::text AS login, CASE
        WHEN (SELECT bool_or(rolsuper) FROM role) THEN 'is a superuser'
        WHEN (SELECT bool_or(rolcreaterole) FROM role) THEN 'is allowed to create roles'
        WHEN EXISTS (SELECT FROM pg_database d JOIN role ON role.oid = d.datdba
                     WHERE d.datname = current_database()) THEN 'owns the database'
        ELSE coalesce(
            (SELECT format('has the privileges of %s', rolname) FROM role
             WHERE rolname IN ('mirpipe_app', 'pg_write_all_data', 'pg_read_server_files',
                               'pg_write_server_files', 'pg_execute_server_program')
             ORDER BY rolname LIMIT 1),
            (SELECT format('is allowed to change the table %s', c.relname)
             FROM pg_class c CROSS JOIN role
             WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p')
               AND has_table_privilege(role.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
             ORDER BY c.relname LIMIT 1))
    END AS privilege
""")
REMEDY = (
    "Set MIRPIPE_READER_URL to postgresql://mirpipe_read:PASSWORD@host:port/database and run "
    "`mirpipe db provision`, which prints the SQL that creates this login."
)


def privilege_beyond_reading(connection: Connection) -> str | None:
    """Return what the login of this connection can do besides reading, or None.

    The text starts with the login, such as `postgres is a superuser`.
    """
    login, privilege = connection.execute(_PRIVILEGE).one()
    return None if privilege is None else f"{login} {privilege}"


def require_reader_login() -> None:
    """Raise ConfigurationError if the reader's login can do more than read.

    Raises DatabaseError if the server cannot be reached.
    """
    with engine("reader").connect() as connection:
        privilege = privilege_beyond_reading(connection)
    if privilege is not None:
        raise ConfigurationError(
            "SQL queries need a database login that can only read, but the login "
            f"{privilege}. {REMEDY}"
        )
