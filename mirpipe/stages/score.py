"""Score: gives every usable track what the wanted models say of it, a number an axis.

A score depends on its own track alone: windows are never batched across tracks, so that a resumed
run writes the numbers that an undisturbed one would have written. The level stays as it is.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from more_itertools import batched

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, plugin_revisions, track_scores, tracks
from mirpipe.errors import PluginError, RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.models import library_versions
from mirpipe.models.runnable_plugins import attempt, available, forget_others
from mirpipe.protocols import TrackMetric
from mirpipe.records import AudioSegment, Progress, Score, Track
from mirpipe.specs import TrackMetricSpec

WINDOWS_PER_CALL = 64
"""Bounds memory however long a track is."""


@dataclass(frozen=True)
class ScoreBatch:
    """One task's worth of missing scores; no tracks where the model is broken."""

    metric: str
    track_ids: tuple[int, ...]


@dataclass(frozen=True)
class ScoreResult:
    """What became of the tracks that lacked a score."""

    scored: int
    undefined: int
    """Stored without a number, with the reason."""
    rejected: int
    """Unusable input: in the ledger with its reason."""
    failed: int
    """In the ledger, tried again by the next run."""


@dataclass(frozen=True)
class _Model:
    plugin: TrackMetric
    spec: TrackMetricSpec
    metric_ids: Sequence[int]


def plan(metrics: Sequence[str], *, batch_tracks: int) -> list[ScoreBatch]:
    """The missing scores of the available models in batches; no others are kept up to date.

    A broken model stays wanted and gets one batch without tracks, for a task that fails and says
    why.
    """
    tried = available(registry.TRACK_METRICS, metrics, stage="score")
    forget_others(registry.TRACK_METRICS, metrics, stage="score")
    batches = [ScoreBatch(name, ()) for name in tried.broken]
    for name in tried.usable:
        metric_ids = register(registry.TRACK_METRICS.spec(name))
        with engine("app").connect() as connection:
            missing = track_scores.pending(connection, metric_ids)
        batches += [ScoreBatch(name, ids) for ids in batched(missing, batch_tracks)]
    with engine("app").begin() as connection:
        plugin_revisions.want_only_track_metrics(connection, [*tried.usable, *tried.broken])
    return batches


def register(spec: TrackMetricSpec) -> list[int]:
    """The ids of the present revision's axes, made known to the database as the wanted ones."""
    with engine("app").begin() as connection:
        return plugin_revisions.register_track_metric(connection, spec, registry.revision(spec))


def score(
    metric: str,
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int,
    progress: Progress | None = None,
) -> ScoreResult:
    """Scores what is missing, of `track_ids` where given, with one transaction a batch.

    A model that cannot be loaded is in the ledger, and its tracks count as failed.
    """
    spec = registry.TRACK_METRICS.spec(metric)
    metric_ids = register(spec)
    with engine("app").connect() as connection:
        missing = track_scores.pending(connection, metric_ids, track_ids)
    counts = {"scored": 0, "undefined": 0, "rejected": 0, "failed": 0}
    if not missing:
        return ScoreResult(**counts)
    loaded = attempt(registry.TRACK_METRICS, metric, registry.TRACK_METRICS.load, stage="score")
    if loaded is None:
        return ScoreResult(**counts | {"failed": len(missing)})
    model = _Model(loaded, spec, metric_ids)
    for ids in batched(missing, batch_tracks):
        with engine("app").connect() as connection:
            batch = tracks.tracks(connection, ids)
        _score_batch(model, batch, counts, progress, len(missing))
    return ScoreResult(**counts)


def _score_batch(
    model: _Model,
    batch: Sequence[Track],
    counts: dict[str, int],
    progress: Progress | None,
    total: int,
) -> None:
    started = time.monotonic()
    found: dict[int, list[Score]] = {}
    problems: list[tuple[Track, Exception]] = []
    for track in batch:
        outcome = result_or_error(_scores, model, track)
        if isinstance(outcome, Exception):
            problems.append((track, outcome))
            counts["rejected" if isinstance(outcome, RejectedInput) else "failed"] += 1
        else:
            found[track.track_id] = outcome
            counts["scored" if all(one.reason is None for one in outcome) else "undefined"] += 1
        if progress:
            progress(sum(counts.values()), total)
    with engine("app").begin() as connection:
        track_scores.write(
            connection,
            model.metric_ids,
            found,
            device=str(getattr(model.plugin, "device", "cpu")),
            versions=library_versions.of(registry.TRACK_METRICS.needs(model.spec.name).libraries),
            seconds=time.monotonic() - started,
        )
        failure_ledger.settle(
            connection,
            stage="score",
            revision=registry.revision(model.spec),
            done=[track for track in batch if track.track_id in found],
            problems=problems,
        )


def _scores(model: _Model, track: Track) -> list[Score]:
    """By axis, the mean over the track's windows, weighted by their length."""
    content_hash.require_unchanged(track)
    plugin, spec = model.plugin, model.spec
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples, keep_tail=spec.keep_tail)
    segments = (segment for _, segment in audio.windows(track.path, [request]))
    total, weight = np.zeros(len(spec.axes)), 0.0
    for call in batched(segments, WINDOWS_PER_CALL):
        lengths = np.array([len(segment.samples) for segment in call], dtype=np.float64)
        total += lengths @ _rows(plugin, spec, call)
        weight += lengths.sum()
    if not weight:
        return [Score(None, "no_window")] * len(spec.axes)
    return [Score(float(value)) for value in total / weight]


def _rows(plugin: TrackMetric, spec: TrackMetricSpec, call: Sequence[AudioSegment]) -> np.ndarray:
    rows = plugin.score(call)
    expected = (len(call), len(spec.axes))
    if rows.shape != expected:
        raise PluginError(
            f"{spec.name} returned {rows.shape} for {len(call)} windows, not {expected}: "
            "the plug-in is broken"
        )
    if not np.isfinite(rows).all():
        raise PluginError(f"{spec.name} returned numbers that are not finite")
    return rows.astype(np.float64)
