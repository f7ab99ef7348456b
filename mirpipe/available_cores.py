"""How many CPU cores this process may use."""

import os
from pathlib import Path

_CONTAINER_CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""File with this container's CPU limit: the CPU time per period and the period, in microseconds."""


def available_cores() -> int:
    """Return the number of CPU cores that the affinity and the container's limit allow."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    try:
        quota, period = _CONTAINER_CPU_LIMIT.read_text().split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # There is no control group, or the quota is "max": no limit.
        return cores
