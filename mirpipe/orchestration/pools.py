"""Airflow's pools `stages` and `gpu`, which limit how many tasks run in parallel.

This module does not import Airflow, so that programs can read the pools without loading Airflow.
"""

from mirpipe.settings import settings

STAGES = "stages"
"""Pool for tasks that run a stage. MIRPIPE_SLOTS sets how many of them run in parallel."""

GPU = "gpu"
"""Pool and queue for tasks that use a GPU. MIRPIPE_GPU_SLOTS is the number of GPUs.

These tasks must not be deferrable: a deferred task releases its slot, so another task could use the
same GPU.
"""


def pool_slots() -> dict[str, int]:
    """Return the number of slots of each pool.

    Every pool that a task uses must be listed here, because a task waits forever if its pool does
    not exist.
    """
    return {STAGES: settings().slots, GPU: settings().gpu_slots}
