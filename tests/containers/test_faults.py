"""Faults during the main job that last longer than a kill. The results are those without faults."""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers import fault_table
from tests.containers.conftest import NOTICED_SOON, started
from tests.containers.engine import Engine
from tests.containers.main_job import (
    digest,
    have_ended,
    pending_work,
    run_again,
    start_main_job,
    stored_rows,
    wait_for_main_job,
    wait_for_progress,
    wait_until_stored,
)
from tests.containers.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

KILLS, SEED = 30, 2026
VICTIMS = (
    *("postgres", "redis", "api-server", "scheduler", "dag-processor", "triggerer", "worker"),
    "dashboard",
)
PAUSE_SECONDS = 120


CONNECT = "import socket; socket.create_connection(('postgres', 5432), 5)"


@pytest.fixture
def effects() -> list[str]:
    """What the test has seen of its fault, for the table of faults."""
    return []


@pytest.fixture
def disturbed(
    engine: Engine,
    version: str,
    undisturbed_digest: str,
    effects: list[str],
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """Yield a stack whose main job has started. At the end, its results must be complete."""
    with started(engine, version, **NOTICED_SOON) as made:
        start_main_job(made)
        yield made
        wait_for_main_job(made)
        if pending_work(made):
            # A task has failed in all its attempts. The next run does what is left.
            run_again(made)
        assert pending_work(made) == []
        fault_table.add_row(request.config, request.node.name, effects, digest(made))
        assert digest(made) == undisturbed_digest


def test_thirty_random_kills(disturbed: Stack, undisturbed: Stack, effects: list[str]) -> None:
    choices = random.Random(SEED)
    complete = stored_rows(undisturbed)
    for share in sorted(choices.uniform(0, 0.9) for _ in range(KILLS)):
        wait_for_progress(disturbed, complete, share)
        assert not have_ended(disturbed)
        service = choices.choice(VICTIMS)
        effects.append(f"{service} killed with {share:.0%} of the results")
        disturbed.kill(service)


def test_a_worker_that_is_paused_for_two_minutes(disturbed: Stack, effects: list[str]) -> None:
    wait_until_stored(disturbed, "embedding", 8)
    disturbed.engine.docker("pause", disturbed.container("worker"))
    wait_for(10)  # The server may still commit what it has received.
    stored = stored_rows(disturbed)
    wait_for(PAUSE_SECONDS)
    assert stored_rows(disturbed) == stored
    disturbed.engine.docker("unpause", disturbed.container("worker"))
    effects.append(f"{sum(stored.values())} rows when it was paused, and no more until its end")


def test_a_network_cut_between_a_worker_and_postgres(disturbed: Stack, effects: list[str]) -> None:
    wait_until_stored(disturbed, "embedding", 8)
    network, worker = f"{disturbed.name}_pipeline", disturbed.container("worker")
    disturbed.engine.docker("network", "disconnect", network, worker)
    wait_for(PAUSE_SECONDS)
    with pytest.raises(AssertionError, match=r"gaierror|timed out|unreachable"):
        disturbed.run("worker", "python", "-c", CONNECT)
    disturbed.engine.docker("network", "connect", "--alias", "worker", network, worker)
    disturbed.run("worker", "python", "-c", CONNECT)
    effects.append("the worker could not reach postgres, and then could again")


def test_an_emptied_redis(disturbed: Stack, effects: list[str]) -> None:
    wait_until_stored(disturbed, "embedding", 8)
    keys = int(disturbed.run("redis", "redis-cli", "dbsize"))
    assert keys > 0
    assert disturbed.run("redis", "redis-cli", "flushall").strip() == "OK"
    effects.append(f"redis lost all of its {keys} keys")


def test_a_full_disk_for_clips(
    engine: Engine,
    version: str,
    undisturbed_digest: str,
    small_disk: Path,
    pytestconfig: pytest.Config,
) -> None:
    variables = NOTICED_SOON | {"CLIPS_VOLUME": str(small_disk)}
    with started(engine, version, **variables) as made:
        start_main_job(made)
        wait_for_main_job(made)
        missing = pending_work(made)
        assert missing != []
        mount_small_disk(small_disk, "remount,size=1g")
        run_again(made)
        assert pending_work(made) == []
        effects = [f"left pending: {missing}", "nothing pending after the disk had room again"]
        fault_table.add_row(pytestconfig, "a full disk for clips", effects, digest(made))
        assert digest(made) == undisturbed_digest


@pytest.fixture
def small_disk(engine: Engine, folder: Path) -> Iterator[Path]:
    """Yield a folder on a file system that has room for a few clips only."""
    if not engine.is_own:
        pytest.skip("the engine may run on another machine, where no disk can be mounted")
    with mounted(folder / "clips") as disk:
        yield disk


@contextmanager
def mounted(disk: Path) -> Iterator[Path]:
    disk.mkdir()
    mount_small_disk(disk, "size=2m,uid=10001,gid=10001")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def mount_small_disk(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)


def wait_for(seconds: float) -> None:
    """Wait while a fault lasts."""
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() > end, seconds=2 * seconds + 10, every=0.5)
