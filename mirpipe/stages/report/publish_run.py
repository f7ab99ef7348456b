"""One transaction: a run where anything changed since the last one, else its confirmation."""

from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.advisory_locks import exclusive
from mirpipe.db.engine import engine
from mirpipe.db.store import embedding_maps, metric_series, runs
from mirpipe.stages.report.clip_set_distances import insert_sets
from mirpipe.stages.report.metric_summaries import summarise
from mirpipe.stages.report.paired_comparisons import compare_all
from mirpipe.stages.report.ranking_quality import insert_rankings
from mirpipe.stages.report.z_and_percentile_scales import insert_background


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
            insert_background(connection, run_id, encoder_id)
            embedding_maps.draw(connection, run_id, encoder_id)
        measure(connection, run_id)
        insert_rankings(connection, run_id)
        insert_sets(connection, run_id)
    return ReportResult(run_id, changed=True)


def measure(connection: Connection, run_id: int) -> None:
    """Stores what there is to say in numbers of the answers and clips that are served now."""
    series = [*metric_series.answers(connection), *metric_series.clips(connection)]
    summarise(connection, run_id, series)
    compare_all(connection, run_id, series)


def _snapshot() -> Connection:
    return engine("app").connect().execution_options(isolation_level="REPEATABLE READ")
