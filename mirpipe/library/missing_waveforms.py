"""Draws the waveforms that ingest and generate left out: of tracks that were there before."""

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
"""A transaction, and at most what a killed run draws twice."""


def draw_missing(collection: Collection, *, workers: int) -> None:
    """Decodes every usable track that has no waveform; one that cannot be goes to the ledger."""
    with engine("app").connect() as connection:
        missing = waveforms.pending(connection, collection)
    with ThreadPoolExecutor(workers, thread_name_prefix="draw") as pool:
        for ids in batched(missing, BATCH_TRACKS):
            with engine("app").connect() as connection:
                batch = tracks.tracks(connection, ids)
            _write(
                collection,
                batch,
                list(pool.map(lambda track: result_or_error(_outline, track), batch)),
            )


def _outline(track: Track) -> bytes:
    content_hash.require_unchanged(track)
    return audio.inspect(track.path).outline


def _write(
    collection: Collection, batch: Sequence[Track], drawn: Sequence[bytes | Exception]
) -> None:
    found = list(zip(batch, drawn, strict=True))
    peaks = {track.content_sha256: made for track, made in found if isinstance(made, bytes)}
    with engine("app").begin() as connection:
        waveforms.write(connection, collection, peaks)
        failure_ledger.settle(
            connection,
            stage="draw",
            revision="",
            done=[track for track, made in found if isinstance(made, bytes)],
            problems=[(track, made) for track, made in found if isinstance(made, Exception)],
        )
