"""Gives references of a synthetic library files, and what ingest has stored about their audio.

The files are empty. Because size and times are the stored ones, ingest reads none of them.
"""

import os
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.audio.chromaprint import find_library, to_values
from mirpipe.db.engine import engine
from mirpipe.db.store import binary_copy
from mirpipe.db.store.array_literals import array_literal
from mirpipe.music.recordings.index_codes import index_codes

FILES_PER_FOLDER = 1_000
FINGERPRINT_VALUES = 240
"""Number of random 32-bit values of each fingerprint, for 30 s of audio."""

_WITHOUT_FILE = text("""
    SELECT track_id FROM mirpipe.track t
    WHERE collection = 'reference' AND NOT EXISTS (
        SELECT FROM mirpipe.track_file f WHERE f.track_id = t.track_id)
    ORDER BY track_id LIMIT :most
""")
_MEASURED = text(
    "UPDATE mirpipe.track SET content_kind = 'samples', silent_share = 0, silent_parts = '{}', "
    "sounding_rms_dbfs = rms_dbfs WHERE track_id = ANY(:track_ids)"
)
_WAVEFORMS = text("""
    INSERT INTO mirpipe.waveform (track_id, peaks)
    SELECT track_id, decode(repeat('e020', 400), 'hex')
    FROM unnest(CAST(:track_ids AS bigint[])) AS track_id
""")
_AUDIO = text("""
    INSERT INTO mirpipe.track_audio (track_id, dc_offset)
    SELECT track_id, 0 FROM unnest(CAST(:track_ids AS bigint[])) AS track_id
""")
_FINGERPRINTS = text("""
    INSERT INTO mirpipe.fingerprint (track_id, revision, frames, codes)
    SELECT track_id, :revision, frames, CAST(codes AS integer[])
    FROM unnest(CAST(:track_ids AS bigint[]), CAST(:frames AS bytea[]), CAST(:codes AS text[]))
        AS new (track_id, frames, codes)
""")
_CHANGE_ONE_PERCENT = text("""
    INSERT INTO mirpipe.fingerprint_change (track_id)
    SELECT track_id FROM mirpipe.fingerprint WHERE track_id % 100 = 0
    ORDER BY track_id ON CONFLICT DO NOTHING
""")


def add_files(folder: Path, *, most: int) -> int:
    """Give references without a file a file in this folder. Return their number, at most `most`."""
    with engine("app").begin() as connection:
        track_ids = list(connection.execute(_WITHOUT_FILE, {"most": most}).scalars())
        _write_files(connection, folder.resolve(), track_ids)
        for statement in (_MEASURED, _WAVEFORMS, _AUDIO):
            connection.execute(statement, {"track_ids": track_ids})
        _write_fingerprints(connection, track_ids)
    return len(track_ids)


def change_fingerprints() -> None:
    """Let `mirpipe evaluate` compare one fingerprint in a hundred with all others."""
    with engine("app").begin() as connection:
        connection.execute(_CHANGE_ONE_PERCENT)


def _write_files(connection: Connection, folder: Path, track_ids: list[int]) -> None:
    paths, statuses = [], []
    for track_id in track_ids:
        path = folder / f"{track_id // FILES_PER_FOLDER:05}" / f"{track_id}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        paths.append(path)
        statuses.append(path.stat())
    columns = {
        "collection": ["reference"] * len(paths),
        "path": [os.fsencode(path) for path in paths],
        "path_text": [str(path) for path in paths],
        "track_id": track_ids,
        "bytes": [status.st_size for status in statuses],
        "mtime_ns": [status.st_mtime_ns for status in statuses],
        "ctime_ns": [status.st_ctime_ns for status in statuses],
    }
    binary_copy.copy_rows(connection, "mirpipe.track_file", [*columns], [*columns.values()])


def _write_fingerprints(connection: Connection, track_ids: list[int]) -> None:
    random = np.random.default_rng(track_ids[0] if track_ids else 0)
    frames = [random.bytes(4 * FINGERPRINT_VALUES) for _ in track_ids]
    library = find_library()
    parameters = {
        "track_ids": track_ids,
        "revision": library.revision if library else "benchmark",
        "frames": frames,
        "codes": [array_literal(index_codes(to_values(values))) for values in frames],
    }
    connection.execute(_FINGERPRINTS, parameters)
