"""Preparing a server as its superuser, with the command or the SQL on the how-to page."""

import re
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy import text

from mirpipe.db.engine import close_engines, engine
from mirpipe.db.exclusive_user_server import provision_exclusive_server
from mirpipe.db.migrate import current, migrate
from mirpipe.db.roles import LOGINS, Role
from mirpipe.errors import ConfigurationError
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.passwords import read_passwords
from mirpipe.settings import PROJECT, settings
from tests.support.servers import unprovision

pytestmark = pytest.mark.database

PAGE = (PROJECT / "docs" / "how-to" / "deploy.md").read_text()


@pytest.fixture
def empty(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Yield a running server whose only role is the superuser."""
    provisioned.up()
    unprovision(provisioned)
    yield provisioned
    close_engines()
    unprovision(provisioned)
    provisioned.down()


def urls(server: EmbeddedPostgres) -> dict[Role, str]:
    """Return the URLs that mirpipe will use. Their passwords are not yet set on the server."""

    def url(role: Role) -> str:
        database = "airflow" if role == "airflow" else "mirpipe"
        return re.sub("://[^@]*@", f"://{LOGINS[role]}:new-{role}@", server.url(role, database))

    return {role: url(role) for role in LOGINS}


def superuser_url(server: EmbeddedPostgres) -> str:
    password = read_passwords(server.folder / "pgpass")[SUPERUSER]
    app_url = server.url("app", "postgres")
    return re.sub("://[^@]*@", f"://{SUPERUSER}:{password}@", app_url)


def configure(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, role in (("DATABASE", "app"), ("OWNER", "owner"), ("READER", "reader")):
        monkeypatch.setenv(f"MIRPIPE_{name}_URL", urls(server)[role])  # type: ignore[index]
    settings.cache_clear()
    close_engines()


def require_usable(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrate, write with the app role, read with the reader role, and create an Airflow table."""
    configure(server, monkeypatch)
    migrate()
    assert current() is not None
    with engine("app").begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE loading (n int)"))
        connection.execute(text("UPDATE track SET title = title"))
    with engine("reader").connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == "mirpipe_read"
        assert connection.execute(text("SELECT count(*) FROM v_library")).scalar() == 0
    airflow = psycopg2.connect(urls(server)["airflow"].replace("+psycopg2", ""))
    with closing(airflow), airflow.cursor() as sql:
        sql.execute("CREATE TABLE mine ()")


def test_the_command_creates_everything_and_can_be_repeated(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision_exclusive_server(superuser_url(empty), urls=urls(empty))
    provision_exclusive_server(superuser_url(empty), urls=urls(empty))
    require_usable(empty, monkeypatch)


def test_the_sql_of_the_page_creates_everything(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for name, role in (
        ("MIRPIPE_OWNER", "owner"),
        ("MIRPIPE_APP", "app"),
        ("MIRPIPE_READER", "reader"),
        ("AIRFLOW_DB", "airflow"),
    ):
        block = block.replace(f"{name}_PASSWORD", f"new-{role}")
    before_connect, _, after_connect = block.partition("\\connect mirpipe\n")
    for database, statements in (("postgres", before_connect), ("mirpipe", after_connect)):
        with closing(empty.connect(database)) as connection, connection.cursor() as sql:
            for statement in filter(str.strip, statements.split(";")):
                sql.execute(statement)
    require_usable(empty, monkeypatch)


def test_a_url_with_another_login_or_without_a_password_is_an_error(
    empty: EmbeddedPostgres,
) -> None:
    wrong = urls(empty) | {"app": urls(empty)["reader"]}
    with pytest.raises(ConfigurationError, match="does not have the login mirpipe_app") as caught:
        provision_exclusive_server(superuser_url(empty), urls=wrong)
    assert "new-reader" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="no URL with a password for mirpipe_owner"):
        provision_exclusive_server(superuser_url(empty), urls=urls(empty) | {"owner": None})
