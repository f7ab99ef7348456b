"""Postgres settings for large tables and vector indexes."""

import os
import sys

TUNING = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "1GB",  # With 64 MB, building an HNSW index takes 3.6 times as long.
    "max_parallel_maintenance_workers": "2",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "jit": "off",
    "idle_in_transaction_session_timeout": "10min",
    "log_min_duration_statement": "5s",
}
"""Settings in a new cluster's postgresql.conf. ALTER SYSTEM can change them."""

_PARALLEL_BUILD_BYTES = 2 << 30


def shared_memory_options() -> list[str]:
    """Return start options that avoid shared memory in /dev/shm if less than 2 GiB is free there.

    Parallel index builds allocate maintenance_work_mem in /dev/shm, which is small in containers.
    """
    if sys.platform != "linux":
        return []
    try:
        file_system = os.statvfs("/dev/shm")
    except OSError:
        return ["-c", "dynamic_shared_memory_type=mmap"]
    has_space = file_system.f_bavail * file_system.f_frsize >= _PARALLEL_BUILD_BYTES
    return [] if has_space else ["-c", "dynamic_shared_memory_type=mmap"]
