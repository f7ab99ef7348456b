"""Stores tracks: one row per content and collection. A track is usable while it has a file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import chain
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from mirpipe.files.addresses import parse_address
from mirpipe.records import Collection, ContentKind, MonoMix, Silence, Track

_USABLE = text(
    "SELECT t.track_id, t.collection, t.content_sha256, t.title, t.seconds, t.rms_dbfs, "
    "t.silent_parts, t.silent_share, t.sounding_rms_dbfs, f.path, f.file_sha256, "
    "f.etag, a.mono_channel, a.dc_offset FROM mirpipe.track t "
    "LEFT JOIN mirpipe.track_audio a USING (track_id) "
    "CROSS JOIN LATERAL (SELECT path, file_sha256, etag FROM mirpipe.track_file f "
    "WHERE f.track_id = t.track_id AND f.gone_at IS NULL ORDER BY path LIMIT 1) f "
    "WHERE t.track_id = ANY(:track_ids) AND t.state = 'ok' ORDER BY t.track_id"
)
_KNOWN = (
    "SELECT t.track_id, t.collection, t.state, t.content_sha256, t.content_kind, "
    "t.seconds, t.sample_rate, t.channels, t.rms_dbfs, t.silent_parts, t.silent_share, "
    "t.sounding_rms_dbfs{more} FROM mirpipe.track t "
)
_WITH_CONTENT = text(
    _KNOWN.format(more=", NULL AS format")
    + "WHERE collection = :collection AND content_sha256 = ANY(:hashes) AND seconds IS NOT NULL "
    "AND rms_dbfs IS NOT NULL AND silent_share IS NOT NULL AND has_audio ORDER BY track_id"
)
# Of several tracks with the same file, the one whose audio is identified comes last.
_WITH_FILE = text(
    _KNOWN.format(more=", f.format, f.file_sha256")
    + "JOIN mirpipe.track_file f USING (track_id) WHERE f.file_sha256 = ANY(:hashes) "
    "AND f.format IS NOT NULL AND seconds IS NOT NULL AND rms_dbfs IS NOT NULL "
    "AND silent_share IS NOT NULL "
    "ORDER BY t.content_kind <> 'file', t.track_id DESC"
)
# Only `update_labels` changes the title and labels of an existing track. What ingest measures
# replaces what a file of vectors says about a track.
_WRITE = text(
    "INSERT INTO mirpipe.track (collection, content_sha256, content_kind, title, labels, "
    "seconds, sample_rate, channels, rms_dbfs, silent_parts, silent_share, sounding_rms_dbfs, "
    "labels_from, state) "
    "VALUES (:collection, :content_sha256, :content_kind, :title, CAST(:labels AS jsonb), "
    ":seconds, :sample_rate, :channels, :rms_dbfs, :silent_parts, :silent_share, "
    ":sounding_rms_dbfs, :labels_from, 'ok') "
    "ON CONFLICT (collection, content_sha256) DO UPDATE SET "
    "(content_kind, seconds, sample_rate, channels, rms_dbfs, silent_parts, silent_share, "
    "sounding_rms_dbfs) = (excluded.content_kind, excluded.seconds, excluded.sample_rate, "
    "excluded.channels, excluded.rms_dbfs, excluded.silent_parts, excluded.silent_share, "
    "excluded.sounding_rms_dbfs) WHERE NOT track.has_audio"
)
_WRITE_SILENCE = text(
    "UPDATE mirpipe.track SET silent_parts = :silent_parts, silent_share = :silent_share, "
    "sounding_rms_dbfs = :sounding_rms_dbfs WHERE track_id = :track_id AND silent_share IS NULL"
)
_IDS = text(
    "SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = ANY(:hashes)"
)
_UPDATE_STATES = text("""
    WITH computed AS (
        SELECT t.track_id, t.state AS old_state, t.has_audio OR f.exists AS has_audio,
            CASE WHEN f.exists THEN 'ok' WHEN t.has_audio THEN 'gone' ELSE t.state END AS state
        FROM mirpipe.track t CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM mirpipe.track_file f
            WHERE f.track_id = t.track_id AND f.gone_at IS NULL)) f
        WHERE t.track_id = ANY(:track_ids) AND t.state <> 'rejected'
        ORDER BY t.track_id FOR UPDATE OF t)
    UPDATE mirpipe.track t SET state = c.state, has_audio = c.has_audio,
        changed_at = CASE WHEN c.state = c.old_state THEN t.changed_at ELSE now() END
    FROM computed c
    WHERE t.track_id = c.track_id AND (t.state, t.has_audio) <> (c.state, c.has_audio)
    RETURNING CASE WHEN c.state <> c.old_state THEN c.state END
