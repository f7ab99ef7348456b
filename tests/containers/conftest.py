"""Fixtures for tests that build the images and run docker-compose.yml in an engine.

`make test-containers` runs these tests, and no other command does. A session builds the images
once, from this checkout.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mirpipe.settings import PROJECT
from tests.containers import fault_table, main_job
from tests.containers.engine import Engine
from tests.containers.engine import engine as container_engine
from tests.containers.stack import Stack, save_logs
from tests.containers.stack import stack as new_stack
from tests.containers.stand_ins import stand_ins
from tests.containers.work_folder import work_folder

HERE = Path(__file__).parent
LOGS = PROJECT / "var" / "container-logs"
NOTICED_SOON = {"MIRPIPE_AIRFLOW_TIMEOUT": "60", "MIRPIPE_BATCH_TRACKS": "8"}
"""Settings with which a killed worker delays the main job for a minute only."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests in this folder, and give them the time that building images takes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.timeout(3600))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the faults with their digests."""
    fault_table.print_table(config, terminalreporter)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with work_folder() as made:
        yield made


@pytest.fixture(scope="session")
def engine(folder: Path) -> Iterator[Engine]:
    with container_engine(folder) as running:
        yield running


@pytest.fixture(scope="session")
def version(engine: Engine, folder: Path) -> Iterator[str]:
    """Build the image `core`, and return its tag, which is also its version."""
    with stand_ins(engine, folder):
        version = f"0.0.{secrets.randbelow(10**9)}"
        with new_stack(engine, version) as builder:
            builder.compose("build", "init")
        yield version
        if not engine.is_own:
            for target in ("core", "models"):
                engine.try_docker("image", "rm", f"mirpipe-{target}:{version}")


@contextmanager
def started(engine: Engine, version: str, **variables: str) -> Iterator[Stack]:
    """Start a stack. If a test fails, the services' logs are in var/container-logs."""
    with new_stack(engine, version, **variables) as made:
        try:
            made.up()
            yield made
        finally:
            save_logs(made, LOGS / made.name)


@pytest.fixture(scope="session")
def backups(folder: Path) -> Path:
    """A folder for backups, which the user in the containers can write to."""
    made = folder / "backups"
    made.mkdir()
    made.chmod(0o777)
    return made


@pytest.fixture(scope="session")
def undisturbed(engine: Engine, version: str, backups: Path) -> Iterator[Stack]:
    """Yield a stack in which the main job has run over the demo library, with generation."""
    with started(engine, version, BACKUPS_VOLUME=str(backups)) as made:
        main_job.start_main_job(made)
        main_job.wait_for_main_job(made)
        yield made


@pytest.fixture(scope="session")
def undisturbed_digest(undisturbed: Stack, pytestconfig: pytest.Config) -> str:
    digest = main_job.digest(undisturbed)
    fault_table.add_row(pytestconfig, "no fault", ["the main job has run once"], digest)
    return digest
