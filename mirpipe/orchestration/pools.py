"""Airflow's pools: how much runs side by side. Importing this does not import Airflow."""

from mirpipe.settings import settings

STAGES = "stages"
"""Of tasks that run a stage: as many at once as there are cores to share."""


def pools() -> dict[str, int]:
    """Slots of every pool that a task may name; in one that is not there it waits forever."""
    return {STAGES: settings().slots}
