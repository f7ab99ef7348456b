"""Report: publishes the present answers as a run, in one transaction that readers see whole."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.locks import exclusive
from mirpipe.db.store import background, generations, runs

BACKGROUND_QUANTILES = 1001
"""Resolution of percentile: a tenth of a percent."""


@dataclass(frozen=True)
class ReportResult:
    """The run that describes the present state, and whether this report had to make it."""

    run_id: int
    changed: bool


def report(*, trigger: str) -> ReportResult:
    """Makes a run where anything changed since the last one, else confirms the last one.

    `trigger` says in the run's row who asked: a DAG run's id, or "command line".
    """
    with exclusive("report"), _snapshot() as connection, connection.begin():
        runs.switch_revisions(connection)
        digest = runs.stage_answers(connection)
        last = runs.last(connection)
        if last is not None and last[1] == digest:
            runs.confirm(connection, last[0])
            return ReportResult(last[0], changed=False)
        run_id = runs.insert(connection, trigger=trigger, digest=digest)
        for encoder_id in runs.serving(connection):
            _insert_background(connection, run_id, encoder_id)
        runs.summarise(connection, run_id)
        generations.summarise(connection, run_id)
    return ReportResult(run_id, changed=True)


def _snapshot() -> Connection:
    return engine("app").connect().execution_options(isolation_level="REPEATABLE READ")


def _insert_background(connection: Connection, run_id: int, encoder_id: int) -> None:
    spread = background.background(connection, encoder_id)
    sample = background.reference_pairs(connection, encoder_id)
    scale = sample
    if len(sample) > BACKGROUND_QUANTILES:
        scale = np.quantile(sample, np.linspace(0, 1, BACKGROUND_QUANTILES))
    measured = len(spread.target_ids) if spread.n >= 2 else 0  # one reference has no spread
    runs.insert_background(
        connection,
        run_id,
        encoder_id,
        counts={
            "references_n": spread.n,
            "targets_n": len(spread.target_ids),
            "pairs": len(sample),
        },
        cosines=scale,
        targets={
            "target_id": spread.target_ids[:measured],
            "background_n": np.full(measured, spread.n),
            "background_mean": spread.mean[:measured],
            "background_sd": spread.sd[:measured],
        },
    )
