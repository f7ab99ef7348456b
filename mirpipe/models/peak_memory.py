"""Measures the largest memory of this process, or of its GPU, since `reset`."""

import sys
from contextlib import suppress
from pathlib import Path

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"
"""What to write to `clear_refs` to make the current memory the largest one.
Source: Documentation/filesystems/proc.rst of Linux."""


def reset() -> None:
    """Forget the largest memory so far. Without Linux's /proc, this does nothing."""
    with suppress(OSError):
        _CLEAR.write_text(_RESET_PEAK)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()


def read(device: str) -> int | None:
    """Return the largest memory since `reset`, in bytes, or None if it cannot be measured.

    For `cpu`, this is the resident memory of the process, with Python and the decoded audio. For a
    GPU, it is what torch has allocated there.
    """
    if device != "cpu":
        torch = sys.modules.get("torch")
        return None if torch is None else int(torch.cuda.max_memory_allocated(device)) or None
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    kibibytes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return 1024 * kibibytes[0] if kibibytes else None
