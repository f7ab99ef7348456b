"""Group batches of tracks into a limited number of Airflow tasks."""

import math
from collections.abc import Sequence

from more_itertools import batched

MAX_TASKS = 24
"""Largest number of short tasks per DAG run that do the same work on different tracks.

Each task takes an extra half second, and a DAG run with thousands of tasks is hard to read.
"""
TASK_SECONDS = 600
"""Longest time of a task, in seconds. If MAX_TASKS tasks would take longer, there are more tasks.

A worker that is restarted loses little, and Airflow's page shows the progress.
"""
MAX_LONG_TASKS = 500
"""Largest number of tasks of a plan if there is so much work that they take longer.

Airflow refuses a plan with more than 1,024 tasks.
"""


def group_batches(
    batches: Sequence[Sequence[int]],
    *,
    max_groups: int = MAX_TASKS,
    seconds_per_track: float = 0,
    parts: int = 1,
) -> list[list[int]]:
    """Return the track ids of the batches in at most `max_groups` lists, or more if they take long.

    `seconds_per_track` is the expected time per track, in seconds. `parts` is the number of lists
    of batches in the plan, which share its largest number of tasks. The order of the ids is kept,
    and no batch is split.
    """
    seconds = seconds_per_track * sum(len(batch) for batch in batches)
    groups = max(max_groups, min(MAX_LONG_TASKS // parts, math.ceil(seconds / TASK_SECONDS)))
    size = -(-len(batches) // groups) or 1
    return [[track_id for batch in group for track_id in batch] for group in batched(batches, size)]
