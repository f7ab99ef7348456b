"""Neighbour lists: what `retrieve` keeps of every target.

A list holds every usable reference at or above its horizon, a (cosine, content hash), and at most
`KEPT` of them. A NULL horizon says that it holds every usable reference there is. The target's
own content is never in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.records import Collection, Float64, Int64

KEPT = 50
SERVED = 10
"""A list that falls below this many is searched anew."""


@dataclass(frozen=True)
class Encoder:
    """A revision whose lists are kept up to date: it is wanted, or it answers."""

    encoder_id: int
    name: str
    revision: str


@dataclass(frozen=True)
class References:
    """Live references in the order of ties: by content hash."""

    track_ids: Int64
    hashes: NDArray[np.bytes_]

    def order_of(self, hashes: NDArray[np.bytes_]) -> Int64:
        """The place of each hash, -1 where no reference has it."""
        places = np.searchsorted(self.hashes, hashes)
        found = places < len(self.hashes)
        found[found] = self.hashes[places[found]] == hashes[found]
        return np.where(found, places, -1)

    def last_up_to(self, hashes: NDArray[np.bytes_]) -> Int64:
        """The place of the last reference whose hash is not above each of these."""
        return np.searchsorted(self.hashes, hashes, side="right") - 1


@dataclass(frozen=True)
class Lists:
    """Targets that have a list, and how far down it is complete (-inf: all the way)."""

    target_ids: Int64
    hashes: NDArray[np.bytes_]
    horizon_cosine: Float64
    horizon_hash: NDArray[np.bytes_]


_KEPT_UP = text("""
    SELECT encoder_id, name, revision FROM mirpipe.encoder e
    WHERE (wanted OR EXISTS (SELECT FROM mirpipe.serving_revision s
        WHERE s.encoder_id = e.encoder_id))
      AND (CAST(:names AS text[]) IS NULL OR name = ANY(:names))
    ORDER BY name, encoder_id
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('mirpipe.retrieve', :encoder_id))")
_LIVE = text("""
    SELECT track_id, t.content_sha256 FROM mirpipe.embedding e JOIN mirpipe.track t USING (track_id)
    WHERE e.encoder_id = :encoder_id AND e.collection = :collection AND t.state = 'ok'
      AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids))
    ORDER BY t.content_sha256
""")
_LISTS = text("""
    SELECT s.target_id, t.content_sha256, s.horizon_cosine, s.horizon_sha256
    FROM mirpipe.neighbour_state s JOIN mirpipe.track t ON t.track_id = s.target_id
    WHERE s.encoder_id = :encoder_id
      AND (CAST(:target_ids AS bigint[]) IS NULL OR s.target_id = ANY(:target_ids))
    ORDER BY s.target_id
""")
_DROP_REFERENCES = text(
    "DELETE FROM mirpipe.neighbour WHERE encoder_id = :encoder_id AND reference_id = ANY(:ids)"
)
_DROP_ENTRIES = text(
    "DELETE FROM mirpipe.neighbour WHERE encoder_id = :encoder_id AND target_id = ANY(:ids)"
)
_DROP_LISTS = text(
    "DELETE FROM mirpipe.neighbour_state WHERE encoder_id = :encoder_id AND target_id = ANY(:ids)"
)
_START_LISTS = text(
    "INSERT INTO mirpipe.neighbour_state (encoder_id, target_id) "
    "SELECT :encoder_id, unnest(CAST(:ids AS bigint[]))"
)
_TRIM = text("""
    WITH ranked AS MATERIALIZED (
        SELECT n.target_id, n.reference_id, n.cosine, r.content_sha256,
            row_number() OVER (
                PARTITION BY n.target_id ORDER BY n.cosine DESC, r.content_sha256) AS rank
        FROM mirpipe.neighbour n JOIN mirpipe.track r ON r.track_id = n.reference_id
        WHERE n.encoder_id = :encoder_id AND n.target_id = ANY(:target_ids)
    ), cut AS (
        DELETE FROM mirpipe.neighbour n USING ranked r
        WHERE n.encoder_id = :encoder_id AND n.target_id = r.target_id
          AND n.reference_id = r.reference_id AND r.rank > :kept)
    UPDATE mirpipe.neighbour_state s
    SET horizon_cosine = r.cosine, horizon_sha256 = r.content_sha256
    FROM ranked r
    WHERE s.encoder_id = :encoder_id AND s.target_id = r.target_id
      AND r.rank = :kept
""")
_FORGET = (
    text("DELETE FROM mirpipe.neighbour WHERE encoder_id = :encoder_id"),
    text("DELETE FROM mirpipe.neighbour_state WHERE encoder_id = :encoder_id"),
)
_SHORT = text("""
    SELECT s.target_id FROM mirpipe.neighbour_state s
    WHERE s.encoder_id = :encoder_id AND s.horizon_cosine IS NOT NULL
      AND (SELECT count(*) FROM mirpipe.neighbour n
        WHERE n.encoder_id = s.encoder_id AND n.target_id = s.target_id) < :served
    ORDER BY s.target_id
""")


