"""Imports the vectors of a Parquet file for the tracks that have the same content, and its tracks.

The whole file is checked before anything is stored, and all its vectors are stored in one
transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import imported_vectors, tracks_without_audio
from mirpipe.db.store.imported_vectors import MatchedTrack, RevisionState
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.db.store.tracks_without_audio import TrackWithoutAudio
from mirpipe.errors import RejectedInput
from mirpipe.operations import vector_file
from mirpipe.operations.vector_file import Block
from mirpipe.records import Fingerprint, Float32

SAME_COSINE = 1 - 1e-5
"""Smallest cosine between two vectors of a track that count as the same vector."""
MAX_NAMED = 20
"""Largest number of tracks with another vector that are named."""


@dataclass
class ImportedVectors:
    """What an import did. The numbers count tracks, except for `rows` and `unknown`."""

    encoder: str
    revision: str
    state: RevisionState
    rows: int = 0
    """Number of vectors in the file."""
    imported: int = 0
    present: int = 0
    """Tracks that already had the same vector."""
    differing: int = 0
    """Tracks that already had another vector of the revision, which was kept."""
    unknown: int = 0
    """Vectors in the file whose content no usable track has."""
    describes_tracks: bool = False
    """Whether the file describes its tracks, so that they can be added."""
    added_tracks: int = 0
    """Tracks that were added without audio."""
    named: list[MatchedTrack] = field(default_factory=list)
    """The first tracks with another vector."""


def import_vectors(
    file: Path,
    *,
    activate: bool = False,
    add_tracks: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ImportedVectors:
    """Store the vectors of the file for the usable tracks with the same content.

    Existing vectors are kept. A revision without an active or configured revision of the same
    encoder becomes active; with `activate`, it also replaces an active one. With `add_tracks`, the
    tracks that the file describes and the library lacks are added without audio. If no track
    matches, the revision is not registered. `progress` is called with the number of stored rows and
    of all rows.

    Raises RejectedInput if any part of the file is invalid. Then nothing is stored.
    """
    header = vector_file.read_header(file)
    spec, revision = header.spec, header.revision
    none = RevisionState(active=False, other_active=False, other_configured=False)
    result = ImportedVectors(spec.name, revision, none, describes_tracks=header.has_tracks)
    with engine("app").connect() as connection:
        has_track = False
        for block in vector_file.read_blocks(file, header):  # The reader checks every row.
            has_track = has_track or bool(
                imported_vectors.matched_tracks(connection, block.hashes)
                or (add_tracks and any(block.tracks))
            )
    if not has_track:
        result.rows = result.unknown = header.rows
        return result
    with engine("app").begin() as connection:
        known = imported_vectors.registered_dimension(connection, spec.name, revision)
        if known not in (None, spec.dimension):
            raise RejectedInput(
                "wrong_dimension",
                f"The vectors of {spec.name}, revision {revision}, have {known} dimensions in the "
                f"library, but {spec.dimension} in the file. Check where the file comes from.",
            )
        encoder_id = imported_vectors.register(connection, spec, revision)
    with _no_ingest() if add_tracks else nullcontext(), engine("app").begin() as connection:
        for block in vector_file.read_blocks(file, header):
            if add_tracks:
                result.added_tracks += tracks_without_audio.add(connection, _tracks(block))
            _store_block(connection, encoder_id, block, result)
            progress(result.rows, header.rows)
        result.state = imported_vectors.make_active(connection, encoder_id, replace=activate)
    return result


def remove_tracks() -> int:
    """Mark the usable tracks without audio as gone, and return how many there were."""
    with _no_ingest(), engine("app").begin() as connection:
        return tracks_without_audio.remove(connection)


@contextmanager
def _no_ingest() -> Iterator[None]:
    """Wait for a running ingest, and let others wait: both write tracks and their states."""
    with hold_lock("ingest.reference"), hold_lock("ingest.target"):
        yield


def _tracks(block: Block) -> list[TrackWithoutAudio]:
    """Return the tracks that the rows describe."""
    return [
        TrackWithoutAudio(
            collection=track.collection,
            content_sha256=content_sha256,
            content_kind=track.content_kind,
            title=track.title,
            labels=track.labels,
            seconds=track.seconds,
            rms_dbfs=track.rms_dbfs,
            fingerprint=None
            if track.fingerprint_revision is None
            else Fingerprint(
                track.fingerprint_revision, track.fingerprint_frames, track.fingerprint_reason
            ),
        )
        for content_sha256, tracks in zip(block.hashes, block.tracks, strict=True)
        for track in tracks
    ]


def _store_block(
    connection: Connection, encoder_id: int, block: Block, result: ImportedVectors
) -> None:
    """Store the vectors of tracks that have none, and count the rows by what became of them."""
    tracks = imported_vectors.matched_tracks(connection, block.hashes)
    ids = [track.track_id for matched in tracks.values() for track in matched]
    stored: dict[int, Float32] = {}
    for places, vectors in read_vectors(connection, encoder_id, ids):
        stored |= {ids[place]: vector for place, vector in zip(places, vectors, strict=True)}
    new: dict[int, Float32] = {}
    for content_hash, vector in zip(block.hashes, block.vectors, strict=True):
        for track in tracks.get(content_hash, []):
            existing = stored.setdefault(track.track_id, vector)
            if existing is vector:
                new[track.track_id] = vector
            elif _cosine(existing, vector) >= SAME_COSINE:
                result.present += 1
            else:
                result.differing += 1
                result.named += [track] if len(result.named) < MAX_NAMED else []
    imported_vectors.write(connection, encoder_id, new)
    result.rows += len(block.hashes)
    result.imported += len(new)
    result.unknown += sum(content_hash not in tracks for content_hash in block.hashes)


def _cosine(one: Float32, other: Float32) -> float:
    """Return the cosine of two vectors of length 1, shape (D,)."""
    return float(np.dot(one.astype(np.float64), other.astype(np.float64)))
