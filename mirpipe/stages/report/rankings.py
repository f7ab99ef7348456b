"""Measures the rankings of a run, or takes over those of the latest run if they are still valid.

A full ranking needs all vectors of the library, so in a large library it takes most of the time of
a report. A change of captions, clips or listening tests does not change it.
"""

from sqlalchemy import Connection

from mirpipe.db.store import run_rankings
from mirpipe.db.store.run_csls_and_fusion_matches import mark_same_recordings
from mirpipe.db.store.run_rankings import LatestRankings, RankingInputs
from mirpipe.settings import settings
from mirpipe.stages.report.ranking_quality import insert_ranking_results


def must_be_measured(
    latest: LatestRankings | None, inputs: RankingInputs, *, postponed: bool
) -> bool:
    """Return whether the next run must measure its rankings.

    If only the library has changed and `postponed` is true, MIRPIPE_RANKINGS_HOURS must have
    passed. New encoders, methods and settings are always measured.
    """
    if latest is None:
        return True
    if latest.inputs == inputs:
        return False
    if latest.inputs.method != inputs.method or not postponed:
        return True
    return latest.hours >= settings().rankings_hours


def insert_rankings(
    connection: Connection, run_id: int, latest: LatestRankings | None, inputs: RankingInputs
) -> int:
    """Store the results about rankings of a run, and return the run that measured them.

    `latest` are the rankings to take over, if any.
    """
    if latest is None:
        insert_ranking_results(connection, run_id)
    else:
        run_rankings.take_over_rankings(connection, run_id, from_run=latest.run_id)
        mark_same_recordings(connection, run_id)
    measured_by = run_id if latest is None else latest.measured_by
    run_rankings.record_measurement(connection, run_id, inputs, measured_by=measured_by)
    return measured_by