""")
_UPDATE_MEASURED = text(
    "UPDATE mirpipe.track SET seconds = :seconds, sample_rate = :sample_rate, "
    "channels = :channels, rms_dbfs = :rms_dbfs WHERE track_id = :track_id "
    "AND (seconds, sample_rate, channels, rms_dbfs) IS DISTINCT FROM "
    "(CAST(:seconds AS double precision), :sample_rate, :channels, "
    "CAST(:rms_dbfs AS double precision))"
)
_UPDATE_LABELS = text(
    "UPDATE mirpipe.track t SET title = new.title, labels = new.labels, changed_at = now() "
    "FROM unnest(CAST(:track_ids AS bigint[]), CAST(:titles AS text[]), "
    "CAST(CAST(:labels AS text[]) AS jsonb[])) AS new (track_id, title, labels) "
    "WHERE t.track_id = new.track_id AND (t.title, t.labels) IS DISTINCT FROM "
    "(new.title, new.labels) RETURNING t.first_seen"
)

_UPDATE_ORIGIN = text(
    "UPDATE mirpipe.track SET labels_from = :labels_from WHERE track_id = ANY(:track_ids) "
    "AND labels_from IS DISTINCT FROM :labels_from"
)

# The hashes are summed, because a sum does not require sorting a large library.
_FINGERPRINT = text(
    "SELECT concat_ws(' ', count(*), sum(hashtextextended(concat_ws(' ', collection, "
    "encode(content_sha256, 'hex'), state, title, labels), 0))) FROM mirpipe.track "
    "WHERE collection <> 'generated'"
)

_TOTAL_SECONDS = text(
    "SELECT coalesce(sum(seconds), 0) FROM mirpipe.track WHERE track_id = ANY(:track_ids)"
)

# References and other tracks alternate. Neighbouring ids stay together, so that a plan is a few
# ranges of ids. Postgres computes the same md5 everywhere, so all stages choose the same tracks.
_FIRST_TO_PROCESS = text(
    "SELECT track_id FROM (SELECT t.track_id, row_number() OVER ("
    "PARTITION BY t.collection = 'reference' ORDER BY EXISTS (SELECT FROM mirpipe.failure f "
    "WHERE f.track_id = t.track_id AND f.stage = :stage), md5((t.track_id / :together)::text), "
    "t.track_id) AS place FROM mirpipe.track t WHERE t.track_id = ANY(:track_ids) "
    "AND (:references OR t.collection <> 'reference')) t ORDER BY place, track_id LIMIT :most"
)
NEIGHBOURS = 64
"""Number of neighbouring track ids that `first_to_process` chooses together."""

LabelOrigin = Literal["manifest", "tags", "vectors"]


@dataclass(frozen=True)
class NewTrack:
    """The measured properties of a track that ingest or generate stores."""

    content_sha256: bytes
    """SHA-256 that identifies the audio, 32 bytes."""
    title: str
    labels: Mapping[str, str]
    seconds: float
    sample_rate: int
    channels: int
    rms_dbfs: float
    silence: Silence
    labels_from: LabelOrigin | None = None
    """Where the title and the labels come from. None for clips."""
    content_kind: ContentKind = "file"


@dataclass(frozen=True)
class KnownTrack:
    """A stored track, with the properties that need not be measured again."""

    track_id: int
    collection: Collection
    state: str
    content_sha256: bytes
    content_kind: ContentKind
    format: str | None
    """Container format of the file by which the track was found. None if its audio was known."""
    seconds: float
    sample_rate: int
    channels: int
    rms_dbfs: float
    silence: Silence


def usable_tracks(connection: Connection, track_ids: Sequence[int]) -> list[Track]:
    """Return the usable tracks among these ids, each with one of its files, sorted by id."""
    return [
        Track(
            track_id=row.track_id,
            collection=row.collection,
            content_sha256=bytes(row.content_sha256),
            title=row.title,
            path=parse_address(bytes(row.path)),
            etag=row.etag,
            seconds=row.seconds,
            rms_dbfs=row.rms_dbfs,
            file_sha256=None if row.file_sha256 is None else bytes(row.file_sha256),
            mono=None if row.dc_offset is None else MonoMix(row.mono_channel, row.dc_offset),
            silence=None if row.silent_share is None else _to_silence(row),
        )
        for row in connection.execute(_USABLE, {"track_ids": list(track_ids)})
    ]


def fingerprint(connection: Connection) -> str:
    """Return a string that changes if tracks are added, or if a state, title or label changes.

    Generated clips are not included. The string for an empty library is "0".
    """
    return str(connection.execute(_FINGERPRINT).scalar_one())


def total_seconds(connection: Connection, track_ids: Sequence[int]) -> float:
    """Return the sum of the durations of these tracks, in seconds."""
    seconds: float = connection.execute(_TOTAL_SECONDS, {"track_ids": list(track_ids)}).scalar_one()
    return seconds


def tracks_with_content(
    connection: Connection, collection: Collection, hashes: Sequence[bytes]
) -> list[KnownTrack]:
    """Return the collection's measured tracks with one of these content hashes, in any state."""
    parameters = {"collection": collection, "hashes": list(hashes)}
    return [_known_track(row) for row in connection.execute(_WITH_CONTENT, parameters)]


