"""Group batches of tracks into a limited number of Airflow tasks."""

from collections.abc import Sequence

from more_itertools import batched

MAX_TASKS = 24
"""Largest number of tasks per DAG run that do the same work on different tracks.

Each task takes an extra half second, and a DAG run with thousands of tasks is hard to read.
"""


def group_batches(
    batches: Sequence[Sequence[int]], *, max_groups: int = MAX_TASKS
) -> list[list[int]]:
    """Return the track ids of the batches in at most `max_groups` lists.

    The order of the ids is kept, and no batch is split.
    """
    size = -(-len(batches) // max_groups) or 1
    return [[track_id for batch in group for track_id in batch] for group in batched(batches, size)]
