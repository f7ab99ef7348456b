"""Runs of the past: how the library grew, how each summary moved, and any run against any other."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import MODE_ORDER, rows
from mirpipe.settings import settings

MOST_CHANGES = 10_000
"""Answers that a comparison of two runs lists."""


@dataclass(frozen=True)
class Moment:
    """A run and the usable tracks of that time, by collection."""

    run_id: int
    finished_at: datetime
    trigger: str
    references: int
    targets: int
    clips: int


@dataclass(frozen=True)
class Past:
    """A summary as a run had it; `subject` is the encoder, or generator, mode and guidance.

    `low` and `high` are its 95 % interval over targets; `random` marks random weights.
    """

    run_id: int
    finished_at: datetime
    subject: str
    metric: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    revision: str
    random: bool


@dataclass(frozen=True)
class Moved:
    """A target whose first answer two runs disagree on; None: that run had none.

    `causes` are why the runs between the two changed it, the oldest first, as in
    `v_change`.
    """

    encoder: str
    target: str
    before: str | None
    after: str | None
    cosine_before: float | None
    cosine_after: float | None
    causes: str


_MOMENTS = text("""
    SELECT run_id, finished_at, trigger,
        coalesce((library ->> 'reference ok')::int, 0) AS "references",
        coalesce((library ->> 'target ok')::int, 0) AS targets,
        coalesce((library ->> 'generated ok')::int, 0) AS clips
    FROM mirpipe.run ORDER BY run_id DESC LIMIT :limit
""")
_RETRIEVAL = text("""
    SELECT run_id, finished_at, encoder AS subject, metric, n, mean, low, high, revision, random
    FROM mirpipe.v_retrieval_summary_history
    WHERE CAST(:run_ids AS bigint[]) IS NULL OR run_id = ANY(:run_ids)
    ORDER BY run_id, array_position(CAST(:shown AS text[]), encoder), encoder, metric
""")
_GENERATION = text(f"""
    SELECT run_id, finished_at, concat_ws(' ', generator, mode, '(' || guidance || ')') AS subject,
        metric, n, mean, low, high, revision, random
    FROM mirpipe.v_generation_summary_history
    WHERE CAST(:run_ids AS bigint[]) IS NULL OR run_id = ANY(:run_ids)
    ORDER BY run_id, generator, {MODE_ORDER}, metric
""")
_MOVED = text("""
    WITH served AS (
        SELECT e.name AS encoder, s.target_id, s.reference_id, s.cosine, s.from_run, s.to_run
        FROM mirpipe.served_neighbour s JOIN mirpipe.encoder e USING (encoder_id)
        WHERE s.rank = 1
    ), before AS (
        SELECT * FROM served WHERE from_run <= :before AND (to_run IS NULL OR to_run > :before)
    ), after AS (
        SELECT * FROM served WHERE from_run <= :after AND (to_run IS NULL OR to_run > :after)
    )
    SELECT encoder, t.title AS target, b.title AS before, a.title AS after,
        before.cosine AS cosine_before, after.cosine AS cosine_after,
        coalesce((SELECT string_agg(c.cause, ', ' ORDER BY c.run_id)
            FROM mirpipe.neighbour_change c
            WHERE c.encoder_name = encoder AND c.target_id = t.track_id
                AND c.run_id > least(:before, :after) AND c.run_id <= greatest(:before, :after)
        ), '') AS causes
    FROM before FULL JOIN after USING (encoder, target_id)
    JOIN mirpipe.track t ON t.track_id = target_id
    LEFT JOIN mirpipe.track b ON b.track_id = before.reference_id
    LEFT JOIN mirpipe.track a ON a.track_id = after.reference_id
    WHERE before.reference_id IS DISTINCT FROM after.reference_id
    ORDER BY t.title, t.track_id, array_position(CAST(:shown AS text[]), encoder), encoder
    LIMIT :most
""")


def moments(*, limit: int = 500) -> list[Moment]:
    """The last runs, newest first."""
    return rows(Moment, _MOMENTS, limit=limit)


def retrieval(run_ids: list[int] | None = None) -> list[Past]:
    """The encoders' summaries of these runs, or of all, oldest first."""
    return rows(Past, _RETRIEVAL, run_ids=run_ids, shown=settings().encoders)


def generation(run_ids: list[int] | None = None) -> list[Past]:
    """The modes' summaries of these runs, or of all, oldest first."""
    return rows(Past, _GENERATION, run_ids=run_ids)


def moved(before: int, after: int) -> list[Moved]:
    """First answers that differ between two runs, by target; at most `MOST_CHANGES`."""
    asked = {"before": before, "after": after, "most": MOST_CHANGES}
    return rows(Moved, _MOVED, shown=settings().encoders, **asked)
