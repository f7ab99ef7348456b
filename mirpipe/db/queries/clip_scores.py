"""Scores of generated clips: per clip, and averaged over a target's clips in one mode."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_PLACES
from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class ClipScore:
    """The score of one clip by one metric, or the reason why there is none."""

    track_id: int
    """Track id of the clip."""
    metric: str
    value: float | None
    """Value in the unit of the metric. None if the value is missing."""
    reason: str | None
    """Code of the reason why the value is missing. None if there is a value."""


@dataclass(frozen=True)
class TargetScore:
    """The mean score of one target's clips in one mode, by one metric."""

    target_id: int
    target: str
    """Title of the target."""
    generator: str
    mode: str
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has none."""
    metric: str
    value: float | None
    """Mean over all seeds, in the unit of the metric. None if no clip has a value."""
    clips: int
    """Number of clips."""


@dataclass(frozen=True)
class _TargetRow:
    target_id: int
    target: str
    generator: str
    mode: str
    guidance: float | None
    metrics: dict[str, tuple[float | None, int]]


_CLIP_SCORES = text("""
    SELECT DISTINCT track_id, metric, value, reason FROM mirpipe.v_generation_score
    WHERE target_id = :target_id ORDER BY track_id, metric
""")
# All metrics of a target and mode are in one row, because one row per metric would take twice as
# long.
_TARGET_SCORES = """
    SELECT t.track_id AS target_id, t.title AS target, s.generator, s.mode, s.guidance, s.metrics
    FROM (
        SELECT target_id, generator, mode, guidance,
            json_object_agg(metric, json_build_array(value, clips) ORDER BY metric) AS metrics
        FROM (
            SELECT target_id, generator, mode, guidance, metric, avg(value) AS value,
                count(*) AS clips
            FROM {scores}
            GROUP BY target_id, generator, mode, guidance, metric) m
        GROUP BY target_id, generator, mode, guidance) s
    JOIN mirpipe.track t ON t.track_id = s.target_id
    JOIN ({places}) o ON o.generator = s.generator AND o.mode = s.mode
        AND o.guidance IS NOT DISTINCT FROM s.guidance
    ORDER BY t.title, t.track_id, o.place
"""
_OF_ALL = text(_TARGET_SCORES.format(scores="mirpipe.v_generation_score", places=MODE_PLACES))
# The clips are looked up target by target. Otherwise, Postgres lists all wanted clips.
_OF_TARGETS = text(
    _TARGET_SCORES.format(
        scores="""(
        SELECT v.* FROM unnest(CAST(:target_ids AS bigint[])) chosen (target_id)
        CROSS JOIN LATERAL (
            SELECT * FROM mirpipe.v_generation_score c WHERE c.target_id = chosen.target_id
            OFFSET 0) v) by_target""",
        places=MODE_PLACES,
    )
)


def clip_scores(target_id: int) -> list[ClipScore]:
    """Return all scores of a target's clips, sorted by clip and metric."""
    return read_rows(ClipScore, _CLIP_SCORES, target_id=target_id)


def target_scores(target_ids: Sequence[int] | None = None) -> list[TargetScore]:
    """Return the mean scores of all clips by target, mode and metric, sorted by target.

    With `target_ids`, only the clips of these targets are read.
    """
    if target_ids is None:
        rows = read_rows(_TargetRow, _OF_ALL)
    else:
        rows = read_rows(_TargetRow, _OF_TARGETS, target_ids=list(target_ids))
    return [
        TargetScore(
            *(row.target_id, row.target, row.generator, row.mode, row.guidance),
            *(metric, value, clips),
        )
        for row in with_distinct_titles(rows, target="target_id")
        for metric, (value, clips) in row.metrics.items()
    ]
