"""Measures tracks that have no waveform, or whose silent parts are not known.

Such a track was ingested before mirpipe measured this, or ingest did not decode its file because
another collection already had the same content.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from more_itertools import batched

from mirpipe import audio
from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, tracks, waveforms
from mirpipe.errors import result_or_error
from mirpipe.library import content_hash
from mirpipe.records import Collection, Track

BATCH_TRACKS = 64
"""Tracks per transaction. After a run is killed, at most this many tracks must be measured again.
"""


def measure_missing(collection: Collection, *, workers: int) -> None:
    """Store the waveform and the silent parts of each usable track that lacks one of them.

    `workers` is the number of decoding threads. A track that cannot be decoded is recorded in the
    failure ledger.
    """
    with engine("app").connect() as connection:
        pending = waveforms.pending(connection, collection)
    with ThreadPoolExecutor(workers, thread_name_prefix="measure") as pool:
        for ids in batched(pending, BATCH_TRACKS):
            with engine("app").connect() as connection:
                batch = tracks.usable_tracks(connection, ids)
            outcomes = list(pool.map(lambda track: result_or_error(_measure, track), batch))
            _write(collection, batch, outcomes)


def _measure(track: Track) -> audio.AudioFacts:
    content_hash.require_unchanged(track)
    return audio.read_audio_facts(track.path)


def _write(
    collection: Collection, batch: Sequence[Track], outcomes: Sequence[audio.AudioFacts | Exception]
) -> None:
    """Store the measurements of a batch, and update the failure ledger, in one transaction."""
    pairs = list(zip(batch, outcomes, strict=True))
    measured = {track: facts for track, facts in pairs if isinstance(facts, audio.AudioFacts)}
    with engine("app").begin() as connection:
        waveforms.write(
            connection,
            collection,
            {track.content_sha256: facts.outline for track, facts in measured.items()},
        )
        tracks.write_silence(
            connection, {track.track_id: facts.silence for track, facts in measured.items()}
        )
        failure_ledger.update_for_tracks(
            connection,
            stage="draw",
            revision="",
            succeeded=list(measured),
            failed=[(track, outcome) for track, outcome in pairs if isinstance(outcome, Exception)],
        )
