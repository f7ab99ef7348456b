"""Computes the waveforms of tracks that do not have one.

Such a track was ingested before mirpipe computed waveforms, or ingest did not decode its file
because another collection already had the same content.
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
"""Tracks per transaction. After a run is killed, at most this many waveforms must be recomputed.
"""


def draw_missing_waveforms(collection: Collection, *, workers: int) -> None:
    """Compute and store a waveform for each usable track that does not have one.

    `workers` is the number of decoding threads. A track that cannot be decoded is recorded in the
    failure ledger.
    """
    with engine("app").connect() as connection:
        pending = waveforms.pending(connection, collection)
    with ThreadPoolExecutor(workers, thread_name_prefix="draw") as pool:
        for ids in batched(pending, BATCH_TRACKS):
            with engine("app").connect() as connection:
                batch = tracks.usable_tracks(connection, ids)
            outcomes = list(pool.map(lambda track: result_or_error(_outline, track), batch))
            _write(collection, batch, outcomes)


def _outline(track: Track) -> bytes:
    content_hash.require_unchanged(track)
    return audio.read_audio_facts(track.path).outline


def _write(
    collection: Collection, batch: Sequence[Track], outcomes: Sequence[bytes | Exception]
) -> None:
    """Store the outlines of a batch, and update the failure ledger, in one transaction."""
    pairs = list(zip(batch, outcomes, strict=True))
    outlines = {
        track.content_sha256: outcome for track, outcome in pairs if isinstance(outcome, bytes)
    }
    with engine("app").begin() as connection:
        waveforms.write(connection, collection, outlines)
        failure_ledger.update_for_tracks(
            connection,
            stage="draw",
            revision="",
            succeeded=[track for track, outcome in pairs if isinstance(outcome, bytes)],
            failed=[(track, outcome) for track, outcome in pairs if isinstance(outcome, Exception)],
        )
