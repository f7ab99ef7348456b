"""Reads the clip set of each mode, and stores the distances (KAD, FAD∞) of a run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.records import Float64, Int64


@dataclass(frozen=True)
class ClipSet:
    """The distinct clips that a configured generator made in one mode with one guidance."""

    generator_id: int
    mode: str
    guidance: float | None
    """Guidance scale. None if the generator has none."""
    track_ids: Int64
    """Track ids of the clips, in the order of their content hashes, shape (n,)."""
    seconds: Float64
    """Durations of the clips, in seconds, shape (n,)."""


@dataclass(frozen=True)
class SetDistance:
    """A row of the table `run_set_distance`: the distance of one clip set in one encoder space."""

    generator_id: int
    mode: str
    guidance: float | None
    encoder_id: int
    """Id of the encoder whose vectors were compared."""
    metric: str
    """Name of the distance: `kad` or `fad_inf`."""
    value: float | None
    reason: str | None
    """Code of the reason why the value is missing."""
    n: int
    """Number of clips."""
    references_n: int
    """Number of references."""
    seconds: float
    """Total duration of the clips, in seconds."""
    bandwidth: float | None
    """Bandwidth of the KAD kernel. None for FAD∞."""
    bias: float | None
    """Mean FAD∞ of sets with the references' distribution. None for KAD, which has no bias."""
    bias_high: float | None
    """Largest FAD∞ of such sets."""
    is_finding: bool
    """Whether there are enough clips, and FAD∞ is larger than `bias_high`."""


_CLIPS = text("""
    SELECT generator_id, mode, guidance, array_agg(track_id ORDER BY content_sha256) AS track_ids,
        array_agg(seconds ORDER BY content_sha256) AS seconds
    FROM (
        SELECT DISTINCT w.generator_id, w.mode, w.guidance, c.track_id, c.content_sha256, c.seconds
        FROM mirpipe.wanted_clip w JOIN mirpipe.track c ON c.track_id = w.track_id
        WHERE w.is_shown
    ) clips
    GROUP BY generator_id, mode, guidance ORDER BY generator_id, mode, guidance
""")
_WITH_VECTOR = text(
    "SELECT track_id FROM mirpipe.embedding "
    "WHERE encoder_id = :encoder_id AND track_id = ANY(:track_ids)"
)
_INSERT = text(
    "INSERT INTO mirpipe.run_set_distance (run_id, generator_id, mode, guidance, encoder_id, "
    "metric, value, reason, n, references_n, seconds, bandwidth, bias, bias_high, is_finding) "
    "VALUES (:run_id, "
    ":generator_id, :mode, :guidance, :encoder_id, :metric, :value, :reason, :n, :references_n, "
    ":seconds, :bandwidth, :bias, :bias_high, :is_finding)"
)


def read_clip_sets(connection: Connection) -> list[ClipSet]:
    """Return the clips that enter the results, by generator, mode and guidance."""
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


def clips_with_vector(connection: Connection, encoder_id: int, clips: ClipSet) -> ClipSet:
    """Return the clips in the set that have a vector from this encoder."""
    parameters = {"encoder_id": encoder_id, "track_ids": clips.track_ids.tolist()}
    ids_with_vector = list(connection.execute(_WITH_VECTOR, parameters).scalars())
    has_vector = np.isin(clips.track_ids, ids_with_vector)
    return ClipSet(
        clips.generator_id,
        clips.mode,
        clips.guidance,
        clips.track_ids[has_vector],
        clips.seconds[has_vector],
    )


def insert_distances(connection: Connection, run_id: int, rows: Sequence[SetDistance]) -> None:
    """Store the distances of a run."""
    if rows:
        connection.execute(_INSERT, [{"run_id": run_id, **asdict(row)} for row in rows])
