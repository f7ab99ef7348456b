"""Decodes tracks whose waveform, findings, way to mono or fingerprint are not stored.

Such a track was ingested before mirpipe measured them or before ffmpeg was installed, or ingest did
not decode its file because another collection already had the same content. Its length and level
are also measured again, because an earlier version may have read only a part of the file.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from more_itertools import batched
from sqlalchemy import Connection

from mirpipe.audio import AudioFacts
from mirpipe.audio.chromaprint import find_library
from mirpipe.db.engine import engine
from mirpipe.db.store import (
    audio_measurements,
    failure_ledger,
    fingerprints,
    track_files,
    tracks,
    waveforms,
)
from mirpipe.errors import result_or_error
from mirpipe.library import content_hash
from mirpipe.library.ingested_file import read_facts
from mirpipe.records import Collection, Track

BATCH_TRACKS = 64
"""Tracks per transaction. After a run is killed, at most this many must be measured again."""


def measure_tracks(collection: Collection, *, workers: int) -> None:
    """Measure each usable track of the collection that was not measured, and store the results.

    `workers` is the number of decoding threads. A track that cannot be decoded is recorded in the
    failure ledger.
    """
    with engine("app").connect() as connection:
        pending = _pending(connection, collection)
    with ThreadPoolExecutor(workers, thread_name_prefix="measure") as pool:
        for ids in batched(pending, BATCH_TRACKS):
            with engine("app").connect() as connection:
                batch = tracks.usable_tracks(connection, ids)
            outcomes = list(pool.map(lambda track: result_or_error(_measure, track), batch))
            _write(collection, batch, outcomes)
    if find_library() is None:
        with engine("app").begin() as connection:
            fingerprints.write_not_available(connection, collection)


def _pending(connection: Connection, collection: Collection) -> list[int]:
    """Return the sorted ids of the tracks to measure."""
    pending = set(waveforms.pending(connection, collection))
    if found := find_library():
        pending.update(fingerprints.pending(connection, collection, found.revision))
    return sorted(pending)


def _measure(track: Track) -> AudioFacts:
    with content_hash.unchanged_copy(track) as path:
        return read_facts(path)


def _write(
    collection: Collection, batch: Sequence[Track], outcomes: Sequence[AudioFacts | Exception]
) -> None:
    """Store the results of a batch, and update the failure ledger, in one transaction."""
    pairs = list(zip(batch, outcomes, strict=True))
    measured = [(track, facts) for track, facts in pairs if isinstance(facts, AudioFacts)]
    with engine("app").begin() as connection:
        for track, facts in measured:
            tracks.update_measured(
                connection,
                track.track_id,
                seconds=facts.seconds,
                sample_rate=facts.sample_rate,
                channels=facts.channels,
                rms_dbfs=facts.rms_dbfs,
            )
            assert track.file_sha256 is not None  # It was compared before the file was decoded.
            path = os.fsencode(track.path)
            track_files.write_format(connection, path, track.file_sha256, facts.format)
        tracks.write_silence(
            connection, {track.track_id: facts.silence for track, facts in measured}
        )
        outlines = {track.content_sha256: facts.outline for track, facts in measured}
        waveforms.write(connection, collection, outlines)
        measurements = {track.content_sha256: facts.measurement for track, facts in measured}
        audio_measurements.write(connection, collection, measurements)
        prints = {track.content_sha256: facts.fingerprint for track, facts in measured}
        known = {sha256: print_ for sha256, print_ in prints.items() if print_ is not None}
        fingerprints.write(connection, collection, known)
        failure_ledger.update_for_tracks(
            connection,
            stage="draw",
            revision="",
            succeeded=[track for track, _ in measured],
            failed=[(track, outcome) for track, outcome in pairs if isinstance(outcome, Exception)],
        )
