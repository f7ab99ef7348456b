"""The Airflow tasks that caption targets, embed the captions and generate clips.

Each group of workers has its own planning tasks and mapped tasks.
"""

from typing import Any

from airflow.sdk import chain, task

from mirpipe.orchestration import generation_planning, stage_tasks
from mirpipe.orchestration.worker_groups import WorkerGroup, worker_groups


def add_generation_tasks(*, after: Any) -> list[Any]:
    """Add the tasks from caption to generate to the current DAG, and return all added tasks.

    The added tasks start when the task `after` has ended, even if it has failed.
    """
    caption_plans, captioned, plans, ends = [], [], [], []
    for group in worker_groups():
        caption_plan, caption = _add_caption_tasks(group)
        caption_plans.append(caption_plan)
        captioned.append(caption)
        for plan, mapped in (_add_caption_vector_tasks(group), _add_generate_tasks(group)):
            plans.append(plan)
            ends.append(mapped)
    chain(after, caption_plans)
    for caption in captioned:
        chain(caption, plans)
    return [*caption_plans, *captioned, *plans, *ends]


def _add_caption_tasks(group: WorkerGroup) -> tuple[Any, Any]:
    """Add the tasks that caption on this group of workers: a planning task and a mapped task."""

    @task(trigger_rule="all_done", task_id=f"plan_caption{group.task_suffix}", **group.planning)
    def plan(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        assert params is not None  # Airflow always passes the parameters.
        return generation_planning.plan_caption(params["targets"] or [], on_gpu=group.on_gpu)

    @task(
        task_id=f"caption{group.task_suffix}",
        map_index_template="{{ task.op_kwargs.captioner }}, "
        "{{ task.op_kwargs.track_ids | length }} targets",
        **group.large_models,
    )
    def caption(captioner: str, track_ids: list[int]) -> dict[str, Any]:
        return stage_tasks.caption(captioner, track_ids)

    planned = plan()
    return planned, caption.expand_kwargs(planned)


def _add_caption_vector_tasks(group: WorkerGroup) -> tuple[Any, Any]:
    """Add the tasks that embed captions on these workers: a planning task and a mapped task."""
    suffix = group.task_suffix

    @task(trigger_rule="all_done", task_id=f"plan_embed_captions{suffix}", **group.planning)
    def plan() -> list[str]:
        return generation_planning.plan_embed_captions(on_gpu=group.on_gpu)

    @task(
        task_id=f"embed_captions{suffix}",
        map_index_template="{{ task.op_kwargs.encoder }}",
        **group.stages,
    )
    def embed_captions(encoder: str) -> dict[str, Any]:
        return stage_tasks.embed_captions(encoder)

    planned = plan()
    return planned, embed_captions.expand(encoder=planned)


def _add_generate_tasks(group: WorkerGroup) -> tuple[Any, Any]:
    """Add the tasks that generate on this group of workers: a planning task and a mapped task."""

    @task(trigger_rule="all_done", task_id=f"plan_generate{group.task_suffix}", **group.planning)
    def plan(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        assert params is not None
        return generation_planning.plan_generate(params, on_gpu=group.on_gpu)

    @task(
        task_id=f"generate{group.task_suffix}",
        map_index_template="{{ task.op_kwargs.generator }}, "
        "{{ task.op_kwargs.track_ids | length }} targets",
        **group.large_models,
    )
    def generate(
        generator: str, track_ids: list[int], params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        assert params is not None
        return stage_tasks.generate(generator, track_ids, params)

    planned = plan()
    return planned, generate.expand_kwargs(planned)
