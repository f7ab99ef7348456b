"""Fixtures for all tests: an embedded Postgres per session, and a migrated database per test."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from mirpipe.available_cores import available_cores
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import close_engines
from mirpipe.db.migrate import migrate
from mirpipe.music.numba_cache import claim_cache
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.databases import Database, DatabasePool
from tests.support.random_weights import folder_of_weights, require_models_python

pytest_plugins = ["tests.support.servers"]

# The cache must be claimed before any test imports numba, because tests may run in parallel.
claim_cache()

_NO_HOME = "/dev/null/mirpipe"
"""Home of tests that need none. It cannot be created, so a test cannot start a server there."""
_TEMPORARY = Path("/tmp")  # The path is short, because the length of a socket path is limited.


@pytest.hookimpl(optionalhook=True)  # The environment of the models has no xdist.
def pytest_xdist_auto_num_workers() -> int:
    """Run one test file more than there are cores, because some tests wait for servers."""
    return available_cores() + 1


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect the tests that start a container engine only if `-m` selects them by their marker."""
    is_for_containers = collection_path == Path(__file__).parent / "containers"
    return True if is_for_containers and "containers" not in config.option.markexpr else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the servers and libraries that they need, and sort files with slow tests first.

    The files are sorted only if tests run in parallel. Otherwise, a file that takes minutes could
    start last and keep a single process busy.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "embedded" in fixtures:
            item.add_marker(pytest.mark.database)
        if "s3_server" in fixtures:
            item.add_marker(pytest.mark.slow)
        if "models_python" in fixtures:
            item.add_marker(pytest.mark.models)
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _no_user_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the developer's MIRPIPE_ variables, home and terminal width from every test."""
    for name in [name for name in os.environ if name.startswith("MIRPIPE_") or name == "COLUMNS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MIRPIPE_HOME", _NO_HOME)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def random_weights_of_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """Set and return the variables that configure random weights for all installed models."""
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
    """Return the models interpreter. If it does not exist, skip the test, or fail in CI."""
    return require_models_python()


@pytest.fixture
def random_weights(
    random_weights_of_session: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Configure random weights for this test, and return their folder."""
    for name, value in random_weights_of_session.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return Path(random_weights_of_session["MIRPIPE_STAND_INS"])


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """Yield a session folder that all users can enter. Delete the folders of killed sessions."""
    for abandoned in _TEMPORARY.glob("mirpipe-test-*"):
        _delete_abandoned(abandoned)
    new = Path(tempfile.mkdtemp(prefix="mirpipe-new-", dir=_TEMPORARY))
    new.chmod(0o755)
    with (new / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        folder = new.rename(new.with_name(new.name.replace("new", "test", 1)))
        yield folder
    _delete_abandoned(folder)


@pytest.fixture(scope="session")
def embedded(short_folder: Path) -> Iterator[EmbeddedPostgres]:
    """Start an embedded server and migrate its database `mirpipe`."""
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
        close_engines()
    settings.cache_clear()
    with closing(server.connect()) as link, link.cursor() as sql:
        sql.execute("CREATE DATABASE migrated TEMPLATE mirpipe ALLOW_CONNECTIONS false")
    yield server
    server.down()


@pytest.fixture(scope="session")
def database_pool(
    embedded: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> DatabasePool:
    return DatabasePool(embedded, tmp_path_factory.mktemp("filled"))


@pytest.fixture
def fresh_database(database_pool: DatabasePool) -> Iterator[Database]:
    """Yield an empty migrated database, configured for this process and its subprocesses."""
    with database_pool.database() as empty:
        yield empty


def _delete_abandoned(folder: Path) -> None:
    """Stop the servers of a session that has ended, and delete the session's folder."""
    try:
        alive = (folder / "alive").open("r+")
    except OSError:
        # Another process has deleted the folder, or the folder belongs to another user.
        return
    with alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for passwords in (*folder.glob("*/postgres/pgpass"), *folder.glob("*/*/postgres/pgpass")):
            server = embedded_server(passwords.parent.parent)
            server.down()
            # If the tests run as root, the server is stored outside this folder.
            shutil.rmtree(server.cluster_folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
