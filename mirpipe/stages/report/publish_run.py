"""Publishes a run if anything has changed since the latest run, and otherwise confirms that run."""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.challengers.promotion import clips_take_over, encoder_takes_over
from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store import (
    embedding_maps,
    metric_series,
    pair_input_changes,
    run_rankings,
    runs,
    shown_clips,
    shown_matches,
    unsettled_tracks,
)
from mirpipe.db.store.active_clip_revisions import activate_complete_clips
from mirpipe.db.store.active_metrics import activate_complete_metrics
from mirpipe.db.store.active_revisions import activate_complete_revisions, active_encoders
from mirpipe.listening.stored_results import update_results
from mirpipe.metric_settings import require_known_metrics
from mirpipe.settings import settings
from mirpipe.stages.report.clip_set_distances import insert_set_distances
from mirpipe.stages.report.metric_summaries import insert_summaries
from mirpipe.stages.report.paired_comparisons import comparison_method, insert_comparisons
from mirpipe.stages.report.rankings import insert_rankings, must_be_measured
from mirpipe.stages.report.z_and_percentile_scales import insert_scales_of_encoder

_log = logging.getLogger("mirpipe.report")
"""Each part of a report is logged before it starts, because a part may take minutes."""


@dataclass(frozen=True)
class ReportResult:
    """The run that describes the current state, and whether this report published it."""

    run_id: int
    changed: bool
    """True if the run is new. False if nothing has changed since the run was published."""
    trigger: str
    """What started the report that published the run."""
    rankings_run_id: int
    """Run that measured the rankings: this run or an earlier one."""


def report(*, trigger: str, postpone_rankings: bool = True) -> ReportResult:
    """Publish a new run if anything has changed since the latest run; otherwise confirm that run.

    `trigger` is stored with the run and shows what started it: the id of a DAG run, or "command
    line". If `postpone_rankings` is false, rankings of a changed library are measured even if
    MIRPIPE_RANKINGS_HOURS has not passed. Everything is written in one transaction, so readers see
    either the old or the new run. Afterwards, the list of tracks that may have pending work is
    shortened, and the results of listening tests are computed if votes or metrics have changed.
    """
    require_known_metrics()
    with hold_lock("report"):
        result = _publish_or_confirm(trigger, postpone_rankings)
        with engine("app").begin() as connection:
            pair_input_changes.delete_marks(connection)
        with engine("app").begin() as connection:
            unsettled_tracks.delete_complete(connection)
    _log.info("updating the results of listening tests")
    update_results()
    return result


def _publish_or_confirm(trigger: str, postpone_rankings: bool) -> ReportResult:
    with open_snapshot("app") as connection:
        _log.info("looking for changes since the last run")
        activate_complete_revisions(connection, takes_over=encoder_takes_over)
        activate_complete_metrics(connection)
        activate_complete_clips(connection, takes_over=clips_take_over)
        counts = settings().same_recording_counts
        shown_matches.prepare_matches(connection, same_recording_counts=counts)
        method = comparison_method()
        digest = runs.state_digest(connection, method)
        latest = runs.latest_run(connection)
        rankings = run_rankings.latest_rankings(connection)
        inputs = run_rankings.ranking_inputs(connection, method)
        measure = must_be_measured(rankings, inputs, postponed=postpone_rankings)
        is_current = rankings is None or not measure
        if latest is not None and latest.state_digest == digest and is_current:
            runs.confirm_run(connection, latest.run_id)
            measured_by = latest.run_id if rankings is None else rankings.measured_by
            return ReportResult(
                latest.run_id,
                changed=False,
                trigger=latest.trigger,
                rankings_run_id=measured_by,
            )
        run_id = runs.insert_run(
            connection,
            trigger=trigger,
            digest=digest,
            same_recording_counts=counts,
            ranked_targets=settings().ranked_targets,
            primary_retrieval_metric=settings().primary_retrieval_metric,
            primary_generation_metric=settings().primary_generation_metric,
        )
        _log.info("run %s: storing the matches and clips", run_id)
        shown_matches.publish_matches(connection, run_id)
        shown_clips.publish_clips(connection, run_id)
        for encoder in active_encoders(connection):
            _log.info("run %s: computing z, percentiles and the map of %s", run_id, encoder.name)
            insert_scales_of_encoder(connection, run_id, encoder.encoder_id)
            embedding_maps.write_map(connection, run_id, encoder.encoder_id)
        _log.info("run %s: computing averages and comparisons", run_id)
        insert_summaries_and_comparisons(connection, run_id)
        _log.info("run %s: %s the rankings", run_id, "measuring" if measure else "taking over")
        measured_by = insert_rankings(connection, run_id, None if measure else rankings, inputs)
        _log.info("run %s: computing the distances of sets of clips", run_id)
        insert_set_distances(connection, run_id)
    return ReportResult(run_id, changed=True, trigger=trigger, rankings_run_id=measured_by)


def insert_summaries_and_comparisons(connection: Connection, run_id: int) -> None:
    """Store the summaries and comparisons of all currently shown matches and clips."""
    series = [*metric_series.match_series(connection), *metric_series.clip_series(connection)]
    insert_summaries(connection, run_id, series)
    insert_comparisons(connection, run_id, series)
