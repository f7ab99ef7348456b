"""Analyse: measures every usable track once, from one decoding: its melody and its features.

Comparisons, captions and generations rest on what is stored here; none of them decodes again.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from more_itertools import batched
from threadpoolctl import threadpool_limits

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, melodies, plugin_revisions, tracks
from mirpipe.db.store import track_features as stored
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.music import features
from mirpipe.music.metrics import melody_accuracy as melody
from mirpipe.records import Collection, Float32, Progress, Track
from mirpipe.settings import cores, settings

MOST_THREADS = 4
"""A track of the longest length takes about 1.5 GB while it is measured."""


@dataclass(frozen=True)
class AnalyseResult:
    """How many tracks were measured, cannot be, or failed and will be tried again."""

    measured: int
    rejected: int
    failed: int


@dataclass(frozen=True)
class Metrics:
    """Ids of the present revisions."""

    melody: int
    features: int


@dataclass(frozen=True)
class _Found:
    """What of a track could be measured, and what kept the rest from it."""

    melody: melodies.StoredMelody | None = None
    features: stored.Row | None = None
    problem: Exception | None = None


def register() -> Metrics:
    """The present revisions, made known to the database as the wanted ones."""
    with engine("app").begin() as connection:
        ids = [
            plugin_revisions.register_metric(connection, spec, registry.metric_revision(spec))
            for spec in (melody.MELODY, features.SPEC)
        ]
    return Metrics(*ids)


def plan(collection: Collection | None = None) -> list[int]:
    """Ids of the tracks, of one collection or of all, that lack a melody or features."""
    missing = _missing(register(), None)
    if collection is None:
        return missing
    with engine("app").connect() as connection:
        found = tracks.tracks(connection, missing)
    return [one.track_id for one in found if one.collection == collection]


def analyse(
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int = 16,
    progress: Progress | None = None,
) -> AnalyseResult:
    """Measures what is missing, of `track_ids` where given, with one transaction a batch."""
    metrics = register()
    missing = _missing(metrics, track_ids)
    counts = {"measured": 0, "rejected": 0, "failed": 0}
    threads = min(MOST_THREADS, max(2, cores() // settings().slots))
    # One BLAS thread: more of them spin beside the other track and take twice the CPU time.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for ids in batched(missing, batch_tracks):
            with engine("app").connect() as connection:
                batch = tracks.tracks(connection, ids)
            found: dict[Track, _Found] = {}
            for track, outcome in zip(batch, pool.map(_measure, batch), strict=True):
                found[track] = outcome
                counts[_kind(outcome)] += 1
                if progress:
                    progress(sum(counts.values()), len(missing))
            _write(metrics, found)
    return AnalyseResult(**counts)


def _missing(metrics: Metrics, track_ids: Sequence[int] | None) -> list[int]:
    with engine("app").connect() as connection:
        return sorted(
            {
                *melodies.pending(connection, metrics.melody, track_ids),
                *stored.pending(connection, metrics.features, track_ids),
            }
        )


def _kind(found: _Found) -> str:
    if found.problem is None:
        return "measured"
    return "rejected" if isinstance(found.problem, RejectedInput) else "failed"


def _write(metrics: Metrics, found: dict[Track, _Found]) -> None:
    with engine("app").begin() as connection:
        melodies.write(
            connection,
            metrics.melody,
            {track.track_id: one.melody for track, one in found.items() if one.melody},
        )
        stored.write(
            connection,
            metrics.features,
            {track.track_id: one.features for track, one in found.items() if one.features},
        )
        failure_ledger.settle(
            connection,
            stage="analyse",
            revision=registry.metric_revision(features.SPEC),
            done=[track for track, one in found.items() if one.problem is None],
            problems=[(track, one.problem) for track, one in found.items() if one.problem],
        )


def _measure(track: Track) -> _Found:
    heard = result_or_error(_transcribed, track)
    if isinstance(heard, Exception):
        return _Found(problem=heard)
    samples, transcribed, stored_melody = heard
    measured = result_or_error(lambda: features.to_row(features.measure(samples, transcribed)))
    if isinstance(measured, Exception):
        return _Found(stored_melody, problem=measured)
    return _Found(stored_melody, measured)


def _transcribed(track: Track) -> tuple[Float32, melody.Melody, melodies.StoredMelody]:
    """The track's samples and the melody in them, as it is and as it is stored."""
    content_hash.require_unchanged(track)
    # One second more than is transcribed says that a track is too long, without reading on.
    limit = melody.LONGEST_SECONDS + 1
    samples = audio.load_mono(track.path, melody.SAMPLE_RATE, max_seconds=limit)
    transcribed = melody.transcribe(samples)
    return samples, transcribed, _stored(transcribed)


def _stored(found: melody.Melody) -> melodies.StoredMelody:
    classes = found.pitch_classes
    return melodies.StoredMelody(
        frames=None if classes is None else len(classes),
        pitch_classes=None if classes is None else melody.pack(classes),
        voiced_fraction=found.voiced_fraction,
        voiced=found.voiced,
        reason=found.reason,
    )