def tracks_by_file(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, KnownTrack]:
    """Return a measured track that has a file with this hash, in any collection, by file hash."""
    rows = connection.execute(_WITH_FILE, {"hashes": list(hashes)})
    return {bytes(row.file_sha256): _known_track(row) for row in rows}


def _known_track(row: Row[Any]) -> KnownTrack:
    names = {each.name for each in fields(KnownTrack)} - {"content_sha256", "silence"}
    return KnownTrack(
        **{name: getattr(row, name) for name in names},
        content_sha256=bytes(row.content_sha256),
        silence=_to_silence(row),
    )


def write(connection: Connection, collection: Collection, new: Sequence[NewTrack]) -> set[int]:
    """Store the tracks that are not stored yet, and return the track ids of all given tracks."""
    for track in sorted(new, key=lambda track: track.content_sha256):
        row = asdict(track) | {"collection": collection, "labels": json.dumps(dict(track.labels))}
        connection.execute(_WRITE, row | _silence_columns(track.silence))
    parameters = {"collection": collection, "hashes": [track.content_sha256 for track in new]}
    return set(connection.execute(_IDS, parameters).scalars())


def write_silence(connection: Connection, silences: Mapping[int, Silence]) -> None:
    """Store the silent parts of tracks by track id. Stored silent parts are kept."""
    for track_id, silence in sorted(silences.items()):
        connection.execute(_WRITE_SILENCE, {"track_id": track_id} | _silence_columns(silence))


def update_states(connection: Connection, track_ids: set[int]) -> tuple[int, int]:
    """Set the state of these tracks to `ok` if they have a file, and to `gone` if they have none.

    Returns how many tracks became `ok`, and how many became `gone`. Rejected tracks stay rejected,
    and a track that never had a file keeps its state.
    """
    states = list(connection.execute(_UPDATE_STATES, {"track_ids": sorted(track_ids)}).scalars())
    return states.count("ok"), states.count("gone")


def update_measured(
    connection: Connection,
    track_id: int,
    *,
    seconds: float,
    sample_rate: int,
    channels: int,
    rms_dbfs: float,
) -> None:
    """Store the properties of a track that was measured again."""
    connection.execute(
        _UPDATE_MEASURED,
        {
            "track_id": track_id,
            "seconds": seconds,
            "sample_rate": sample_rate,
            "channels": channels,
            "rms_dbfs": rms_dbfs,
        },
    )


def update_labels(
    connection: Connection,
    labels: Mapping[int, tuple[str, Mapping[str, str]]],
    *,
    labels_from: LabelOrigin,
    since: datetime | None = None,
) -> int:
    """Set the title and labels of tracks by track id, and return how many tracks changed.

    Tracks that were added after `since` are not counted.
    """
    ids = sorted(labels)
    connection.execute(_UPDATE_ORIGIN, {"track_ids": ids, "labels_from": labels_from})
    rows = connection.execute(
        _UPDATE_LABELS,
        {
            "track_ids": ids,
            "titles": [labels[track_id][0] for track_id in ids],
            "labels": [json.dumps(dict(labels[track_id][1])) for track_id in ids],
        },
    )
    return sum(since is None or first_seen <= since for first_seen in rows.scalars())


def _silence_columns(silence: Silence) -> dict[str, Any]:
    return {
        "silent_parts": list(chain.from_iterable(silence.parts)),
        "silent_share": silence.share,
        "sounding_rms_dbfs": silence.sounding_rms_dbfs,
    }


def _to_silence(row: Row[Any]) -> Silence:
    starts, ends = row.silent_parts[::2], row.silent_parts[1::2]
    return Silence(tuple(zip(starts, ends, strict=True)), row.silent_share, row.sounding_rms_dbfs)


def first_to_process(
    connection: Connection,
    track_ids: Sequence[int],
    *,
    stage: str,
    most: int | None,
    references: bool = True,
) -> list[int]:
    """Return the ids of at most `most` of these tracks, which a stage processes first, sorted.

    Half of them are targets and clips, and the others are a random sample of the references, in
    groups of NEIGHBOURS. If there are fewer of one kind, there are more of the other. Tracks that
    failed in the stage come last. If `references` is false, the result contains no references.
    """
    parameters = {"track_ids": list(track_ids), "stage": stage, "most": most}
    parameters |= {"references": references, "together": NEIGHBOURS}
    return sorted(connection.execute(_FIRST_TO_PROCESS, parameters).scalars())
