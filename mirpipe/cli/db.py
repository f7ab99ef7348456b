"""`mirpipe db`: starts, stops, migrates and queries the database."""

import json
import shlex
import shutil
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer
from sqlalchemy import URL, make_url

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.db_index import index
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import database_url
from mirpipe.db.psql import psql_url, replace_process_with_psql
from mirpipe.db.reader_login import require_reader_login
from mirpipe.db.roles import Role
from mirpipe.errors import ConfigurationError
from mirpipe.orchestration.home_lock import hold_lock
from mirpipe.settings import settings

HELP = """
Start, stop and query the database.

mirpipe stores all results in Postgres. It comes with its own server (the embedded server), which
stores its data in MIRPIPE_HOME. Commands start this server when they need it. It keeps running
after the command. No data is lost after kill -9 or a power cut. To use your own server, set
MIRPIPE_DATABASE_URL and run `mirpipe db provision`.

Examples:

\b
    mirpipe db up                         start the server, migrate the schema
    mirpipe db psql -c "TABLE v_library"  run a query with read permission
    psql "$(mirpipe db url)"              the same with your own psql
    mirpipe db up --port 5433             also listen on 127.0.0.1:5433
    mirpipe db down                       stop the server and keep its data
    mirpipe db upgrade                    upgrade the data to a newer Postgres
    mirpipe db index                      index a large library for searches
    mirpipe db remove                     stop the server and delete its data

Roles:

\b
    reader    only reads; for people and the dashboard
    app       reads and writes rows; for the pipeline
    owner     changes the schema; for migrations
    listener  only answers listening tests; for their web pages
    airflow   has its own database

Their passwords are in MIRPIPE_HOME/postgres/pgpass, which only you can read.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

RoleOption = Annotated[
    Role, typer.Option(help="Role of the connection. airflow connects to Airflow's own database.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


@app.command()
def up(
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Also listen on 127.0.0.1:PORT, until the server is stopped."
        ),
    ] = None,
) -> None:
    """Start the server and migrate the schema.

    The first start creates the data, the roles and the databases. If the server is already running
    and the schema is up to date, nothing happens. If MIRPIPE_DATABASE_URL is set, the command only
    migrates the schema on that server.
    """
    if settings().database_url is None:
        server = embedded_server(settings().home, port=port)
        server.up()
        status = server.status()
        print(f"Postgres {status.version} is running as process {status.pid}")
        print(f"data in {status.data}")
    elif port is not None:
        raise ConfigurationError(
            "--port is only for the embedded server, but MIRPIPE_DATABASE_URL is set. Leave out "
            "--port, or unset MIRPIPE_DATABASE_URL."
        )
    migrate()
    try:
        print(f"URL for queries: {_without_password(_url('reader'))}")
    except ConfigurationError as error:
        print(f"There is no URL for queries. {error}")
    else:
        print("`mirpipe db url --role reader` prints this URL with the password")


@app.command()
def down() -> None:
    """Stop the server and keep its data.

    Stops the embedded server and all its processes. Open transactions are rolled back.
    """
    _warn_about_own_server()
    server = embedded_server(settings().home)
    was_running = server.status().pid is not None
    server.down()
    print("Postgres is stopped" if was_running else "Postgres was not running")


@app.command()
def upgrade() -> None:
    """Upgrade the data to the installed major version of Postgres.

    Run this command if `mirpipe db up` says so: a server cannot read data that another major
    version wrote. All roles, databases and settings made with ALTER SYSTEM are copied to new data,
    and the rows of all tables are compared. Only then does the new data take the place of the old.
    The old data is kept: the last line is the command that deletes it. The disk needs space for
    both. The command can be stopped at any time and run again.
    """
    _warn_about_own_server()
    home = settings().home
    home.mkdir(parents=True, exist_ok=True)
    with hold_lock(home), progress_bar("upgrade: tables copied") as progress:
        result = embedded_server(home).upgrade(
            show=partial(typer.echo, err=True), progress=progress
        )
    if result is None:
        print("nothing to upgrade: the data has the installed major version of Postgres")
        return
    print(f"Postgres {result.before} is upgraded to Postgres {result.after}")
    print(f"{result.tables} tables with {result.rows} rows have the same content as before")
    for item in result.left_out:
        print(f"not copied: {item}")
    print(
        f"The old data is no longer used. To delete it: rm -r {shlex.quote(str(result.old_data))}"
    )


@app.command()
def remove(yes: Yes = False) -> None:
    """Stop the server and delete all its data.

    Deletes the data and the passwords of the embedded server in MIRPIPE_HOME.
    """
    _warn_about_own_server()
    server = embedded_server(settings().home)
    cluster_folder = server.cluster_folder
    if not (cluster_folder.exists() or server.folder.exists()):
        print(f"nothing to delete: there is no {cluster_folder}")
        return
    if not yes:
        typer.confirm(f"Delete {cluster_folder} with all results in it?", abort=True)
    server.down()
    # If mirpipe runs as root, the data and the passwords can be in different folders.
    for folder in (cluster_folder, server.folder):
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{cluster_folder} is deleted")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show whether the server is running.

    Shows the process, socket, port and data folder of the embedded server.

    Exit codes:

    \b
        0  the server is running
        1  the server is not running
    """
    _warn_about_own_server()
    server = embedded_server(settings().home).status()
    if as_json:
        print(json.dumps(asdict(server), default=str))
    elif server.running:
        print(f"Postgres {server.version} is running as process {server.pid}")
        print(f"socket  {server.socket}")
        print(
            f"port    {server.port or 'none; run mirpipe db down, then mirpipe db up --port PORT'}"
        )
        print(f"data    {server.data}")
    else:
        remedy = "; run mirpipe db up" if settings().database_url is None else ""
        print("Postgres is starting" if server.pid else f"Postgres is not running{remedy}")
        print(f"data    {server.data}")
    raise typer.Exit(0 if server.running else 1)


