"""Processes of every kind are killed, and the next run still has the correct results."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from tests.e2e.conftest import Installation, Up
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]


def stages(installation: Installation) -> list[psutil.Process]:
    """Return the processes in which a stage is running."""
    return [
        process
        for process in installation.processes()
        if "mirpipe.cli.main" in process.cmdline() and "--json" in process.cmdline()
    ]


def scheduler(up: Up) -> psutil.Process:
    children = psutil.Process(up.process.pid).children()
    (process,) = [child for child in children if "scheduler" in " ".join(child.cmdline())]
    return process


def test_the_digest_is_the_same_after_processes_of_every_kind_were_killed(
    undisturbed: tuple[Installation, Up], new_installation: Callable[[], Installation]
) -> None:
    # A dead worker is noticed after one minute instead of five, to save time.
    installation = replace(new_installation(), settings={"MIRPIPE_AIRFLOW_TIMEOUT": "60"})
    _kill_a_worker_then_the_scheduler(installation)
    _kill_postgres(installation)
    last = Up(installation, batch_tracks=5)
    try:
        assert last.wait() == 0, last.text
    finally:
        last.close()
    assert installation.processes() == []
    assert installation.digest() == undisturbed[0].digest()


def _kill_a_worker_then_the_scheduler(installation: Installation) -> None:
    up = Up(installation, batch_tracks=5)
    try:
        up.wait_for(r"evaluate_retrieval: (embed|analyse) \d+ .*runs")
        eventually(lambda: stages(installation), seconds=60)
        stage = stages(installation)[0]
        worker = psutil.Process(stage.parent().ppid())
        # Airflow has no interface that returns its worker processes, but these processes have this
        # title.
        assert "LocalExecutor" in worker.cmdline()[0]
        worker.kill()
        eventually(lambda: not stage.is_running(), seconds=20)
        up.wait_for(r"failed, will be tried again")
        scheduler(up).kill()
        assert up.wait() == 1
    finally:
        up.close()
    assert "scheduler ended by itself" in up.text
    assert installation.processes() == []


def _kill_postgres(installation: Installation) -> None:
    up = Up(installation, batch_tracks=5)
    try:
        up.wait_for(r"evaluate_retrieval: (embed|analyse|retrieve)\b.* runs")
        pid = embedded_server(installation.home).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert up.wait() == 1
    finally:
        up.close()
    assert "Postgres ended by itself" in up.text
    assert installation.processes() == []
