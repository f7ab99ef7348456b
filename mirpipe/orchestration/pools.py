"""Airflow's pools `stages` and `gpu`, which limit how many tasks run in parallel.

This module does not import Airflow, so that programs can read the pools without loading Airflow.
"""

from typing import Any

from mirpipe.settings import settings

STAGES = "stages"
"""Pool for tasks that run a stage. MIRPIPE_SLOTS sets how many of them run in parallel."""

GPU = "gpu"
"""Pool and queue for tasks that need a GPU. MIRPIPE_GPU_SLOTS is the number of GPUs.

These tasks must not be deferrable: a deferred task releases its slot, so another task could use the
same GPU.
"""


def on_gpu() -> dict[str, Any]:
    """Return the `@task` arguments for a task that captions or generates.

    The arguments name the pool, the queue and, if it is configured, the executor.
    """
    executor = settings().gpu_executor
    return {"pool": GPU, "queue": GPU, **({"executor": executor} if executor else {})}


def on_gpu_if_required() -> dict[str, Any]:
    """Return the `@task` arguments for a task that embeds or scores.

    If MIRPIPE_DEVICE is `cuda`, the task runs where `on_gpu` runs it, because other workers may
    have no GPU. If it is `auto`, the task runs in the pool `stages`, and uses a GPU if its worker
    has one. In this case, the device lease prevents two tasks from using the GPU at the same time.
    """
    return on_gpu() if settings().device == "cuda" else {"pool": STAGES}


def pool_slots() -> dict[str, int]:
    """Return the number of slots of each pool.

    Every pool that a task uses must be listed here, because a task waits forever if its pool does
    not exist.
    """
    return {STAGES: settings().slots, GPU: settings().gpu_slots}
