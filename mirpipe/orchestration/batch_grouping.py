"""Group batches of tracks into a limited number of Airflow tasks."""

from collections.abc import Sequence

MAX_TASKS = 24
"""Largest number of tasks per DAG run that do the same work on different tracks.

Each task costs half a second, and a DAG run of thousands of tasks is hard to read.
"""


def group_batches(
    batches: Sequence[Sequence[int]], *, max_groups: int = MAX_TASKS
) -> list[list[int]]:
    """Return the track ids of the batches in at most `max_groups` lists.

    The order of the ids is kept, and no batch is split.
    """
    size = -(-len(batches) // max_groups) or 1
    groups = [batches[start : start + size] for start in range(0, len(batches), size)]
    return [[track_id for batch in group for track_id in batch] for group in groups]
