"""The last runs, and the best matches that changed in each run."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.settings import settings


@dataclass(frozen=True)
class Run:
    """A published state of all results. All times have a time zone."""

    run_id: int
    finished_at: datetime
    """Time at which the run was published."""
    confirmed_at: datetime
    """Time at which a report last found that nothing had changed since this run."""
    trigger: str
    """What started the report, such as "command line"."""
    library: dict[str, int]
    """Number of tracks by collection and state, with keys such as "reference ok"."""
    changes: dict[str, int]
    """Number of best matches that changed in the run, by cause."""
    vectors: dict[str, dict[str, int]]
    """Numbers of tracks that each encoder had embedded, by collection: "reference" and "target"."""


@dataclass(frozen=True)
class BestMatchChange:
    """A best match, for one target and one encoder, that changed in a run."""

    encoder: str
    target: str
    """Title of the target."""
    previous: str | None
    """Title of the best match before the run. None if there was none."""
    reference: str | None
    """Title of the best match from the run on. None if there is none."""
    cause: str
    """Cause of the change, such as "new reference"."""
    target_id: int
    previous_id: int | None
    """Id of the best match before the run. None if there was none."""
    reference_id: int | None
    """Id of the best match from the run on. None if there is none."""


@dataclass(frozen=True)
class _RunId:
    run_id: int


_PREVIOUS = text("SELECT run_id FROM mirpipe.run ORDER BY run_id DESC OFFSET 1 LIMIT 1")
_RUN_AT = text("SELECT run_id FROM mirpipe.run WHERE run_id = mirpipe.run_at(:moment)")
_RUNS = text("""
    SELECT r.run_id, r.finished_at, r.confirmed_at, r.trigger, r.library, coalesce((
        SELECT jsonb_object_agg(cause, changes) FROM (
            SELECT c.cause, count(*) AS changes FROM mirpipe.v_change c
            WHERE c.run_id = r.run_id GROUP BY c.cause) counted
    ), '{}') AS changes, coalesce((
        SELECT jsonb_object_agg(e.name,
            jsonb_build_object('reference', g.references_n, 'target', g.targets_n) ORDER BY e.name)
        FROM mirpipe.run_encoder g JOIN mirpipe.encoder e USING (encoder_id)
        WHERE g.run_id = r.run_id
    ), '{}') AS vectors
    FROM mirpipe.run r ORDER BY r.run_id DESC LIMIT :limit
""")
_BEST_MATCH_CHANGES = text("""
    SELECT encoder, target, previous, reference, cause, target_id, previous_id,
        reference_id
    FROM mirpipe.v_change
    WHERE run_id = :run_id
    ORDER BY target, target_id, array_position(CAST(:encoder_order AS text[]), encoder), encoder
    LIMIT :limit OFFSET :offset
""")


def run_before(moment: datetime | None) -> int | None:
    """Return the id of the run that readers saw at this time, or None if there was none yet.

    Without a time, return the run before the latest one.
    """
    query = _PREVIOUS if moment is None else _RUN_AT
    return next((row.run_id for row in read_rows(_RunId, query, moment=moment)), None)


def latest_run() -> Run | None:
    """Return the run whose results are shown, or None before the first run."""
    return next(iter(last_runs(limit=1)), None)


def last_runs(*, limit: int = 10) -> list[Run]:
    """Return the last runs, newest first."""
    return read_rows(Run, _RUNS, limit=limit)


def best_match_changes(
    run_id: int, *, limit: int | None = None, offset: int = 0
) -> list[BestMatchChange]:
    """Return the best matches that changed in a run, sorted by target.

    At most `limit` changes are returned, after the first `offset` ones.
    """
    rows = read_rows(
        BestMatchChange,
        _BEST_MATCH_CHANGES,
        run_id=run_id,
        encoder_order=settings().encoders,
        limit=limit,
        offset=offset,
    )
    return with_distinct_titles(
        rows, target="target_id", previous="previous_id", reference="reference_id"
    )
