"""The SQL that creates mirpipe's roles, databases and grants on any Postgres server.

The same statements are run on the embedded server, run by `mirpipe db provision`, and printed for
an administrator. All of them can run again. They change nothing that does not belong to mirpipe.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from psycopg2 import extensions

from mirpipe.db.reader_limits import READER_LIMITS, REVOKE_LARGE_OBJECTS, TEMPORARY_FILE_LIMIT
from mirpipe.db.roles import GROUPS, LOGINS, Account, Role
from mirpipe.db.scram_verifier import scram_verifier
from mirpipe.db.sql_literals import identifier, literal

_IS_SUPERUSER = "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"


@dataclass(frozen=True)
class Statement:
    """One SQL statement of the set-up."""

    sql: str
    """The SQL without a semicolon."""
    database: str | None = None
    """Database in which it must run. None if it can run in every database."""
    returns_sql: bool = False
    """Whether its result contains the statements that are still necessary."""


def provision_statements(accounts: Mapping[Role, Account]) -> list[Statement]:
    """Return the statements in order. Airflow's part is left out if it has no account."""
    owner, database = accounts["owner"].login, accounts["owner"].database
    statements = [*_roles(accounts), *_database(database, owner), *grants_on_database(database)]
    statements += _session_settings(accounts)
    statements += _inside_database(database, owner)
    if airflow := accounts.get("airflow"):
        statements += _database(airflow.database, airflow.login)
        statements += _owner_privileges(airflow.database, airflow.login)
    return statements


def run_statements(
    statements: Iterable[Statement], connect: Callable[[str], extensions.connection]
) -> None:
    """Run the statements. `connect` opens an autocommit connection to a database."""
    remaining = list(statements)
    while remaining:
        database = remaining[0].database
        with closing(connect(database or "postgres")) as connection, connection.cursor() as sql:
            while remaining and remaining[0].database == database:
                run_statement(sql, remaining.pop(0))


def run_statement(sql: extensions.cursor, statement: Statement) -> None:
    """Run one statement, and the statements that it returns."""
    sql.execute(statement.sql)
    if statement.returns_sql:
        for (still_necessary,) in sql.fetchall():
            sql.execute(still_necessary)


def psql_script(statements: Iterable[Statement]) -> str:
    """Return the statements as text for psql."""
    lines, database = [], None
    for statement in statements:
        if statement.database not in (None, database):
            database = statement.database
            lines.append(f"\\connect {identifier(str(database))}")
        lines.append(statement.sql + (" \\gexec" if statement.returns_sql else ";"))
    return "\n".join(lines) + "\n"


def grants_on_database(database: str) -> Iterator[Statement]:
    """Allow app, reader and listener to connect, and app to create temporary tables."""
    name = identifier(database)
    # The pipeline loads rows into a temporary table with COPY.
    yield Statement(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO mirpipe_app")
    yield Statement(f"GRANT CONNECT ON DATABASE {name} TO mirpipe_read, mirpipe_listener")


def _roles(accounts: Mapping[Role, Account]) -> Iterator[Statement]:
    """Create the logins and groups. Passwords are set for mirpipe's own logins and for new ones."""
    logins = {account.login: account.password for account in accounts.values()}
    for group in GROUPS.values():
        if group not in logins:
            yield _unless_role_exists(group, f"CREATE ROLE {identifier(group)}")
    for login, password in logins.items():
        name = identifier(login)
        options = "LOGIN" + (f" PASSWORD {literal(scram_verifier(password))}" if password else "")
        yield _unless_role_exists(login, f"CREATE ROLE {name} {options}")
        if login in LOGINS.values():
            yield Statement(f"ALTER ROLE {name} {options}")
    for role, group in GROUPS.items():
        login = accounts[role].login  # type: ignore[index]  # The keys of GROUPS are roles.
        if login != group:
            yield Statement(f"GRANT {identifier(group)} TO {identifier(login)}")


def _database(database: str, owner: str) -> Iterator[Statement]:
    """Create the database. If it belongs to a login of mirpipe's own, close it for others."""
    name, owner_name = identifier(database), identifier(owner)
    # Only a superuser can create a database for a role of which it is not a member.
    yield _sql_if(
        f"GRANT {owner_name} TO CURRENT_USER",
        f"NOT {_IS_SUPERUSER} AND current_user <> {literal(owner)} "
        f"AND NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal(database)})",
    )
    yield _sql_if(
        f"CREATE DATABASE {name} OWNER {owner_name} ENCODING 'UTF8' TEMPLATE template0",
        f"NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal(database)})",
    )
    if owner in LOGINS.values():
        yield _sql_if(
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC", _belongs_to(literal(database), owner)
        )


def _session_settings(accounts: Mapping[Role, Account]) -> Iterator[Statement]:
    """Set the search path of app and reader, and limit the sessions of a reader."""
    owner, database = accounts["owner"].login, accounts["owner"].database
    app, reader = accounts["app"].login, accounts["reader"].login
    for login in sorted({app, reader} - {owner}):
        # Somebody else's login can have other settings in other databases.
        scope = "" if login in LOGINS.values() else f" IN DATABASE {identifier(database)}"
        prefix = f"ALTER ROLE {identifier(login)}{scope} SET"
        yield Statement(f"{prefix} search_path = mirpipe, public")
        if login == reader != app:
            for setting, value in READER_LIMITS.items():
                yield Statement(f"{prefix} {setting} = {literal(value)}")
            limit = f"{prefix} temp_file_limit = {literal(TEMPORARY_FILE_LIMIT)}"
            yield _sql_if(limit, _IS_SUPERUSER)


def _inside_database(database: str, owner: str) -> Iterator[Statement]:
    """Install pgvector, and allow the owner to create mirpipe's schema and its version table."""
    yield Statement("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public", database)
    yield _sql_if(
        "ALTER EXTENSION vector UPDATE",
        "EXISTS (SELECT FROM pg_available_extensions "
        "WHERE name = 'vector' AND installed_version <> default_version)",
        database,
    )
    yield from _owner_privileges(database, owner)
    yield Statement("GRANT USAGE ON SCHEMA public TO mirpipe_app, mirpipe_read", database)
    if owner in LOGINS.values():
        yield _sql_if(
            REVOKE_LARGE_OBJECTS,
            f"{_IS_SUPERUSER} AND {_belongs_to(literal(database), owner)}",
            database,
        )


def _owner_privileges(database: str, owner: str) -> Iterator[Statement]:
    name, owner_name = identifier(database), identifier(owner)
    yield Statement(f"GRANT CONNECT, CREATE ON DATABASE {name} TO {owner_name}", database)
    yield Statement(f"GRANT USAGE, CREATE ON SCHEMA public TO {owner_name}", database)


def _belongs_to(database: str, owner: str) -> str:
    """Return the condition that the database (a literal) belongs to the owner."""
    return (
        f"EXISTS (SELECT FROM pg_database WHERE datname = {database} "
        f"AND pg_get_userbyid(datdba) = {literal(owner)})"
    )


def _unless_role_exists(role: str, sql: str) -> Statement:
    return _sql_if(sql, f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(role)})")


def _sql_if(sql: str, condition: str, database: str | None = None) -> Statement:
    """Return a query that returns the SQL if the condition holds, otherwise no row."""
    return Statement(f"SELECT {literal(sql)} WHERE {condition}", database, returns_sql=True)