@app.command()
def url(role: RoleOption = "reader") -> None:
    """Print the database URL.

    The URL contains the password, and works with psql and most other programs. For SQLAlchemy,
    replace postgresql:// with postgresql+psycopg2://. On your own server, the role reader needs a
    login that can only read.
    """
    print(_url(role))


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments for psql, such as -c SQL or -f FILE.")
    ] = None,
    role: RoleOption = "reader",
) -> None:
    """Open psql, connected to the database.

    This psql is part of mirpipe. On your own server, the role reader needs a login that can only
    read. Without such a login, use --role app.
    """
    replace_process_with_psql(_url(role), arguments or [])


@app.command()
def provision() -> None:
    """Create logins, databases and grants on your own server.

    Prints the SQL that an administrator of the server must run in psql. If MIRPIPE_SUPERUSER_URL is
    set to the URL of a superuser, the command runs the SQL instead. Logins, passwords and databases
    are those in MIRPIPE_DATABASE_URL, MIRPIPE_OWNER_URL, MIRPIPE_READER_URL and
    MIRPIPE_AIRFLOW_DATABASE_URL. The SQL can run again. It contains what Postgres stores of the
    passwords, not the passwords. Other databases and logins on the server are not changed.

    \b
        mirpipe db provision | psql --host=db.example.org --username=postgres
        mirpipe db migrate
    """
    from mirpipe.db.user_server import provision_script, provision_user_server

    superuser_url = settings().superuser_url
    if not superuser_url:
        print(provision_script(), end="")
        typer.echo(
            "An administrator of the server must run this SQL in psql. Run `mirpipe db migrate` "
            "after that.",
            err=True,
        )
        return
    provision_user_server(superuser_url)
    print("The logins, databases and grants exist. Run `mirpipe db migrate` next.")


@app.command()
def migrate() -> None:
    """Migrate tables and views to this version.

    If the schema is up to date, nothing is changed.
    """
    from mirpipe.db import migrate as schema

    before = schema.current()
    schema.migrate()
    after = schema.current()
    print(f"schema {after}" + ("" if before == after else f" (before: {before or 'empty'})"))


@app.command()
def downgrade(
    revision: Annotated[
        str,
        typer.Argument(
            help="A revision such as 0010, -1 for the previous revision, or base to delete all "
            "tables."
        ),
    ],
    yes: Yes = False,
) -> None:
    """Downgrade the tables to an older revision.

    The data of newer tables is deleted, and all views are dropped. `mirpipe db migrate` upgrades to
    the newest revision and creates the views again.
    """
    from mirpipe.db import migrate as schema

    if not yes:
        typer.confirm(f"Delete the data of all tables newer than {revision}?", abort=True)
    schema.downgrade(revision)
    print(f"schema {schema.current() or 'empty'}")


app.command()(index)


def _without_password(url: str) -> str:
    parts = make_url(url)
    return URL.create(
        parts.drivername,
        parts.username,
        host=parts.host,
        port=parts.port,
        database=parts.database,
        query=parts.query,
    ).render_as_string()


def _warn_about_own_server() -> None:
    """Print a warning on stderr if the user has configured a server of their own."""
    if settings().database_url is not None:
        message = "MIRPIPE_DATABASE_URL is set, but this command is only for the embedded server."
        typer.echo(message, err=True)


def _url(role: Role) -> str:
    """Return the role's URL with its password.

    Starts the embedded server if that is used, and creates its schema if it has none and the role
    is app, reader or listener. Raises ConfigurationError for the role reader if its login can do
    more than read.
    """
    is_own_server = settings().database_url is not None
    if role != "airflow":
        if role == "reader" and is_own_server:
            require_reader_login()
        url = psql_url(database_url(role))
        if is_own_server:
            return url
    server = embedded_server(settings().home)
    server.up()
    database = "airflow" if role == "airflow" else "mirpipe"
    return server.url(role, database, driver="postgresql", tcp=True)
