"""Reads the labels and content hashes of tracks."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store.array_literals import array_literal
from mirpipe.db.store.binary_copy import BLOCK_ROWS
from mirpipe.db.store.searchable_tracks import to_hash_array
from mirpipe.records import LABELS, Int64

_VALUES = {
    label: "t.genres"
    if label == "genre"
    else f"array_remove(ARRAY[nullif(t.labels ->> '{label}', '')], NULL)"
    for label in LABELS
}
"""SQL for the values of each label. Only a track's genres can be several."""
_LABELLED = text(f"""
    SELECT t.content_sha256, {", ".join(_VALUES.values())}
    FROM unnest(CAST(:track_ids AS bigint[])) WITH ORDINALITY requested (track_id, place)
    JOIN mirpipe.track t USING (track_id) ORDER BY place
""")
_ALBUM_AND_ARTIST = text("""
    SELECT t.labels ->> 'album' AS album, t.labels ->> 'albumartist' AS album_artist,
        t.labels ->> 'artist' AS artist
    FROM unnest(CAST(:track_ids AS bigint[])) WITH ORDINALITY requested (track_id, place)
    JOIN mirpipe.track t USING (track_id) ORDER BY place
""")
_TARGET_LABELS = """
    SELECT t.track_id, {values} AS values FROM mirpipe.track t WHERE t.collection = 'target'
"""
_SHARED_VALUES = text(f"""
    SELECT l.label, array_agg(DISTINCT v.value) AS values
    FROM mirpipe.track t
    JOIN mirpipe.embedding o ON o.encoder_id = :old AND o.track_id = t.track_id
    JOIN mirpipe.embedding w ON w.encoder_id = :new AND w.track_id = t.track_id
    CROSS JOIN LATERAL (VALUES
        {", ".join(f"('{label}', {values})" for label, values in _VALUES.items())}
    ) l (label, values)
    CROSS JOIN LATERAL unnest(l.values) v (value)
    WHERE t.state = 'ok' AND t.collection = 'reference' GROUP BY l.label
""")


@dataclass(frozen=True)
class LabelledTracks:
    """Content hashes and labels of n tracks, in a given order."""

    hashes: NDArray[np.bytes_]
    """Content hashes, shape (n,)."""
    labels: dict[str, list[list[str]]]
    """For each label in LABELS, the values of each track. Empty if it does not have the label."""


def read_hashes_and_labels(connection: Connection, track_ids: Int64) -> LabelledTracks:
    """Return the content hashes and labels of these tracks, in the order of `track_ids`."""
    rows = connection.execute(_LABELLED, {"track_ids": array_literal(track_ids.tolist())}).all()
    return LabelledTracks(
        to_hash_array([row[0] for row in rows]),
        {label: [row[column] for row in rows] for column, label in enumerate(LABELS, start=1)},
    )


def read_label_blocks(
    connection: Connection, track_ids: Int64
) -> Iterator[dict[str, list[list[str]]]]:
    """Yield the labels of these tracks in their order, block by block, as in LabelledTracks."""
    for start in range(0, len(track_ids), BLOCK_ROWS):
        yield read_hashes_and_labels(connection, track_ids[start : start + BLOCK_ROWS]).labels


def read_albums_and_artists(
    connection: Connection, track_ids: Int64
) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Yield album, album artist and artist of these tracks, in the order of `track_ids`.

    At most BLOCK_ROWS tracks are in memory at the same time.
    """
    for start in range(0, len(track_ids), BLOCK_ROWS):
        ids = array_literal(track_ids[start : start + BLOCK_ROWS].tolist())
        for row in connection.execute(_ALBUM_AND_ARTIST, {"track_ids": ids}).all():
            yield row.album, row.album_artist, row.artist


def read_target_labels(
    connection: Connection, labels: Collection[str]
) -> dict[str, dict[int, list[str]]]:
    """Return the label values by label and target id. Unlabelled targets are left out."""
    return {
        label: {
            row.track_id: row.values
            for row in connection.execute(text(_TARGET_LABELS.format(values=_VALUES[label])))
            if row.values
        }
        for label in labels
    }


def read_values_of_shared_references(
    connection: Connection, old: int, new: int
) -> dict[str, set[str]]:
    """Return the values of each label that usable references with vectors by both encoders have."""
    rows = connection.execute(_SHARED_VALUES, {"old": old, "new": new})
    return {row["label"]: set(row["values"]) for row in rows.mappings()}
