"""Estimates how long pending work still takes, from how fast it decreased in the last minutes."""

import threading
from collections import deque
from collections.abc import Hashable, Mapping
from itertools import pairwise

WINDOW_SECONDS = 180
"""Age of the oldest observation that is used, so that the estimate follows the present speed."""


class WorkRates:
    """The latest numbers of pending items. It can be shared by the threads of all viewers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observations: deque[tuple[float, Mapping[Hashable, int]]] = deque()

    def observe(self, seconds: float, items: Mapping[Hashable, int]) -> None:
        """Add the numbers of pending items by kind of work, at a time in seconds.

        A number that equals the last one is added too, because it shows that the work stands still.
        """
        with self._lock:
            self._observations.append((seconds, dict(items)))
            while self._observations[0][0] < seconds - WINDOW_SECONDS:
                self._observations.popleft()

    def seconds_left(self, work: Hashable) -> float | None:
        """Return the estimated time until a kind of work is done.

        Returns None if its number of items has decreased less than twice since it last increased:
        before the first decrease, it may have waited for other work.
        """
        with self._lock:
            observed = [(time, items.get(work, 0)) for time, items in self._observations]
        decreases: list[tuple[float, int]] = []
        for (_, before), (time, items) in pairwise(observed):
            if items > before:
                decreases = []
            elif items < before:
                decreases.append((time, items))
        if len(decreases) < 2:
            return None
        (first_time, first), (_, last) = decreases[0], decreases[-1]
        return last * (observed[-1][0] - first_time) / (first - last)
