"""Embedded servers that a test may start, stop and kill."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.db.embedded import EmbeddedPostgres

_numbers = itertools.count(1)


@pytest.fixture
def home(short_folder: Path) -> Iterator[Path]:
    """A home that does not exist yet; its server is stopped and its data removed afterwards."""
    path = short_folder / f"home-{next(_numbers)}"
    yield path
    EmbeddedPostgres(path).down()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def _provisioned(short_folder: Path) -> EmbeddedPostgres:
    server = EmbeddedPostgres(short_folder / "provisioned", start_timeout=60)
    server.up()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\n")  # these tests kill processes, not machines
    return server


@pytest.fixture
def server(_provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A stopped server with its roles and databases; a test leaves it usable for the next."""
    _provisioned.down()
    yield _provisioned
    _provisioned.down()
