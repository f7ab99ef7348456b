"""Stores the waveforms that the dashboard's player draws, and finds tracks to measure."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from mirpipe.records import Collection

_PENDING = text(
    "SELECT track_id FROM mirpipe.pending_waveform WHERE collection = :collection ORDER BY track_id"
)
_WRITE = text(
    "INSERT INTO mirpipe.waveform (track_id, peaks) "
    "SELECT t.track_id, new.peaks FROM unnest(CAST(:hashes AS bytea[]), CAST(:peaks AS bytea[])) "
    "AS new (content_sha256, peaks) JOIN mirpipe.track t USING (content_sha256) "
    "WHERE t.collection = :collection ORDER BY t.track_id "
    "ON CONFLICT (track_id) DO UPDATE SET peaks = excluded.peaks"
)


def pending(connection: Connection, collection: Collection) -> list[int]:
    """Return the sorted ids of the collection's usable tracks that have to be measured."""
    return list(connection.execute(_PENDING, {"collection": collection}).scalars())


def write(connection: Connection, collection: Collection, peaks: Mapping[bytes, bytes]) -> None:
    """Store packed peaks by the track's content hash. They replace earlier ones.

    Hashes that have no stored track in the collection are ignored.
    """
    if peaks:
        parameters = {
            "collection": collection,
            "hashes": list(peaks),
            "peaks": list(peaks.values()),
        }
        connection.execute(_WRITE, parameters)
