"""The library as a retrieval dataset: tracks with files and labels, relevant pairs, and rankings.

Tracks are identified by their content hash in hexadecimal. All rows are streamed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text

from mirpipe.files.addresses import Address, parse_address

BATCH_ROWS = 1_000
"""Number of rows that are in memory at the same time."""

Label = Literal["genre", "instrument", "work"]


@dataclass(frozen=True)
class DatasetTrack:
    """A usable track with a file."""

    content_sha256: str
    title: str
    genre: str
    """Genres, separated by semicolons. Empty if unknown."""
    instrument: str
    work: str
    path: Address
    """First file of the track."""
    etag: str | None
    """ETag of an object in S3. None for a local file."""


@dataclass(frozen=True)
class RankedEncoder:
    """An active encoder with matches in the latest run."""

    encoder_id: int
    encoder: str
    revision: str


_TRACKS = text("""
    SELECT encode(t.content_sha256, 'hex') AS content_sha256, t.title,
        coalesce(t.labels ->> 'genre', '') AS genre,
        coalesce(t.labels ->> 'instrument', '') AS instrument,
        coalesce(t.labels ->> 'work', '') AS work, f.path, f.etag
    FROM mirpipe.track t
    JOIN LATERAL (
        SELECT p.path, p.etag FROM mirpipe.track_file p
        WHERE p.track_id = t.track_id AND p.gone_at IS NULL ORDER BY p.path LIMIT 1) f ON true
    WHERE t.collection = :collection AND t.state = 'ok' ORDER BY t.content_sha256
""")
_SHARES = {
    "genre": "q.genres && r.genres",
    "instrument": "q.labels ->> 'instrument' = nullif(r.labels ->> 'instrument', '')",
    "work": "q.labels ->> 'work' = nullif(r.labels ->> 'work', '')",
}
"""SQL condition under which the query q and the reference r share a value of a label."""
_HAS_FILE = """
    EXISTS (SELECT FROM mirpipe.track_file f
        WHERE f.track_id = {0}.track_id AND f.gone_at IS NULL)
"""
_RELEVANT = """
    SELECT encode(q.content_sha256, 'hex'), encode(r.content_sha256, 'hex')
    FROM mirpipe.track q JOIN mirpipe.track r
        ON r.collection = 'reference' AND r.state = 'ok' AND {shares}
    WHERE q.collection = 'target' AND q.state = 'ok' AND {query_has_file} AND {reference_has_file}
        AND NOT EXISTS (SELECT FROM mirpipe.v_same_recording s
            WHERE (s.track_id, s.other_id) = (q.track_id, r.track_id)
                AND (s.relation = 'same_file' OR NOT :same_recording_counts))
    ORDER BY q.content_sha256, r.content_sha256
"""
_ENCODERS = text("""
    SELECT DISTINCT e.encoder_id, e.name AS encoder, e.revision
    FROM mirpipe.served_neighbour s JOIN mirpipe.encoder e USING (encoder_id)
    WHERE s.to_run IS NULL ORDER BY e.name
""")
_RANKINGS = text("""
    SELECT encode(q.content_sha256, 'hex'),
        jsonb_object_agg(encode(r.content_sha256, 'hex'), s.cosine)
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.track q ON q.track_id = s.target_id AND q.state = 'ok'
    JOIN mirpipe.track r ON r.track_id = s.reference_id AND r.state = 'ok'
    WHERE s.encoder_id = :encoder_id AND s.to_run IS NULL AND s.counted_rank IS NOT NULL
    GROUP BY q.content_sha256 ORDER BY q.content_sha256
""")


def dataset_tracks(
    connection: Connection, collection: Literal["reference", "target"]
) -> Iterator[list[DatasetTrack]]:
    """Yield the usable tracks of a collection that have a file, sorted by content hash."""
    for rows in _partitions(connection, _TRACKS, collection=collection):
        # Paths are stored as bytes, because they are not always valid UTF-8.
        yield [
            DatasetTrack(**{**row._mapping, "path": parse_address(bytes(row.path))}) for row in rows
        ]


def relevant_pairs(
    connection: Connection, label: Label, *, same_recording_counts: bool
) -> Iterator[list[tuple[str, str]]]:
    """Yield pairs of a target and a reference that share a value of this label.

    References with the target's own content are left out, and also those with the same recording
    unless they count.
    """
    query = _RELEVANT.format(
        shares=_SHARES[label],
        query_has_file=_HAS_FILE.format("q"),
        reference_has_file=_HAS_FILE.format("r"),
    )
    for rows in _partitions(connection, text(query), same_recording_counts=same_recording_counts):
        yield [(row[0], row[1]) for row in rows]


def ranked_encoders(connection: Connection) -> list[RankedEncoder]:
    """Return the encoders with matches in the latest run, sorted by name."""
    return [RankedEncoder(**row) for row in connection.execute(_ENCODERS).mappings()]


def rankings(connection: Connection, encoder_id: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each target with the cosines of its shown matches that count."""
    for rows in _partitions(connection, _RANKINGS, encoder_id=encoder_id):
        for row in rows:
            yield row[0], row[1]


def _partitions(
    connection: Connection, query: Any, **parameters: object
) -> Iterator[Sequence[Any]]:
    streamed = query.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
    with connection.execute(streamed, parameters) as result:
        yield from result.partitions(BATCH_ROWS)
