"""A server made ready by its superuser: by the command, or by the SQL of the how-to page."""

import re
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy import text

from mirpipe.db.engine import engine, forget_engines
from mirpipe.db.migrate import current, migrate
from mirpipe.db.provision_server import provision_server
from mirpipe.db.roles import LOGINS, Role
from mirpipe.errors import ConfigurationError
from mirpipe.postgres.embedded import SUPERUSER, EmbeddedPostgres
from mirpipe.postgres.passwords import passwords
from mirpipe.settings import PROJECT, settings
from tests.support.servers import unprovision

pytestmark = pytest.mark.database

PAGE = (PROJECT / "docs" / "how-to" / "deploy.md").read_text()


@pytest.fixture
def empty(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A server with a superuser alone."""
    provisioned.up()
    unprovision(provisioned)
    yield provisioned
    forget_engines()
    unprovision(provisioned)
    provisioned.down()


def urls(server: EmbeddedPostgres) -> dict[Role, str]:
    """What mirpipe is to use: passwords that the server has not heard of."""

    def url(role: Role) -> str:
        database = "airflow" if role == "airflow" else "mirpipe"
        return re.sub("://[^@]*@", f"://{LOGINS[role]}:new-{role}@", server.url(role, database))

    return {role: url(role) for role in LOGINS}


def superuser(server: EmbeddedPostgres) -> str:
    password = passwords(server.folder / "pgpass")[SUPERUSER]
    whole = server.url("app", "postgres")
    return re.sub("://[^@]*@", f"://{SUPERUSER}:{password}@", whole)


def use(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, role in (("DATABASE", "app"), ("OWNER", "owner"), ("READER", "reader")):
        monkeypatch.setenv(f"MIRPIPE_{name}_URL", urls(server)[role])  # type: ignore[index]
    settings.cache_clear()
    forget_engines()


def require_usable(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrates, writes as the pipeline and reads as a reader, who can do no more."""
    use(server, monkeypatch)
    migrate()
    assert current() is not None
    with engine("app").begin() as link:
        link.execute(text("CREATE TEMPORARY TABLE loading (n int)"))
        link.execute(text("UPDATE track SET title = title"))
    with engine("reader").connect() as link:
        assert link.execute(text("SELECT current_user")).scalar() == "mirpipe_read"
        assert link.execute(text("SELECT count(*) FROM v_library")).scalar() == 0
    link = psycopg2.connect(urls(server)["airflow"].replace("+psycopg2", ""))
    with closing(link), link.cursor() as sql:
        sql.execute("CREATE TABLE mine ()")


def test_a_superuser_makes_all_that_is_needed(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision_server(superuser(empty), urls=urls(empty))
    provision_server(superuser(empty), urls=urls(empty))
    require_usable(empty, monkeypatch)


def test_the_sql_of_the_page_is_all_that_is_needed(
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
    before, _, inside = block.partition("\\connect mirpipe\n")
    for database, statements in (("postgres", before), ("mirpipe", inside)):
        with closing(empty.connect(database)) as link, link.cursor() as sql:
            for statement in filter(str.strip, statements.split(";")):
                sql.execute(statement)
    require_usable(empty, monkeypatch)


def test_a_url_that_names_another_role_is_refused(empty: EmbeddedPostgres) -> None:
    wrong = urls(empty) | {"app": urls(empty)["reader"]}
    with pytest.raises(ConfigurationError, match=r"should be mirpipe_app's") as caught:
        provision_server(superuser(empty), urls=wrong)
    assert "new-reader" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="no URL with a password for mirpipe_owner"):
        provision_server(superuser(empty), urls=urls(empty) | {"owner": None})
