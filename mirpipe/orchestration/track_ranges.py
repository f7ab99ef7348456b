"""Track ids as ranges, so that the plan of a large library is small enough for XCom.

Airflow stores each XCom in its database and sends it to each task. The ids of a new library follow
each other, so a million ids are a few ranges.
"""

from collections.abc import Iterable
from typing import Any

from more_itertools import consecutive_groups

TrackRanges = dict[str, Any]
"""`ranges`: first and last id of each range; `tracks`: number of ids. It can be written as JSON."""


def to_ranges(track_ids: Iterable[int]) -> TrackRanges:
    """Return the ranges that contain exactly these ids, which must be different."""
    groups = (list(group) for group in consecutive_groups(sorted(track_ids)))
    ranges = [[group[0], group[-1]] for group in groups]
    return {"ranges": ranges, "tracks": sum(last - first + 1 for first, last in ranges)}


def ids_in(ranges: TrackRanges) -> list[int]:
    """Return the ids in these ranges, in ascending order."""
    return [id_ for first, last in ranges["ranges"] for id_ in range(first, last + 1)]
