"""Plan the tasks that embed, analyse and score: find the pending work and divide it into tasks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from more_itertools import batched

from mirpipe.orchestration.batch_grouping import MAX_TASKS, group_batches
from mirpipe.orchestration.plan_limit import ASSUMED_SECONDS, limited, seconds_per_track
from mirpipe.settings import settings

SHORTEST_ANALYSIS = 900.0
"""Least audio for each of several tasks that analyse, in seconds. A task uses at least two threads,
and its start takes as long as the analysis of two minutes of audio."""
SHORTEST_EMBEDDING = 60.0
"""Least expected time for each of several tasks that embed on one machine, in seconds. Each task
loads all of its encoders, so that several short tasks would mostly load them."""
_TRACK_STAGES = {"embed", "score", "analyse"}
_GENERATION_STAGES = {"caption", "embed captions", "generate"}


@dataclass(frozen=True)
class Plan:
    """The tasks of a stage in this run."""

    tasks: list[Any]
    """Arguments of each task."""
    left_out: int = 0
    """Number of pending tracks that a later run processes. A track counts once for each group of
    encoders and for each model that scores."""


def has_pending_work() -> bool:
    """Return whether any work other than captioning and generation is pending."""
    from mirpipe.db import queries

    pending = [work for work in queries.pending_work() if work.stage not in _GENERATION_STAGES]
    return bool(plan_embed().tasks or plan_analyse().tasks or plan_scores().tasks or pending)


def pending_to_announce(left_out: int, *, announced: int | None) -> int | None:
    """Return the number of pending results if another run should follow, or None.

    `left_out` is the number of tracks that the plans of this run have left out. `announced` is the
    number that was last returned. If nothing was processed since then, no other run follows, so
    tracks that fail in every run do not start runs for ever.
    """
    from mirpipe.db import queries

    if not left_out:
        return None
    pending = sum(work.items for work in queries.pending_work() if work.stage in _TRACK_STAGES)
    return None if pending == announced else pending


def plan_embed(*, on_gpu: bool | None = None, references: bool = True) -> Plan:
    """Return the tasks that embed tracks: the encoder names and track ids of each task.

    Encoders that have the same pending tracks share a task. Without GPU workers, work of less than
    a minute is one task. A broken encoder has one task without tracks; that task fails and reports
    the cause. `on_gpu` limits the plan to the encoders that can use a GPU, or to the others. If
    `references` is false, only targets and clips are embedded.
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
    seconds = seconds_per_track()
    tasks, left_out = [], 0
    for encoders, pending in batches_by_encoders.items():
        id_batches, others = _limit(pending, "embed", references=references)
        left_out += others
        per_track = sum(seconds.get(name, ASSUMED_SECONDS) for name in encoders)
        expected = per_track * sum(len(track_ids) for track_ids in id_batches)
        short_tasks = max(1, math.ceil(expected / SHORTEST_EMBEDDING))
        tasks += [
            {"encoders": list(encoders), "track_ids": track_ids}
            for track_ids in group_batches(
                id_batches,
                max_groups=min(MAX_TASKS, short_tasks) if on_gpu is None else MAX_TASKS,
                seconds_per_track=per_track,
                parts=len(batches_by_encoders),
            )
        ]
    return Plan(tasks, left_out)


def plan_analyse(*, references: bool = True) -> Plan:
    """Return the tasks that analyse tracks without a melody or features: the ids of their tracks.

    Few tracks are divided into as many tasks as can run at the same time, but into fewer tasks if
    these would be short. If `references` is false, only targets and clips are analysed.
    """
    from mirpipe.db.engine import engine
    from mirpipe.db.store import tracks
    from mirpipe.stages import analyse, evaluate

    evaluate.register()
    pending, configured = analyse.plan(), settings()
    track_ids = limited(pending, stage="analyse", references=references)
    with engine("app").connect() as connection:
        seconds = tracks.total_seconds(connection, track_ids)
    share = -(-len(track_ids) // max(1, min(configured.slots, int(seconds / SHORTEST_ANALYSIS))))
    batches = list(batched(track_ids, min(configured.batch_tracks, share or 1)))
    tasks = group_batches(batches, seconds_per_track=ASSUMED_SECONDS)
    return Plan(tasks, len(pending) - len(track_ids))


def plan_scores(*, on_gpu: bool | None = None, references: bool = True) -> Plan:
    """Return the tasks that score tracks: the track metric and the track ids of each task.

    A broken track metric has one task without tracks; that task fails and reports the cause.
    `on_gpu` limits the plan to the metrics that can use a GPU, or to the others. If `references` is
    false, only targets and clips are scored.
    """
    from mirpipe.stages import score

    batches_by_metric: dict[str, list[Sequence[int]]] = {}
    configured = settings()
    for batch in score.plan(
        configured.metrics,
        batch_tracks=configured.batch_tracks,
        tasks=configured.gpu_slots if on_gpu else 1,
        on_gpu=on_gpu,
    ):
        batches_by_metric.setdefault(batch.metric, []).append(batch.track_ids)
    tasks, left_out = [], 0
    for metric, pending in batches_by_metric.items():
        id_batches, others = _limit(pending, "score", references=references)
        left_out += others
        tasks += [
            {"metric": metric, "track_ids": track_ids}
            for track_ids in group_batches(
                id_batches, seconds_per_track=ASSUMED_SECONDS, parts=len(batches_by_metric)
            )
        ]
    return Plan(tasks, left_out)


def _limit(
    batches: Sequence[Sequence[int]], stage: str, *, references: bool
) -> tuple[Sequence[Sequence[int]], int]:
    """Return the batches that a plan contains, and the number of tracks that are left out."""
    pending = [track_id for batch in batches for track_id in batch]
    track_ids = limited(pending, stage=stage, references=references)
    if len(track_ids) == len(pending):
        return batches, 0
    return list(batched(track_ids, len(batches[0]))), len(pending) - len(track_ids)
