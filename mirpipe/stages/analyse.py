"""Analyse: measures the melody and the features of each usable track, which is decoded only once.

Silent parts of a track are left out, and the stored times are those of the track. Comparisons,
captions and clips use the stored results, so they need not measure the track again.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from more_itertools import batched
from threadpoolctl import threadpool_limits

from mirpipe import audio, registry
from mirpipe.available_cores import available_cores
from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, melodies, plugin_revisions, track_features, tracks
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.library.track_silence import silence_of
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes as melody
from mirpipe.music.features.pitch_class_packing import pack_pitch_classes
from mirpipe.music.features.track_time import SilentParts
from mirpipe.records import Collection, Float32, Progress, Track
from mirpipe.settings import settings

MAX_THREADS = 4
"""Largest number of threads. Each thread needs about 1.5 GB for a track of the maximum length."""


@dataclass(frozen=True)
class AnalyseResult:
    """Numbers of tracks that were measured, rejected, or failed and will be tried again."""

    measured: int
    rejected: int
    failed: int


@dataclass(frozen=True)
class MetricIds:
    """Ids of the configured melody and features revisions."""

    melody: int
    features: int


@dataclass(frozen=True)
class _Measurement:
    """The results for one track, and the error that stopped the measurement, if there was one."""

    melody: melodies.StoredMelody | None = None
    features: track_features.Row | None = None
    problem: Exception | None = None


def register() -> MetricIds:
    """Register the current melody and features revisions as configured, and return their ids."""
    with engine("app").begin() as connection:
        ids = [
            plugin_revisions.register_metric(connection, spec, registry.metric_revision(spec))
            for spec in (melody.MELODY, features.SPEC)
        ]
    return MetricIds(*ids)


def plan(collection: Collection | None = None) -> list[int]:
    """Return the ids of the tracks without a melody or without features.

    Only tracks of `collection` are returned, or tracks of all collections if it is None.
    """
    pending = _pending(register(), None)
    if collection is None:
        return pending
    with engine("app").connect() as connection:
        pending_tracks = tracks.usable_tracks(connection, pending)
    return [track.track_id for track in pending_tracks if track.collection == collection]


def analyse(
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int = 16,
    progress: Progress | None = None,
) -> AnalyseResult:
    """Measure all pending tracks, or only those in `track_ids`, with one transaction per batch."""
    metric_ids = register()
    pending = _pending(metric_ids, track_ids)
    counts = {"measured": 0, "rejected": 0, "failed": 0}
    threads = min(MAX_THREADS, max(2, available_cores() // settings().slots))
    # BLAS uses one thread per track. Further BLAS threads would wait in busy loops and double the
    # CPU time.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for ids in batched(pending, batch_tracks):
            with engine("app").connect() as connection:
                batch = tracks.usable_tracks(connection, ids)
            measurements: dict[Track, _Measurement] = {}
            for track, measurement in zip(batch, pool.map(_measure, batch), strict=True):
                measurements[track] = measurement
                counts[_count_as(measurement)] += 1
                if progress:
                    progress(sum(counts.values()), len(pending))
            _write(metric_ids, measurements)
    return AnalyseResult(**counts)


def _pending(metric_ids: MetricIds, track_ids: Sequence[int] | None) -> list[int]:
    """Return the sorted ids of the tracks without a melody or without features."""
    with engine("app").connect() as connection:
        return sorted(
            {
                *melodies.pending(connection, metric_ids.melody, track_ids),
                *track_features.pending(connection, metric_ids.features, track_ids),
            }
        )


def _count_as(measurement: _Measurement) -> str:
    if measurement.problem is None:
        return "measured"
    return "rejected" if isinstance(measurement.problem, RejectedInput) else "failed"


def _write(metric_ids: MetricIds, measurements: dict[Track, _Measurement]) -> None:
    """Store a batch's results and update the failure ledger in one transaction."""
    items = list(measurements.items())
    with engine("app").begin() as connection:
        melodies.write(
            connection,
            metric_ids.melody,
            {track.track_id: result.melody for track, result in items if result.melody},
        )
        track_features.write(
            connection,
            metric_ids.features,
            {track.track_id: result.features for track, result in items if result.features},
        )
        failure_ledger.update_for_tracks(
            connection,
            stage="analyse",
            revision=registry.metric_revision(features.SPEC),
            succeeded=[track for track, result in items if result.problem is None],
            failed=[(track, result.problem) for track, result in items if result.problem],
        )


def _measure(track: Track) -> _Measurement:
    transcription = result_or_error(_transcribe, track)
    if isinstance(transcription, Exception):
        return _Measurement(problem=transcription)
    samples, silent_parts, transcribed = transcription
    stored_melody = _to_row(features.melody_in_track(transcribed, silent_parts, track.seconds))
    row = result_or_error(_feature_row, samples, silent_parts, transcribed)
    if isinstance(row, Exception):
        return _Measurement(stored_melody, problem=row)
    return _Measurement(stored_melody, row)


def _transcribe(track: Track) -> tuple[Float32, SilentParts, melody.Melody]:
    """Return the samples of the track's sounding parts, its silent parts, and its melody.

    The times of the melody are those of the joined sounding parts.
    """
    # One second more than the limit is decoded, which is enough to recognise a track that is too
    # long.
    max_seconds = melody.LONGEST_SECONDS + 1
    with content_hash.unchanged_copy(track) as path:
        silent_parts = silence_of(track, path).parts
        samples = audio.load_sounding(
            path, melody.SAMPLE_RATE, silent_parts, mix=track.mono, max_seconds=max_seconds
        )
    return samples, silent_parts, melody.transcribe_melody(samples)


def _feature_row(
    samples: Float32, silent_parts: SilentParts, transcribed: melody.Melody
) -> track_features.Row:
    measured = features.measure(samples, transcribed)
    return features.to_row(features.features_in_track(measured, silent_parts))


def _to_row(transcribed: melody.Melody) -> melodies.StoredMelody:
    pitch_classes = transcribed.pitch_classes
    return melodies.StoredMelody(
        frames=None if pitch_classes is None else len(pitch_classes),
        pitch_classes=None if pitch_classes is None else pack_pitch_classes(pitch_classes),
        voiced_fraction=transcribed.voiced_fraction,
        voiced=transcribed.voiced,
        reason=transcribed.reason,
    )
