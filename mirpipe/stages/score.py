"""Score: computes the scores of each usable track with the configured models, one score per axis.

A model call never contains windows of several tracks, so a score depends only on its own track.
Therefore, an interrupted and resumed run stores the same scores as an uninterrupted run. The model
receives the audio at its original level.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from more_itertools import batched

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, plugin_revisions, track_scores, tracks
from mirpipe.errors import PluginError, RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.library.track_silence import silence_of
from mirpipe.models import device_lease, package_versions
from mirpipe.models.runnable_plugins import (
    PluginAvailability,
    check_configured_plugins,
    try_plugin,
)
from mirpipe.protocols import TrackMetric
from mirpipe.records import AudioSegment, Float64, Progress, Score, Track
from mirpipe.specs import TrackMetricSpec
from mirpipe.statistics.length_weighted_mean import LengthWeightedMean

WINDOWS_PER_CALL = 64
"""Number of windows per model call. It limits the memory that a long track needs."""


@dataclass(frozen=True)
class ScoreBatch:
    """The tracks that one task scores with one model. There are none if the model is broken."""

    metric: str
    track_ids: tuple[int, ...]


@dataclass(frozen=True)
class ScoreResult:
    """Numbers of tracks, by result."""

    scored: int
    undefined: int
    """Tracks that have no score on at least one axis. The reason is stored instead."""
    rejected: int
    """Tracks that cannot be used. The failure ledger records the reason."""
    failed: int
    """Tracks that failed. The failure ledger records the cause, and the next run retries them."""


@dataclass(frozen=True)
class _LoadedModel:
    """A model with its specification, and the metric id of each axis."""

    plugin: TrackMetric
    spec: TrackMetricSpec
    metric_ids: Sequence[int]


def plan(
    metrics: Sequence[str], *, batch_tracks: int, tasks: int = 1, on_gpu: bool | None = None
) -> list[ScoreBatch]:
    """Return the pending tracks of the configured models in batches.

    The models are registered, see `configure`. A batch has at most `batch_tracks` tracks, and fewer
    if there would be less than one per task. A broken model stays configured, and has one batch
    without tracks, so that its task fails and reports the cause. `on_gpu` limits the plan to the
    models that can use a GPU, or to the others; all models stay configured.
    """
    availability, metric_ids = configure(metrics, on_gpu=on_gpu)
    batches = [ScoreBatch(name, ()) for name in availability.broken]
    for name, ids in metric_ids.items():
        with engine("app").connect() as connection:
            pending = track_scores.pending(connection, ids)
        size = max(1, min(batch_tracks, -(-len(pending) // tasks)))
        batches += [ScoreBatch(name, track_ids) for track_ids in batched(pending, size)]
    return batches


def configure(
    metrics: Sequence[str], *, on_gpu: bool | None = None
) -> tuple[PluginAvailability, dict[str, list[int]]]:
    """Register the configured models. Return which can run, and the ids of their axes by name.

    `metrics` are the names of the configured models; all others are marked as not configured.
    `on_gpu` limits the result to the models that can use a GPU, or to the others.
    """
    availability = check_configured_plugins(
        registry.TRACK_METRICS, metrics, stage="score", on_gpu=on_gpu
    )
    ids = {name: register(registry.TRACK_METRICS.spec(name)) for name in availability.usable}
    with engine("app").begin() as connection:
        plugin_revisions.unconfigure_other_track_metrics(
            connection, [name for name in metrics if name not in availability.unavailable]
        )
    return availability, ids


def register(spec: TrackMetricSpec) -> list[int]:
    """Register the model's current revision as the configured one, and return one id per axis."""
    with engine("app").begin() as connection:
        return plugin_revisions.register_track_metric(connection, spec, registry.revision(spec))


