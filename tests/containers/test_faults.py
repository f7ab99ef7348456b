"""Faults during the main job that last longer than a kill. The results are those without faults."""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


@pytest.fixture
def disturbed(engine: Engine, version: str, undisturbed_digest: str) -> Iterator[Stack]:
    """Yield a stack whose main job has started. At the end, its results must be complete."""
    with started(engine, version, **NOTICED_SOON) as made:
        start_main_job(made)
        yield made
        wait_for_main_job(made)
        if pending_work(made):
            # A task has failed in all its attempts. The next run does what is left.
            run_again(made)
        assert pending_work(made) == []
        assert digest(made) == undisturbed_digest


def test_thirty_random_kills(disturbed: Stack, undisturbed: Stack) -> None:
    choices = random.Random(SEED)
    complete = stored_rows(undisturbed)
    for share in sorted(choices.uniform(0, 0.9) for _ in range(KILLS)):
        wait_for_progress(disturbed, complete, share)
        assert not have_ended(disturbed)
        service = choices.choice(VICTIMS)
        print(f"{service} killed when {share:.0%} of the results were stored")
        disturbed.kill(service)


def test_a_worker_that_is_paused_for_two_minutes(disturbed: Stack) -> None:
    wait_until_stored(disturbed, "embedding", 8)
    disturbed.engine.docker("pause", disturbed.container("worker"))
    wait_for(PAUSE_SECONDS)
    disturbed.engine.docker("unpause", disturbed.container("worker"))


def test_a_network_cut_between_a_worker_and_postgres(disturbed: Stack) -> None:
    wait_until_stored(disturbed, "embedding", 8)
    network, worker = f"{disturbed.name}_pipeline", disturbed.container("worker")
    disturbed.engine.docker("network", "disconnect", network, worker)
    wait_for(PAUSE_SECONDS)
    disturbed.engine.docker("network", "connect", "--alias", "worker", network, worker)


def test_an_emptied_redis(disturbed: Stack) -> None:
    wait_until_stored(disturbed, "embedding", 8)
    disturbed.run("redis", "redis-cli", "flushall")


def test_a_full_disk_for_clips(
    engine: Engine, version: str, undisturbed_digest: str, small_disk: Path
) -> None:
    variables = NOTICED_SOON | {"CLIPS_VOLUME": str(small_disk)}
    with started(engine, version, **variables) as made:
        start_main_job(made)
        wait_for_main_job(made)
        assert pending_work(made) != []
        mount_small_disk(small_disk, "remount,size=1g")
        run_again(made)
        assert pending_work(made) == []
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
