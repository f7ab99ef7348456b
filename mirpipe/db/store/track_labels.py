"""Reads the labels and content hashes of tracks."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store.searchable_tracks import to_hash_array
from mirpipe.records import LABELS, Int64

_LABELLED = text(f"""
    SELECT t.content_sha256, {", ".join(f"t.labels ->> '{label}'" for label in LABELS)}
    FROM unnest(CAST(:track_ids AS bigint[])) WITH ORDINALITY requested (track_id, place)
    JOIN mirpipe.track t USING (track_id) ORDER BY place
""")
_TARGET_LABELS = text("""
    SELECT t.track_id, l.key, l.value
    FROM mirpipe.track t CROSS JOIN LATERAL jsonb_each_text(t.labels) l
    WHERE t.collection = 'target' AND l.key = ANY(:keys) AND l.value <> ''
""")


@dataclass(frozen=True)
class LabelledTracks:
    """Content hashes and labels of n tracks, in a given order."""

    hashes: NDArray[np.bytes_]
    """Content hashes, shape (n,)."""
    labels: dict[str, list[str | None]]
    """For each label in LABELS, one value per track. None if the track does not have the label."""


def read_hashes_and_labels(connection: Connection, track_ids: Int64) -> LabelledTracks:
    """Return the content hashes and labels of these tracks, in the order of `track_ids`."""
    rows = connection.execute(_LABELLED, {"track_ids": track_ids.tolist()}).all()
    return LabelledTracks(
        to_hash_array([row[0] for row in rows]),
        {label: [row[column] for row in rows] for column, label in enumerate(LABELS, start=1)},
    )


def read_target_labels(connection: Connection, keys: Collection[str]) -> dict[str, dict[int, str]]:
    """Return the label values by label and target id. Unlabelled targets are left out."""
    values: dict[str, dict[int, str]] = {key: {} for key in keys}
    for row in connection.execute(_TARGET_LABELS, {"keys": list(keys)}):
        values[row.key][row.track_id] = row.value
    return values
