"""Airflow's pools, which limit how many tasks run in parallel: `stages` and `gpu`.

This module does not import Airflow, so that programs can read the pools without loading it.
"""

from typing import Any

from mirpipe.settings import settings

STAGES = "stages"
"""Pool of tasks that run a stage. MIRPIPE_SLOTS sets how many run in parallel."""

GPU = "gpu"
"""Pool and queue of tasks that load a large model. MIRPIPE_GPU_SLOTS is the number of GPUs.

These tasks must not be deferrable: a deferred task gives its slot back, and another task would
then take the GPU.
"""


def on_gpu() -> dict[str, Any]:
    """Return the arguments for `@task` of a task that captions or generates.

    They name the pool, the queue and, if one is configured, the executor.
    """
    executor = settings().gpu_executor
    return {"pool": GPU, "queue": GPU, **({"executor": executor} if executor else {})}


def pool_slots() -> dict[str, int]:
    """Return the number of slots per pool.

    All pools of tasks must be listed here: a task in a pool that does not exist waits forever.
    """
    return {STAGES: settings().slots, GPU: settings().gpu_slots}
