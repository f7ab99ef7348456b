"""Tracks: one row a content and collection, usable as long as a file holds it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from mirpipe.records import Collection, Track

_TRACKS = text(
    "SELECT t.track_id, t.collection, t.content_sha256, t.title, t.seconds, t.rms_dbfs, f.path "
    "FROM mirpipe.track t CROSS JOIN LATERAL (SELECT path FROM mirpipe.track_file f "
    "WHERE f.track_id = t.track_id AND f.gone_at IS NULL ORDER BY path LIMIT 1) f "
    "WHERE t.track_id = ANY(:track_ids) AND t.state = 'ok' ORDER BY t.track_id"
)
_KNOWN = text(
    "SELECT track_id, collection, state, content_sha256, format, seconds, sample_rate, channels, "
    "rms_dbfs FROM mirpipe.track WHERE content_sha256 = ANY(:hashes) AND seconds IS NOT NULL "
    "AND rms_dbfs IS NOT NULL ORDER BY track_id"
)
# Title and labels of a track that is there already are `relabel`'s.
_WRITE = text(
    "INSERT INTO mirpipe.track (collection, content_sha256, title, labels, format, seconds, "
    "sample_rate, channels, rms_dbfs, state) VALUES (:collection, :content_sha256, :title, "
    "CAST(:labels AS jsonb), :format, :seconds, :sample_rate, :channels, :rms_dbfs, 'ok') "
    "ON CONFLICT (collection, content_sha256) DO NOTHING"
)
_IDS = text(
    "SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = ANY(:hashes)"
)
_SETTLE = text(
    "WITH found AS (SELECT t.track_id, CASE WHEN EXISTS (SELECT FROM mirpipe.track_file f "
    "WHERE f.track_id = t.track_id AND f.gone_at IS NULL) THEN 'ok' ELSE 'gone' END AS state "
    "FROM mirpipe.track t WHERE t.track_id = ANY(:track_ids) AND t.state <> 'rejected' "
    "ORDER BY t.track_id FOR UPDATE) "
    "UPDATE mirpipe.track t SET state = found.state, changed_at = now() FROM found "
    "WHERE t.track_id = found.track_id AND t.state <> found.state RETURNING t.state"
)
_RELABEL = text(
    "UPDATE mirpipe.track t SET title = new.title, labels = new.labels, changed_at = now() "
    "FROM unnest(CAST(:track_ids AS bigint[]), CAST(:titles AS text[]), "
    "CAST(CAST(:labels AS text[]) AS jsonb[])) AS new (track_id, title, labels) "
    "WHERE t.track_id = new.track_id AND (t.title, t.labels) IS DISTINCT FROM "
    "(new.title, new.labels)"
)

# A sum needs no order, so that this stays cheap however large the library is.
_FINGERPRINT = text(
    "SELECT concat_ws(' ', count(*), sum(hashtextextended(concat_ws(' ', collection, "
    "encode(content_sha256, 'hex'), state, title, labels), 0))) FROM mirpipe.track "
    "WHERE collection <> 'generated'"
)


@dataclass(frozen=True)
class NewTrack:
    """What ingest found out about a content."""

    content_sha256: bytes
    title: str
    labels: Mapping[str, str]
    format: str
    seconds: float
    sample_rate: int
    channels: int
    rms_dbfs: float


@dataclass(frozen=True)
class KnownTrack:
    """A content that was measured before, in this collection or another."""

    track_id: int
    collection: Collection
    state: str
    content_sha256: bytes
    format: str
    seconds: float
    sample_rate: int
    channels: int
    rms_dbfs: float


def tracks(connection: Connection, track_ids: Sequence[int]) -> list[Track]:
    """Those of the tracks that are usable, each with a file that holds it, in order of id."""
    return [
        Track(
            track_id=row.track_id,
            collection=row.collection,
            content_sha256=bytes(row.content_sha256),
            title=row.title,
            path=Path(os.fsdecode(bytes(row.path))),
            seconds=row.seconds,
            rms_dbfs=row.rms_dbfs,
        )
        for row in connection.execute(_TRACKS, {"track_ids": list(track_ids)})
    ]


def fingerprint(connection: Connection) -> str:
    """Equal for libraries whose tracks, their states, titles and labels are equal; empty: "0".

    What was generated is no part of the library.
    """
    return str(connection.execute(_FINGERPRINT).scalar_one())


def known(connection: Connection, hashes: Sequence[bytes]) -> list[KnownTrack]:
    """The tracks of any collection and state that have one of these contents."""
    return [
        KnownTrack(**(row | {"content_sha256": bytes(row["content_sha256"])}))
        for row in map(dict, connection.execute(_KNOWN, {"hashes": list(hashes)}).mappings())
    ]


def write(connection: Connection, collection: Collection, new: Sequence[NewTrack]) -> set[int]:
    """Stores contents that are not there yet; the ids of all of them."""
    for track in sorted(new, key=lambda track: track.content_sha256):
        row = asdict(track) | {"collection": collection, "labels": json.dumps(dict(track.labels))}
        connection.execute(_WRITE, row)
    asked = {"collection": collection, "hashes": [track.content_sha256 for track in new]}
    return set(connection.execute(_IDS, asked).scalars())


def settle(connection: Connection, track_ids: set[int]) -> tuple[int, int]:
    """Brings the tracks' state in line with their files; how many came back and how many went."""
    states = list(connection.execute(_SETTLE, {"track_ids": sorted(track_ids)}).scalars())
    return states.count("ok"), states.count("gone")


def relabel(connection: Connection, labels: Mapping[int, tuple[str, Mapping[str, str]]]) -> int:
    """Gives tracks, by id, a title and labels; how many had others before."""
    ids = sorted(labels)
    changed = connection.execute(
        _RELABEL,
        {
            "track_ids": ids,
            "titles": [labels[track_id][0] for track_id in ids],
            "labels": [json.dumps(dict(labels[track_id][1])) for track_id in ids],
        },
    )
    return changed.rowcount
