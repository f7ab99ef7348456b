"""`mirpipe db`: the database by hand."""

import json
import shutil
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import URL, make_url

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import database_url
from mirpipe.db.psql import become_psql, psql_url
from mirpipe.db.roles import Role
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings

HELP = """
The Postgres in which every number ends.

One with pgvector comes with mirpipe and keeps its data below MIRPIPE_HOME.
It starts when a command needs it, outlives that command, and survives kill -9
and power cuts. Set MIRPIPE_DATABASE_URL to use a server of your own, with
pgvector 0.8.4 or newer.

\b
  mirpipe db up                        start it, bring the schema up to date
  mirpipe db psql -c "TABLE v_library" ask, as the role that can only read
  psql "$(mirpipe db url)"             the same with a psql of your own
  mirpipe db up --port 5433            let other programs in, on 127.0.0.1
  mirpipe db down                      stop it; the data stay
  mirpipe db remove                    stop it and delete the data

Roles: reader only reads, for people and the dashboard; app writes rows, for the pipeline; owner
changes the schema, for migrations; airflow has a database of its own beside ours. Their passwords
are in MIRPIPE_HOME/postgres/pgpass, which only you can read.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

Who = Annotated[Role, typer.Option(help="reader, app, owner, or airflow with its own database.")]


@app.command()
def up(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Listen on 127.0.0.1:PORT too, until the next stop."),
    ] = None,
) -> None:
    """Start the embedded server, make what is missing in it, bring the schema up to date.

    Does nothing where that is so already. With MIRPIPE_DATABASE_URL set only the schema is
    brought up to date, on that server.
    """
    if settings().database_url is None:
        server = embedded_server(settings().home, port=port)
        server.up()
        found = server.status()
        print(f"Postgres {found.version} runs as process {found.pid}, its data in {found.data}")
    elif port is not None:
        raise ConfigurationError("--port is for the embedded server; MIRPIPE_DATABASE_URL is set")
    migrate()
    print(f"to read: {_without_password(_url('reader'))}")
    print("         with the password that `mirpipe db url --role reader` prints")


@app.command()
def down() -> None:
    """Stop the embedded server and all its processes; the data stay."""
    _say_whose()
    server = embedded_server(settings().home)
    ran = server.status().pid is not None
    server.down()
    print("Postgres is stopped" if ran else "Postgres was not running")


@app.command()
def remove(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the embedded server of this MIRPIPE_HOME and delete its data, wherever they lie."""
    _say_whose()
    server = embedded_server(settings().home)
    place = server.place
    if not (place.exists() or server.folder.exists()):
        print(f"nothing to delete: there is no {place}")
        return
    if not yes:
        typer.confirm(f"Delete {place} and every number in it?", abort=True)
    server.down()
    for folder in (place, server.folder):  # root's cluster may lie apart from its passwords
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{place} is deleted")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether the embedded server runs and where its data lie; exit status 1: it does not."""
    _say_whose()
    found = embedded_server(settings().home).status()
    if as_json:
        print(json.dumps(asdict(found), default=str))
    elif found.running:
        print(f"Postgres {found.version} runs as process {found.pid}")
        print(f"socket  {found.socket}")
        print(f"port    {found.port or 'none: mirpipe db down, then mirpipe db up --port PORT'}")
        print(f"data    {found.data}")
    else:
        remedy = ": mirpipe db up" if settings().database_url is None else ""
        print("Postgres is starting" if found.pid else f"Postgres is not running{remedy}")
        print(f"data    {found.data}")
    raise typer.Exit(0 if found.running else 1)


@app.command()
def url(role: Who = "reader") -> None:
    """Print a connection string, password included, for psql and anything else.

    SQLAlchemy wants `postgresql+psycopg2://` at its beginning.
    """
    print(_url(role))


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Handed to psql: -c SQL, -f FILE, …")
    ] = None,
    role: Who = "reader",
) -> None:
    """Open psql, the one that comes with mirpipe."""
    become_psql(_url(role), arguments or [])


@app.command()
def provision() -> None:
    """Make mirpipe's roles and databases on a server that is mirpipe's alone, as its superuser.

    MIRPIPE_SUPERUSER_URL names it; MIRPIPE_DATABASE_URL, MIRPIPE_OWNER_URL, MIRPIPE_READER_URL
    and MIRPIPE_AIRFLOW_DATABASE_URL hold the passwords that the roles get. A server that others
    use, too, wants `mirpipe db migrate` alone, which says what a superuser has to run there.
    """
    from mirpipe.db.provision_server import provision_server

    chosen = settings()
    if chosen.superuser_url is None:
        raise ConfigurationError("MIRPIPE_SUPERUSER_URL is not set")
    urls: dict[Role, str | None] = {
        "owner": chosen.owner_url,
        "app": chosen.database_url,
        "reader": chosen.reader_url,
        "airflow": chosen.airflow_database_url,
    }
    provision_server(chosen.superuser_url, urls=urls)
    print("the roles and databases are there; next: mirpipe db migrate")


@app.command()
def migrate() -> None:
    """Bring the schema up to date."""
    from mirpipe.db import migrate as schema

    before = schema.current()
    schema.migrate()
    after = schema.current()
    print(f"schema {after}" + ("" if before == after else f", before: {before or 'empty'}"))


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="0001, -1 for the one before, base for none.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the schema back to a revision; what newer tables held is lost."""
    from mirpipe.db import migrate as schema

    if not yes:
        typer.confirm(f"Lose what the tables newer than {revision} hold?", abort=True)
    schema.downgrade(revision)
    print(f"schema {schema.current() or 'empty'}")


def _without_password(written: str) -> str:
    url = make_url(written)
    return URL.create(
        url.drivername,
        url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.query,
    ).render_as_string()


def _say_whose() -> None:
    if settings().database_url is not None:
        said = "MIRPIPE_DATABASE_URL is set: this is about the embedded server alone, not that one"
        typer.echo(said, err=True)


def _url(role: Role) -> str:
    if role != "airflow" and settings().database_url is not None:
        return psql_url(database_url(role))
    server = embedded_server(settings().home)
    server.up()
    database = "airflow" if role == "airflow" else "mirpipe"
    return server.url(role, database, driver="postgresql", tcp=True)
