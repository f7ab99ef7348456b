"""What the machine offers: room on its disks, and a graphics card."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mirpipe.models import weight_files
from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.settings import settings

LITTLE_BYTES, NO_BYTES = 10 << 30, 1 << 30
"""Free space below which there is a warning, and a problem."""
_ASK_CARDS = ("--query-gpu=name,memory.total", "--format=csv,noheader")


def disk() -> Iterator[Finding]:
    """Free space, and the right to write, where data, clips and weights are kept."""
    folders = {
        "data": settings().home,
        "clips": settings().clips_folder,
        "weights": weight_files.folder(),
    }
    said = set()
    for what, folder in folders.items():
        there = _existing(folder)
        if not os.access(there, os.W_OK):
            yield problem("disk", f"{what}: {there} cannot be written", f"chown or chmod {there}")
        if (device := there.stat().st_dev) in said:
            continue
        said.add(device)
        free = shutil.disk_usage(there).free
        message = f"{what}: {free / (1 << 30):.1f} GB free at {there}"
        if free < LITTLE_BYTES:
            level = problem if free < NO_BYTES else warning
            yield level("disk", message, "make room, or set MIRPIPE_HOME to a larger disk")
        else:
            yield ok("disk", message)


def gpu() -> Iterator[Finding]:
    """The graphics cards that the driver shows, where the settings let models use one."""
    asked = settings().device
    if found := cards():
        yield ok("gpu", "; ".join(found))
    elif asked == "cuda":
        remedy = "install NVIDIA's driver, or set MIRPIPE_DEVICE=auto"
        yield problem("gpu", "MIRPIPE_DEVICE is cuda, and nvidia-smi shows no card", remedy)
    else:
        yield ok("gpu", "none; models run on the processor")


def cards() -> list[str]:
    """Name and memory of each card that NVIDIA's driver shows."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = subprocess.run(
        [program, *_ASK_CARDS], capture_output=True, text=True, timeout=30, check=False
    )
    return asked.stdout.strip().splitlines() if asked.returncode == 0 else []


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
