"""Melodies of tracks and scores of pairs: which are missing, and writing a batch of them.

What is there already was made from the same bytes by the same revision and is equal, so writing
it again does nothing. Rows are inserted in order of their keys: two writers cannot deadlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.records import Score

Pair = tuple[int, int]
"""Ids of a target and a reference."""

_PENDING_MELODIES = text(
    "SELECT track_id FROM mirpipe.pending_melody WHERE metric_id = :metric_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_PENDING_PAIRS = text(
    "SELECT target_id, reference_id, count(*) OVER () AS total FROM mirpipe.pending_pair "
    "WHERE metric_id = :metric_id AND melody_id = :melody_id ORDER BY target_id, reference_id"
)
_MELODIES = text(
    "SELECT track_id, frames, pitch_classes, reason FROM mirpipe.melody "
    "WHERE metric_id = :metric_id AND track_id = ANY(:track_ids)"
)
_WRITE_MELODIES = text(
    "INSERT INTO mirpipe.melody "
    "(metric_id, track_id, frames, pitch_classes, voiced_fraction, voiced, reason) "
    "SELECT :metric_id, new.* FROM unnest(CAST(:track_ids AS bigint[]), "
    "CAST(:frames AS integer[]), CAST(:pitch_classes AS bytea[]), "
    "CAST(:voiced_fractions AS double precision[]), CAST(:voiced AS boolean[]), "
    "CAST(:reasons AS text[])) AS new (track_id) ORDER BY new.track_id ON CONFLICT DO NOTHING"
)
_WRITE_PAIRS = text(
    "INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value, reason) "
    "SELECT :metric_id, new.* FROM unnest(CAST(:target_ids AS bigint[]), "
    "CAST(:reference_ids AS bigint[]), CAST(:values AS double precision[]), "
    "CAST(:reasons AS text[])) AS new (target_id, reference_id) "
    "ORDER BY new.target_id, new.reference_id ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class StoredMelody:
    """A row of `melody`: packed pitch classes and their number, or the reason for none."""

    frames: int | None
    pitch_classes: bytes | None
    voiced_fraction: float | None
    voiced: bool | None
    reason: str | None


def pending_melodies(
    connection: Connection, metric_id: int, track_ids: Sequence[int] | None = None
) -> list[int]:
    """Ids of tracks without a melody of this revision, of `track_ids` where given, ascending."""
    asked = None if track_ids is None else list(track_ids)
    return list(
        connection.execute(
            _PENDING_MELODIES, {"metric_id": metric_id, "track_ids": asked}
        ).scalars()
    )


def write_melodies(
    connection: Connection, metric_id: int, melodies: Mapping[int, StoredMelody]
) -> None:
    """Stores melodies by track id."""
    if not melodies:
        return
    rows = list(melodies.values())
    connection.execute(
        _WRITE_MELODIES,
        {
            "metric_id": metric_id,
            "track_ids": list(melodies),
            "frames": [row.frames for row in rows],
            "pitch_classes": [row.pitch_classes for row in rows],
            "voiced_fractions": [row.voiced_fraction for row in rows],
            "voiced": [row.voiced for row in rows],
            "reasons": [row.reason for row in rows],
        },
    )


def pending_pairs(
    connection: Connection, metric_id: int, melody_id: int, *, block: int
) -> Iterator[tuple[list[Pair], int]]:
    """Pairs without a score whose two melodies are there, `block` at a time, and their number.

    Streamed from the server in the caller's transaction: memory does not grow with their number.
    """
    found = connection.execute(
        _PENDING_PAIRS,
        {"metric_id": metric_id, "melody_id": melody_id},
        execution_options={"stream_results": True, "max_row_buffer": block},
    )
    for rows in found.partitions(block):
        yield [(row.target_id, row.reference_id) for row in rows], rows[0].total


def sequences(
    connection: Connection, melody_id: int, track_ids: Sequence[int]
) -> dict[int, tuple[int, bytes] | str]:
    """By track id: the number of frames and their packed pitch classes, or the reason for none."""
    found = connection.execute(_MELODIES, {"metric_id": melody_id, "track_ids": list(track_ids)})
    return {row.track_id: row.reason or (row.frames, bytes(row.pitch_classes)) for row in found}


def write_pairs(connection: Connection, metric_id: int, scores: Mapping[Pair, Score]) -> None:
    """Stores scores by pair."""
    if not scores:
        return
    connection.execute(
        _WRITE_PAIRS,
        {
            "metric_id": metric_id,
            "target_ids": [target for target, _ in scores],
            "reference_ids": [reference for _, reference in scores],
            "values": [score.value for score in scores.values()],
            "reasons": [score.reason for score in scores.values()],
        },
    )
