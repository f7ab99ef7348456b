"""Airflow's pools: how much runs side by side. Importing this does not import Airflow."""

from typing import Any

from mirpipe.settings import settings

STAGES = "stages"
"""Of tasks that run a stage: as many at once as there are cores to share."""
GPU = "gpu"
"""Pool and queue of tasks that load a large model: one at once a card. They never defer: a task
that waits outside of its slot would let another one take the card."""


def on_gpu() -> dict[str, Any]:
    """Where a task that captions or generates runs, as arguments of its decorator."""
    executor = settings().gpu_executor
    return {"pool": GPU, "queue": GPU, **({"executor": executor} if executor else {})}


def pools() -> dict[str, int]:
    """Slots of every pool that a task may name; in one that is not there it waits forever."""
    return {STAGES: settings().slots, GPU: settings().gpu_slots}
