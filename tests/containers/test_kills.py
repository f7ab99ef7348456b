"""Containers are killed during the main job, and the results are the same as without kills."""

import pytest

from tests.containers import fault_table
from tests.containers.conftest import NOTICED_SOON, started
from tests.containers.engine import Engine
from tests.containers.main_job import (
    digest,
    pending_work,
    start_main_job,
    unsuccessful_tasks,
    wait_for_main_job,
    wait_until_stored,
)
from tests.containers.stack import Stack

KILLS = (
    ("worker", "embedding", 8),
    ("postgres", "melody", 8),
    ("worker", "generation", 1),
)
"""The service to kill once the table contains this number of rows."""


def test_three_kills_do_not_change_the_results(
    engine: Engine,
    version: str,
    undisturbed: Stack,
    undisturbed_digest: str,
    pytestconfig: pytest.Config,
) -> None:
    with undisturbed.paused(), started(engine, version, **NOTICED_SOON) as disturbed:
        start_main_job(disturbed)
        for service, table, rows in KILLS:
            wait_until_stored(disturbed, table, rows)
            disturbed.kill(service)
        wait_for_main_job(disturbed)
        assert unsuccessful_tasks(disturbed) == []
        assert pending_work(disturbed) == []
        effects = [
            f"{service} killed with {rows} rows in {table}" for service, table, rows in KILLS
        ]
        fault_table.add_row(pytestconfig, "three kills", effects, digest(disturbed))
        assert digest(disturbed) == undisturbed_digest
