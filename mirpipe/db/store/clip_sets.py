"""Sets of generated clips, a generator's mode and guidance each, and how far they lie away."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text


@dataclass(frozen=True)
class ClipSet:
    """The distinct clips that a wanted generator made in one mode, by content hash."""

    generator_id: int
    mode: str
    guidance: float | None
    track_ids: NDArray[np.int64]
    seconds: NDArray[np.float64]


@dataclass(frozen=True)
class SetDistance:
    """A row of run_set_distance."""

    generator_id: int
    mode: str
    guidance: float | None
    encoder_id: int
    metric: str
    value: float | None
    reason: str | None
    n: int
    references_n: int
    seconds: float
    bandwidth: float | None
    is_finding: bool


_CLIPS = text("""
    SELECT generator_id, mode, guidance, array_agg(track_id ORDER BY content_sha256) AS track_ids,
        array_agg(seconds ORDER BY content_sha256) AS seconds
    FROM (
        SELECT DISTINCT g.generator_id, g.mode, g.guidance, c.track_id, c.content_sha256, c.seconds
        FROM mirpipe.generation g
        JOIN mirpipe.generator r ON r.generator_id = g.generator_id AND r.wanted
        JOIN mirpipe.caption USING (caption_id)
        JOIN mirpipe.captioner k ON k.captioner_id = caption.captioner_id AND k.wanted
        JOIN mirpipe.track t ON t.track_id = g.target_id AND t.state = 'ok'
        JOIN mirpipe.track c ON c.track_id = g.track_id AND c.state = 'ok'
        WHERE EXISTS (
            SELECT FROM mirpipe.generation_wish w
            WHERE w.generator_id = g.generator_id AND w.template = g.template
              AND w.is_conditioned = g.is_conditioned)
    ) made
    GROUP BY generator_id, mode, guidance ORDER BY generator_id, mode, guidance
""")
_EMBEDDED = text(
    "SELECT track_id FROM mirpipe.embedding "
    "WHERE encoder_id = :encoder_id AND track_id = ANY(:track_ids)"
)
_WRITE = text(
    "INSERT INTO mirpipe.run_set_distance (run_id, generator_id, mode, guidance, encoder_id, "
    "metric, value, reason, n, references_n, seconds, bandwidth, is_finding) VALUES (:run_id, "
    ":generator_id, :mode, :guidance, :encoder_id, :metric, :value, :reason, :n, :references_n, "
    ":seconds, :bandwidth, :is_finding)"
)


def clip_sets(connection: Connection) -> list[ClipSet]:
    """All sets of the wanted generators, as v_generation_score knows their clips."""
    return [
        ClipSet(
            row.generator_id,
            row.mode,
            row.guidance,
            np.array(row.track_ids, np.int64),
            np.array(row.seconds, np.float64),
        )
        for row in connection.execute(_CLIPS)
    ]


def embedded(connection: Connection, encoder_id: int, clips: ClipSet) -> ClipSet:
    """Those of the clips that have a vector of this encoder."""
    asked = {"encoder_id": encoder_id, "track_ids": clips.track_ids.tolist()}
    there = np.isin(clips.track_ids, list(connection.execute(_EMBEDDED, asked).scalars()))
    return ClipSet(
        clips.generator_id,
        clips.mode,
        clips.guidance,
        clips.track_ids[there],
        clips.seconds[there],
    )


def write(connection: Connection, run_id: int, rows: Sequence[SetDistance]) -> None:
    """Stores rows of a run."""
    if rows:
        connection.execute(_WRITE, [{"run_id": run_id, **asdict(row)} for row in rows])
