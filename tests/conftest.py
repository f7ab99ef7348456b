"""What tests share: one embedded Postgres a session, and an empty migrated database a test."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import forget_engines
from mirpipe.db.migrate import migrate
from mirpipe.music.numba_cache import claim_cache
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.databases import Database, database
from tests.support.random_weights import folder_of_weights, require_models_python

pytest_plugins = ["tests.support.servers"]

claim_cache()  # before any test imports numba: tests run side by side, too

_TEMPORARY = Path("/tmp")  # short, so that a socket's path fits
_numbers = itertools.count(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what needs a Postgres or the models' interpreter; begins with what is slow.

    Where tests run side by side, a file that takes minutes would else be alone at the end.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "embedded" in fixtures:
            item.add_marker(pytest.mark.database)
        if "models_python" in fixtures:
            item.add_marker(pytest.mark.models)
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the MIRPIPE_ variables of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("MIRPIPE_")]:
        monkeypatch.delenv(name)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def random_weights_of_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """Settings that give every encoder whose libraries are here random weights; they are set."""
    folder = folder_of_weights() if find_spec("torch") else tmp_path_factory.mktemp("no_weights")
    home = tmp_path_factory.mktemp("home")
    variables = {"MIRPIPE_STAND_INS": str(folder), "MIRPIPE_HOME": str(home)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        settings.cache_clear()
        yield variables


@pytest.fixture(scope="session")
def models_python() -> Path:
    """The models' interpreter; a test without it is skipped, or with CI=true fails."""
    return require_models_python()


@pytest.fixture
def random_weights(
    random_weights_of_session: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of random weights that the settings of this test name."""
    for name, value in random_weights_of_session.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return Path(random_weights_of_session["MIRPIPE_STAND_INS"])


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder of this session that any user can enter; those of killed sessions are cleared."""
    for abandoned in _TEMPORARY.glob("mirpipe-test-*"):
        _clear(abandoned)
    new = Path(tempfile.mkdtemp(prefix="mirpipe-new-", dir=_TEMPORARY))
    new.chmod(0o755)
    with (new / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        folder = new.rename(new.with_name(new.name.replace("new", "test", 1)))
        yield folder
    _clear(folder)


@pytest.fixture(scope="session")
def embedded(short_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running embedded server whose database `mirpipe` is migrated."""
    server = embedded_server(short_folder / "home")
    server.up()
    with closing(server.connect()) as link, link.cursor() as sql:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            sql.execute(f"ALTER SYSTEM SET {setting} = off")
        sql.execute("SELECT pg_reload_conf()")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRPIPE_HOME", str(short_folder / "home"))
        settings.cache_clear()
        migrate()
        forget_engines()
    settings.cache_clear()
    with closing(server.connect()) as link, link.cursor() as sql:
        sql.execute("CREATE DATABASE migrated TEMPLATE mirpipe ALLOW_CONNECTIONS false")
    yield server
    server.down()


@pytest.fixture
def fresh_database(embedded: EmbeddedPostgres) -> Iterator[Database]:
    """An empty database at head, which the settings of this process and of its children name."""
    with database(embedded, f"test_{next(_numbers)}") as made:
        yield made


def _clear(folder: Path) -> None:
    """Stop the servers of a session that is over and remove its folder."""
    try:
        alive = (folder / "alive").open("r+")
    except OSError:  # gone by now, or another user's
        return
    with alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for passwords in (*folder.glob("*/postgres/pgpass"), *folder.glob("*/*/postgres/pgpass")):
            server = embedded_server(passwords.parent.parent)
            server.down()
            shutil.rmtree(
                server.place, ignore_errors=True
            )  # which for root may lie outside of the folder
        shutil.rmtree(folder, ignore_errors=True)