def score(
    metric: str,
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> ScoreResult:
    """Score all pending tracks, or only those in `track_ids`, with one transaction per batch.

    If the model cannot be loaded, the failure ledger records the cause, and all tracks count as
    failed. If the model computes on a GPU, the GPU is reserved; if another process uses it,
    `on_wait` is called with its name.
    """
    spec = registry.TRACK_METRICS.spec(metric)
    metric_ids = register(spec)
    counts = {"scored": 0, "undefined": 0, "rejected": 0, "failed": 0}
    if not _pending(metric_ids, track_ids):
        return ScoreResult(**counts)
    with device_lease.hold_gpu([registry.TRACK_METRICS.needs(metric)], on_wait=on_wait):
        pending = _pending(metric_ids, track_ids)
        if not pending:  # Another process has scored the tracks while this one waited.
            return ScoreResult(**counts)
        plugin = try_plugin(
            registry.TRACK_METRICS, metric, registry.TRACK_METRICS.load, stage="score"
        )
        if plugin is None:
            return ScoreResult(**counts | {"failed": len(pending)})
        model = _LoadedModel(plugin, spec, metric_ids)
        for ids in batched(pending, batch_tracks):
            with engine("app").connect() as connection:
                batch = tracks.usable_tracks(connection, ids)
            _score_batch(model, batch, counts, progress, len(pending))
    return ScoreResult(**counts)


def _pending(metric_ids: Sequence[int], track_ids: Sequence[int] | None) -> list[int]:
    with engine("app").connect() as connection:
        return track_scores.pending(connection, metric_ids, track_ids)


def _score_batch(
    model: _LoadedModel,
    batch: Sequence[Track],
    counts: dict[str, int],
    progress: Progress | None,
    total: int,
) -> None:
    """Score a batch of tracks, and update `counts`.

    The batch's scores and failures are stored in one transaction.
    """
    started = time.monotonic()
    scores: dict[int, list[Score]] = {}
    failed: list[tuple[Track, Exception]] = []
    for track in batch:
        outcome = result_or_error(_score_track, model, track)
        if isinstance(outcome, Exception):
            failed.append((track, outcome))
            counts["rejected" if isinstance(outcome, RejectedInput) else "failed"] += 1
        else:
            scores[track.track_id] = outcome
            is_complete = all(axis_score.reason is None for axis_score in outcome)
            counts["scored" if is_complete else "undefined"] += 1
        if progress:
            progress(sum(counts.values()), total)
    needs = registry.TRACK_METRICS.needs(model.spec.name)
    with engine("app").begin() as connection:
        track_scores.write(
            connection,
            model.metric_ids,
            scores,
            device=str(getattr(model.plugin, "device", "cpu")),
            versions=package_versions.installed_versions(needs.libraries),
            seconds=time.monotonic() - started,
        )
        failure_ledger.update_for_tracks(
            connection,
            stage="score",
            revision=registry.revision(model.spec),
            succeeded=[track for track in batch if track.track_id in scores],
            failed=failed,
        )


def _score_track(model: _LoadedModel, track: Track) -> list[Score]:
    """Return one score per axis: the mean over the track's windows, weighted by window length.

    Silent parts of the track are left out.
    """
    with content_hash.unchanged_copy(track) as path:
        return _score_file(model, track, path)


def _score_file(model: _LoadedModel, track: Track, path: Path) -> list[Score]:
    plugin, spec = model.plugin, model.spec
    request = audio.WindowRequest(
        spec.sample_rate,
        spec.window_samples,
        keep_tail=spec.keep_tail,
        silent_parts=silence_of(track, path).parts,
    )
    segments = (segment for _, segment in audio.read_windows(path, [request], mix=track.mono))
    mean = LengthWeightedMean(len(spec.axes))
    for call in batched(segments, WINDOWS_PER_CALL):
        lengths = np.array([len(segment.samples) for segment in call], dtype=np.float64)
        if not mean.total_length and lengths.sum() < spec.min_seconds * spec.sample_rate:
            return [Score(None, "too_little_sound")] * len(spec.axes)
        mean.add(_score_windows(plugin, spec, call), lengths)
    if not mean.total_length:
        return [Score(None, "no_window")] * len(spec.axes)
    return [Score(float(value)) for value in mean.mean()]


def _score_windows(
    plugin: TrackMetric, spec: TrackMetricSpec, segments: Sequence[AudioSegment]
) -> Float64:
    """Return the model's scores, shape (windows, axes), float64.

    Raises PluginError if the model returns scores of a different shape or that are not finite.
    """
    rows = plugin.score(segments)
    expected = (len(segments), len(spec.axes))
    if rows.shape != expected:
        raise PluginError(
            f"The track metric {spec.name} returned scores of shape {rows.shape} for "
            f"{len(segments)} windows, but the expected shape is {expected}: the plug-in is "
            "broken. Correct its method `score`."
        )
    if not np.isfinite(rows).all():
        raise PluginError(
            f"The track metric {spec.name} returned numbers that are not finite: the plug-in is "
            "broken. Correct its method `score`."
        )
    return rows.astype(np.float64)
