"""Plan the tasks that embed, analyse and score: find the pending work and divide it into tasks."""

from collections.abc import Sequence
from typing import Any

from more_itertools import batched

from mirpipe.orchestration.batch_grouping import group_batches
from mirpipe.settings import settings

ASSUMED_SECONDS = 1.0
"""Expected time per track where it is not measured, in seconds."""
SMALLEST_ANALYSIS = 8
"""Fewest tracks for which a second task that analyses is started. A start takes 3 CPU-seconds."""
_GENERATION_STAGES = {"caption", "embed captions", "generate"}


def has_pending_work() -> bool:
    """Return whether any work other than captioning and generation is pending."""
    from mirpipe.db import queries

    pending = [work for work in queries.pending_work() if work.stage not in _GENERATION_STAGES]
    return bool(plan_embed() or plan_analyse() or plan_scores() or pending)


def plan_embed(*, on_gpu: bool | None = None) -> list[dict[str, Any]]:
    """Return the arguments of each task that embeds tracks: encoder names and track ids.

    Encoders that have the same pending tracks share a task. A broken encoder has one task without
    tracks; that task fails and reports the cause. `on_gpu` limits the plan to the encoders that can
    use a GPU, or to the others.
    """
    from mirpipe.stages import embed

    configured = settings()
    batches = embed.plan(
        configured.encoders,
        batch_tracks=configured.batch_tracks,
        tasks=configured.gpu_slots if on_gpu else configured.slots,
        on_gpu=on_gpu,
    )
    batches_by_encoders: dict[tuple[str, ...], list[Sequence[int]]] = {}
    for batch in batches:
        batches_by_encoders.setdefault(batch.encoders, []).append(batch.track_ids)
    seconds = _seconds_per_track()
    return [
        {"encoders": list(encoders), "track_ids": track_ids}
        for encoders, id_batches in batches_by_encoders.items()
        for track_ids in group_batches(
            id_batches,
            seconds_per_track=sum(seconds.get(encoder, ASSUMED_SECONDS) for encoder in encoders),
            parts=len(batches_by_encoders),
        )
    ]


def plan_analyse() -> list[list[int]]:
    """Return the track ids for each task that analyses tracks without a melody or features.

    Few tracks are divided into as many tasks as can run at the same time.
    """
    from mirpipe.stages import analyse, evaluate

    evaluate.register()
    pending, configured = analyse.plan(), settings()
    share = max(SMALLEST_ANALYSIS, -(-len(pending) // configured.slots))
    batches = list(batched(pending, min(configured.batch_tracks, share)))
    return group_batches(batches, seconds_per_track=ASSUMED_SECONDS)


def plan_scores(*, on_gpu: bool | None = None) -> list[dict[str, Any]]:
    """Return the arguments of each task that scores tracks: a track metric and track ids.

    A broken track metric has one task without tracks; that task fails and reports the cause.
    `on_gpu` limits the plan to the metrics that can use a GPU, or to the others.
    """
    from mirpipe.stages import score

    batches_by_metric: dict[str, list[tuple[int, ...]]] = {}
    configured = settings()
    for batch in score.plan(
        configured.metrics, batch_tracks=configured.batch_tracks, on_gpu=on_gpu
    ):
        batches_by_metric.setdefault(batch.metric, []).append(batch.track_ids)
    return [
        {"metric": metric, "track_ids": track_ids}
        for metric, id_batches in batches_by_metric.items()
        for track_ids in group_batches(
            id_batches, seconds_per_track=ASSUMED_SECONDS, parts=len(batches_by_metric)
        )
    ]


def _seconds_per_track() -> dict[str, float]:
    """Return how long each encoder took per track lately, in seconds."""
    from mirpipe.db.engine import engine
    from mirpipe.db.store import embeddings

    with engine("app").connect() as connection:
        return embeddings.seconds_per_track(connection)
