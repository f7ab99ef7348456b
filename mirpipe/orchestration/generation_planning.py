"""Plan the tasks of the DAG generate_music: find the pending work and divide it into tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

from more_itertools import batched

from mirpipe.orchestration.batch_grouping import group_batches
from mirpipe.settings import settings


def has_pending_work() -> bool:
    """Return whether a target needs features, a caption, a caption vector or a clip."""
    return bool(plan_analyse([]) or plan_caption([]) or plan_embed_captions() or plan_generate({}))


def plan_analyse(targets: Sequence[str]) -> list[list[int]]:
    """Return the track ids for each task that analyses targets without a melody or features.

    `targets` are target ids or titles; an empty list means all targets.
    """
    from mirpipe.stages import analyse

    if not settings().captioner:
        return []
    pending = _keep_named(analyse.plan("target"), targets)
    return group_batches([[track_id] for track_id in pending], max_groups=2 * settings().slots)


def plan_caption(targets: Sequence[str], *, on_gpu: bool | None = None) -> list[dict[str, Any]]:
    """Return the arguments of each task that captions targets: a captioner and track ids.

    Only targets that have features are captioned. All GPUs share them. `targets` are target ids or
    titles; an empty list means all targets. `on_gpu` limits the plan to a captioner that can use a
    GPU, or to others.
    """
    from mirpipe import registry
    from mirpipe.models.runnable_plugins import check_configured_plugins
    from mirpipe.stages import caption

    configured = list(filter(None, [settings().captioner]))
    found = check_configured_plugins(
        registry.CAPTIONERS, configured, stage="caption", on_gpu=on_gpu
    )
    tasks = []
    for name in found.usable:
        pending = _keep_named(caption.plan(name), targets)
        for track_ids in batched(pending, _share_of_gpu(len(pending), on_gpu)):
            tasks.append({"captioner": name, "track_ids": list(track_ids)})
    return tasks


def plan_embed_captions(*, on_gpu: bool | None = None) -> list[str]:
    """Return the encoders that can run and have captions to embed.

    `on_gpu` limits the plan to the encoders that can use a GPU, or to the others.
    """
    from mirpipe.stages import embed, evaluate

    evaluate.register()
    return embed.plan_captions(on_gpu=on_gpu)


def plan_generate(params: Mapping[str, Any], *, on_gpu: bool | None = None) -> list[dict[str, Any]]:
    """Return the arguments of each task that generates clips: a generator and target ids.

    All GPUs share the targets, unless the number of clips is limited. `params` are the DAG's
    parameters `targets`, `modes`, `seeds` and `limit`. `on_gpu` limits the plan to the generators
    that can use a GPU, or to the others.
    """
    from mirpipe import registry
    from mirpipe.models.runnable_plugins import check_configured_plugins
    from mirpipe.stages import generate

    configured = settings().generators if settings().captioner else []
    found = check_configured_plugins(
        registry.GENERATORS, configured, stage="generate", on_gpu=on_gpu
    )
    generate.deactivate_other_generators(configured)
    tasks = []
    for name in found.usable:
        request = generate.ClipSelection(
            target_ids=_target_ids(params.get("targets")) or None,
            modes=params.get("modes") or None,
            seeds=params.get("seeds"),
            limit=params.get("limit"),
        )
        targets = list(dict.fromkeys(clip.target_id for clip in generate.plan(name, request)))
        share = min(settings().batch_tracks, _share_of_gpu(len(targets), on_gpu))
        size = len(targets) if request.limit else share
        for track_ids in batched(targets, size or 1):
            tasks.append({"generator": name, "track_ids": list(track_ids)})
    return tasks


def _share_of_gpu(n: int, on_gpu: bool | None) -> int:
    """Return how many of n targets each task gets, at least one.

    Tasks of large models run one per GPU, so more tasks would only load the model again.
    """
    tasks = 1 if on_gpu is False else settings().gpu_slots
    return max(1, -(-n // tasks))


def _keep_named(track_ids: Sequence[int], targets: Sequence[str]) -> list[int]:
    """Return only the ids that belong to the named targets, or all ids if no target is named."""
    named = set(_target_ids(targets))
    return [track_id for track_id in track_ids if not named or track_id in named]


def _target_ids(targets: Sequence[str] | None) -> list[int]:
    """Return the ids of the named targets.

    Raises ConfigurationError if a name matches no target or several targets.
    """
    from mirpipe.db.queries.find_tracks import target_id_by_name

    return [target_id_by_name(name) for name in targets or ()]
