"""The groups of workers that run plug-ins: the workers of the default queue, and those with a GPU.

Airflow fixes a task's queue when it loads the DAG, and a mapped task has one queue. Therefore, a
DAG has one planning task and one mapped task per stage and group of workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mirpipe.orchestration.pools import GPU, STAGES
from mirpipe.settings import settings


@dataclass(frozen=True)
class WorkerGroup:
    """Workers of one queue, and the `@task` arguments for the tasks that they run."""

    on_gpu: bool | None
    """Whether the plug-ins of these tasks can use a GPU. None if the group runs all plug-ins."""
    task_suffix: str
    """End of the names of these tasks."""
    planning: Mapping[str, Any]
    """Arguments for a task that plans the work of these workers. It must run on one of them,
    because the others might lack the libraries of the plug-ins."""
    stages: Mapping[str, Any]
    """Arguments for a task that embeds or scores."""
    large_models: Mapping[str, Any]
    """Arguments for a task that captions or generates."""


def worker_groups() -> list[WorkerGroup]:
    """Return the groups of workers that the settings describe.

    With MIRPIPE_GPU_WORKERS, tasks whose plug-ins can use a GPU run in the pool and queue `gpu`.
    Otherwise, one group runs all tasks. In this case, tasks that caption or generate run in the
    pool `gpu` of the default queue, because these models reserve a GPU or the whole CPU, so that
    more of them would only wait.
    """
    in_stages = {"pool": STAGES}
    if not settings().gpu_workers:
        return [WorkerGroup(None, "", {}, in_stages, {"pool": GPU})]
    executor = settings().gpu_executor
    with_gpu = {"pool": GPU, "queue": GPU, **({"executor": executor} if executor else {})}
    return [
        WorkerGroup(False, "", {}, in_stages, in_stages),
        WorkerGroup(True, "_on_gpu", with_gpu, with_gpu, with_gpu),
    ]