def kept_up(connection: Connection, names: Sequence[str] | None = None) -> list[Encoder]:
    """Revisions, of these names where given, whose lists are kept up to date."""
    asked = None if names is None else list(names)
    return [Encoder(*row) for row in connection.execute(_KEPT_UP, {"names": asked})]


def lock(connection: Connection, encoder_id: int) -> None:
    """Until the transaction ends, this one alone changes the lists; waits for another."""
    connection.execute(_LOCK, {"encoder_id": encoder_id})


def references(
    connection: Connection, encoder_id: int, track_ids: Sequence[int] | None = None
) -> References:
    """Live references of the revision, of `track_ids` where given."""
    return References(*_live(connection, encoder_id, "reference", track_ids))


def targets(connection: Connection, encoder_id: int) -> Int64:
    """Ids of the live targets of the revision, by content hash."""
    return _live(connection, encoder_id, "target", None)[0]


def lists(
    connection: Connection, encoder_id: int, target_ids: Sequence[int] | None = None
) -> Lists:
    """The lists that there are, of `target_ids` where given, by target."""
    asked = None if target_ids is None else list(target_ids)
    rows = connection.execute(_LISTS, {"encoder_id": encoder_id, "target_ids": asked}).all()
    return Lists(
        np.array([row.target_id for row in rows], np.int64),
        _hashes([row.content_sha256 for row in rows]),
        np.array([-np.inf if row[2] is None else row[2] for row in rows], np.float64),
        _hashes([b"\xff" * 32 if row[3] is None else row[3] for row in rows]),
    )


def drop_references(connection: Connection, encoder_id: int, track_ids: Sequence[int]) -> int:
    """Takes these references out of every list; returns how many entries went."""
    return connection.execute(
        _DROP_REFERENCES, {"encoder_id": encoder_id, "ids": list(track_ids)}
    ).rowcount


def drop_lists(connection: Connection, encoder_id: int, target_ids: Sequence[int]) -> None:
    """Removes the lists of these targets."""
    for statement in (_DROP_ENTRIES, _DROP_LISTS):
        connection.execute(statement, {"encoder_id": encoder_id, "ids": list(target_ids)})


def start_lists(connection: Connection, encoder_id: int, target_ids: Sequence[int]) -> None:
    """Gives these targets, which have none, an empty list, ready to admit every reference."""
    connection.execute(_START_LISTS, {"encoder_id": encoder_id, "ids": list(target_ids)})


def admit(
    connection: Connection,
    encoder_id: int,
    target_ids: Int64,
    reference_ids: Int64,
    cosines: Float64,
) -> None:
    """Adds entries to lists, then trims those that are full and raises their horizon."""
    binary_copy.copy_rows(
        connection,
        "mirpipe.neighbour",
        ["encoder_id", "target_id", "reference_id", "cosine"],
        [np.full(len(target_ids), encoder_id), target_ids, reference_ids, cosines],
    )
    connection.execute(
        _TRIM,
        {"encoder_id": encoder_id, "target_ids": np.unique(target_ids).tolist(), "kept": KEPT},
    )


def short_lists(connection: Connection, encoder_id: int) -> list[int]:
    """Targets whose list has fallen below what is served while there may be more below it."""
    return list(connection.execute(_SHORT, {"encoder_id": encoder_id, "served": SERVED}).scalars())


def forget(connection: Connection, encoder_id: int) -> None:
    """Removes every list of the revision."""
    for statement in _FORGET:
        connection.execute(statement, {"encoder_id": encoder_id})


def _live(
    connection: Connection,
    encoder_id: int,
    collection: Collection,
    track_ids: Sequence[int] | None,
) -> tuple[Int64, NDArray[np.bytes_]]:
    asked = None if track_ids is None else list(track_ids)
    rows = connection.execute(
        _LIVE, {"encoder_id": encoder_id, "collection": collection, "track_ids": asked}
    ).all()
    return np.array([row[0] for row in rows], np.int64), _hashes([row[1] for row in rows])


def _hashes(values: Sequence[bytes]) -> NDArray[np.bytes_]:
    return np.array([bytes(value) for value in values], "S32")
