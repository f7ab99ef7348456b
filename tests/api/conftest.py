"""A running API with a small library, as a user starts it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database, database
from tests.support.waiting import eventually

TOKEN = "a secret of the tests"


@contextmanager
def running_api(variables: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Start `mirpipe api` with these variables, and yield a client for it."""
    with api_process(variables) as (_process, client):
        yield client


@contextmanager
def api_process(
    variables: Mapping[str, str],
) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Start `mirpipe api` with these variables, and yield its process and a client for it."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("mirpipe"), "api"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIRPIPE_API_PORT": "8650", **variables},
    )
    try:
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert address
        with httpx.Client(base_url=address[0], trust_env=False, timeout=180) as client:
            eventually(lambda: responds(client), seconds=60)
            yield process, client
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def responds(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def library(
    embedded: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database with three references and a target, their vectors by `signal`, and a run."""
    folder = tmp_path_factory.mktemp("music")
    tones(folder / "library", [110, 880, 3000])
    tones(folder / "targets", [890])
    with (
        pytest.MonkeyPatch.context() as patch,
        database(embedded, "api") as filled,
    ):
        patch.setenv("MIRPIPE_ENCODERS", "signal")
        settings.cache_clear()
        ingest_folder(folder / "library", "reference")
        ingest_folder(folder / "targets", "target")
        embed_stage.embed(["signal"], batch_tracks=64)
        retrieve()
        report(trigger="test")
        yield filled
    settings.cache_clear()


@pytest.fixture(scope="module")
def variables(library: Database) -> dict[str, str]:
    """The variables with which a server uses the library."""
    return {name: value for name, value in os.environ.items() if name.startswith("MIRPIPE_")}


@pytest.fixture(scope="module")
def protected(variables: dict[str, str]) -> Iterator[httpx.Client]:
    """A client without the token, for a running API that requires TOKEN."""
    with running_api(variables | {"MIRPIPE_API_TOKEN": TOKEN}) as client:
        yield client


@pytest.fixture(scope="module")
def server(variables: dict[str, str]) -> Iterator[httpx.Client]:
    """A client for a running API without a token."""
    with running_api(variables) as client:
        yield client
