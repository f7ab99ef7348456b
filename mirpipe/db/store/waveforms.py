"""Waveforms: what a player draws of a track."""

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
    "WHERE t.collection = :collection ORDER BY t.track_id ON CONFLICT DO NOTHING"
)


def pending(connection: Connection, collection: Collection) -> list[int]:
    """Ids of usable tracks of the collection that have none, ascending."""
    return list(connection.execute(_PENDING, {"collection": collection}).scalars())


def write(connection: Connection, collection: Collection, peaks: Mapping[bytes, bytes]) -> None:
    """Stores packed peaks by the content hash of a track that is there; an older one stays."""
    if peaks:
        asked = {"collection": collection, "hashes": list(peaks), "peaks": list(peaks.values())}
        connection.execute(_WRITE, asked)
