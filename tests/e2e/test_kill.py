"""Killed in the middle, at every level: run again, it has the results of an undisturbed run."""

import os
import signal
from collections.abc import Callable

import psutil
import pytest

from mirpipe.db.embedded_server import embedded_server
from tests.e2e.conftest import Place, Up
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]


def stages(place: Place) -> list[psutil.Process]:
    """Processes in which a stage runs."""
    return [
        p
        for p in place.processes()
        if "mirpipe.cli.main" in p.cmdline() and "--json" in p.cmdline()
    ]


def scheduler(up: Up) -> psutil.Process:
    children = psutil.Process(up.process.pid).children()
    (found,) = [child for child in children if "scheduler" in " ".join(child.cmdline())]
    return found


def test_killed_at_every_level_it_ends_with_the_same_digest(
    undisturbed: tuple[Place, Up], new_place: Callable[[], Place]
) -> None:
    place = new_place()
    _kill_a_worker_then_the_scheduler(place)
    _kill_postgres(place)
    last = Up(place, batch_tracks=5)
    try:
        assert last.end() == 0, last.text
    finally:
        last.close()
    assert place.processes() == []
    assert place.digest() == undisturbed[0].digest()


def _kill_a_worker_then_the_scheduler(place: Place) -> None:
    up = Up(place, batch_tracks=5)
    try:
        up.wait_for(r"evaluate_retrieval: (embed|analyse) \d+ .*runs")
        eventually(lambda: stages(place), seconds=60)
        stage = stages(place)[0]
        worker = psutil.Process(stage.parent().ppid())
        assert "LocalExecutor" in worker.cmdline()[0]
        worker.kill()
        eventually(lambda: not stage.is_running(), seconds=20)
        up.wait_for(r"failed, will be tried again")
        scheduler(up).kill()
        assert up.end() == 1
    finally:
        up.close()
    assert "scheduler ended by itself" in up.text
    assert place.processes() == []


def _kill_postgres(place: Place) -> None:
    up = Up(place, batch_tracks=5)
    try:
        up.wait_for(r"evaluate_retrieval: (embed|analyse|retrieve)\b.* runs")
        pid = embedded_server(place.home).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert up.end() == 1
    finally:
        up.close()
    assert "Postgres ended by itself" in up.text
    assert place.processes() == []
