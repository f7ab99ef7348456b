"""Past runs: the library size and the summaries in each run."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_ORDER
from mirpipe.db.queries.read_rows import read_rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class PastRun:
    """A run, and the number of usable tracks at the time of the run."""

    run_id: int
    finished_at: datetime
    """Time at which the run was published, with its time zone."""
    trigger: str
    """What started the report, such as "command line"."""
    references: int
    """Number of usable references."""
    targets: int
    """Number of usable targets."""
    clips: int
    """Number of usable clips."""
    same_recording_counts: bool
    """Whether matches that are the same recording as their target count in the run's averages."""
    rankings_run_id: int
    """Run that measured the rankings: this run or an earlier one."""


@dataclass(frozen=True)
class PastSummary:
    """Summary of one metric in one run, for an encoder or a generation mode."""

    run_id: int
    finished_at: datetime
    """Time at which the run was published, with its time zone."""
    subject: str
    """Name of the encoder, or generator, mode and guidance.

    The name ends with "(mean over clips)" for old runs that did not average each target's clips
    first. Such means cannot be compared with means over targets.
    """
    metric: str
    n: int
    """Number of targets in the mean, or of clips if the subject says so."""
    mean: float | None
    """Mean over the targets. None if there are no values."""
    low: float | None
    """Lower end of the mean's 95% interval over targets. None if there is no interval."""
    high: float | None
    """Upper end of the mean's 95% interval over targets. None if there is no interval."""
    revision: str
    """Revision of the encoder or generator in this run."""
    random: bool
    """Whether random weights were used."""


_PAST_RUNS = text("""
    SELECT run_id, finished_at, trigger,
        coalesce((library ->> 'reference ok')::int, 0) AS "references",
        coalesce((library ->> 'target ok')::int, 0) AS targets,
        coalesce((library ->> 'generated ok')::int, 0) AS clips, same_recording_counts,
        coalesce(rankings_run_id, run_id) AS rankings_run_id
    FROM mirpipe.run WHERE CAST(:before AS bigint) IS NULL OR run_id < :before
    ORDER BY run_id DESC LIMIT :limit
""")
_RETRIEVAL = text("""
    SELECT run_id, finished_at, encoder AS subject, metric, n, mean, low, high, revision, random
    FROM mirpipe.v_retrieval_summary_history
    WHERE CAST(:run_ids AS bigint[]) IS NULL OR run_id = ANY(:run_ids)
    ORDER BY run_id, array_position(CAST(:encoder_order AS text[]), encoder), encoder, metric
""")
_GENERATION = text(f"""
    SELECT run_id, finished_at, concat_ws(' ', generator, mode, '(' || guidance || ')',
        CASE averaged_over WHEN 'clips' THEN '(mean over clips)' END) AS subject,
        metric, n, mean, low, high, revision, random
    FROM mirpipe.v_generation_summary_history
    WHERE CAST(:run_ids AS bigint[]) IS NULL OR run_id = ANY(:run_ids)
    ORDER BY run_id, generator, {MODE_ORDER}, metric
""")


def past_runs(*, limit: int = 500, before: int | None = None) -> list[PastRun]:
    """Return the last runs with the library size, newest first. With `before`, only older runs."""
    return read_rows(PastRun, _PAST_RUNS, limit=limit, before=before)


def past_retrieval_summaries(run_ids: list[int] | None = None) -> list[PastSummary]:
    """Return the encoder summaries of these runs, or of all runs, oldest first."""
    return read_rows(PastSummary, _RETRIEVAL, run_ids=run_ids, encoder_order=settings().encoders)


def past_generation_summaries(run_ids: list[int] | None = None) -> list[PastSummary]:
    """Return the generation mode summaries of these runs, or of all runs, oldest first."""
    return read_rows(PastSummary, _GENERATION, run_ids=run_ids)
