"""Evaluate: gives every usable track its melody, and every answer its melody accuracy.

Audio is decoded once a track. Pairs are compared from what is stored.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection
from threadpoolctl import threadpool_limits

from mirpipe import audio, content, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import failures, plugins, scores, tracks
from mirpipe.errors import RejectedInput
from mirpipe.metrics import melody
from mirpipe.records import Score, Track

THREADS = 2
"""Two tracks of the longest length at once stay under 3 GB; the work leaves the interpreter."""
PAIRS_PER_BLOCK = 512
"""A transaction, and what bounds memory: the melodies of one block are held at once."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class EvaluateResult:
    """What became of the tracks or pairs that were missing."""

    measured: int
    undefined: int
    """Stored without a number, with the reason."""
    rejected: int
    """Unusable input: in the ledger with its reason."""
    failed: int
    """In the ledger, tried again by the next run."""


@dataclass(frozen=True)
class _Metrics:
    melody_id: int
    accuracy_id: int


def plan_tracks(*, batch_tracks: int) -> list[tuple[int, ...]]:
    """Ids of the tracks that lack a melody, in batches."""
    melody_id = _register().melody_id
    with engine("app").connect() as connection:
        return list(_chunks(scores.pending_melodies(connection, melody_id), batch_tracks))


def evaluate_tracks(
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int = 64,
    progress: Progress | None = None,
) -> EvaluateResult:
    """Transcribes what is missing, of `track_ids` where given, with one transaction a batch."""
    melody_id = _register().melody_id
    with engine("app").connect() as connection:
        missing = scores.pending_melodies(connection, melody_id, track_ids)
    counts = {"measured": 0, "undefined": 0, "rejected": 0, "failed": 0}
    # One BLAS thread: more of them spin beside the other track and take twice the CPU time.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        for ids in _chunks(missing, batch_tracks):
            with engine("app").connect() as connection:
                batch = tracks.tracks(connection, ids)
            _evaluate_batch(pool, melody_id, batch, counts, progress, len(missing))
    return EvaluateResult(**counts)


def evaluate_pairs(*, progress: Progress | None = None) -> EvaluateResult:
    """Compares the melodies of every answer that has no score yet, with one transaction a block."""
    metrics = _register()
    measured = undefined = 0
    with engine("app").connect() as reading:
        pending = scores.pending_pairs(
            reading, metrics.accuracy_id, metrics.melody_id, block=PAIRS_PER_BLOCK
        )
        for pairs, total in pending:
            with engine("app").begin() as connection:
                compared = _compare(connection, metrics.melody_id, pairs)
                scores.write_pairs(connection, metrics.accuracy_id, compared)
            values = sum(score.value is not None for score in compared.values())
            measured += values
            undefined += len(compared) - values
            if progress:
                progress(measured + undefined, total)
    return EvaluateResult(measured, undefined, rejected=0, failed=0)


def _register() -> _Metrics:
    with engine("app").begin() as connection:
        return _Metrics(
            *(
                plugins.register_metric(connection, spec, registry.metric_revision(spec))
                for spec in (melody.MELODY, melody.ACCURACY)
            )
        )


def _evaluate_batch(
    pool: ThreadPoolExecutor,
    melody_id: int,
    batch: Sequence[Track],
    counts: dict[str, int],
    progress: Progress | None,
    total: int,
) -> None:
    found: dict[int, scores.StoredMelody] = {}
    problems: list[tuple[Track, Exception]] = []
    for track, outcome in zip(batch, pool.map(_try_transcribe, batch), strict=True):
        if isinstance(outcome, scores.StoredMelody):
            found[track.track_id] = outcome
            counts["measured" if outcome.reason is None else "undefined"] += 1
        else:
            problems.append((track, outcome))
            counts["rejected" if isinstance(outcome, RejectedInput) else "failed"] += 1
        if progress:
            progress(sum(counts.values()), total)
    with engine("app").begin() as connection:
        scores.write_melodies(connection, melody_id, found)
        failures.settle(
            connection,
            stage="melody",
            revision=registry.metric_revision(melody.MELODY),
            done=[track for track in batch if track.track_id in found],
            problems=problems,
        )


def _try_transcribe(track: Track) -> scores.StoredMelody | Exception:
    try:
        content.require_unchanged(track)
        return _transcribe(track)
    except Exception as problem:  # noqa: BLE001 - the edge of the batch: the rest goes on
        return problem


def _transcribe(track: Track) -> scores.StoredMelody:
    # One second more than is measured says that a track is too long, without reading all of it.
    limit = melody.LONGEST_SECONDS + 1
    found = melody.transcribe(audio.load_mono(track.path, melody.SAMPLE_RATE, max_seconds=limit))
    classes = found.pitch_classes
    return scores.StoredMelody(
        frames=None if classes is None else len(classes),
        pitch_classes=None if classes is None else melody.pack(classes),
        voiced_fraction=found.voiced_fraction,
        voiced=found.voiced,
        reason=found.reason,
    )


def _compare(
    connection: Connection, melody_id: int, pairs: Sequence[scores.Pair]
) -> dict[scores.Pair, Score]:
    ids = sorted({track_id for pair in pairs for track_id in pair})
    melodies = {
        track_id: stored if isinstance(stored, str) else melody.unpack(stored[1], stored[0])
        for track_id, stored in scores.sequences(connection, melody_id, ids).items()
    }
    return {pair: _accuracy(melodies[pair[0]], melodies[pair[1]]) for pair in pairs}


def _accuracy(target: melody.UInt8 | str, reference: melody.UInt8 | str) -> Score:
    """The accuracy of two melodies; a string stands for one that is missing, and says why."""
    if isinstance(target, str):
        return Score(None, target)
    if isinstance(reference, str):
        return Score(None, reference)
    return melody.accuracy(target, reference)


def _chunks(ids: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])
