"""Machine checks: free disk space, write permission, GPUs, ffmpeg and Chromaprint."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mirpipe.audio import has_ffmpeg
from mirpipe.audio.chromaprint import find_library
from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.settings import settings

WARNING_BYTES, PROBLEM_BYTES = 10 << 30, 1 << 30
"""Free disk space below which a warning or a problem is reported."""
_CARD_OPTIONS = ("--query-gpu=name,memory.total", "--format=csv,noheader")


def disk() -> Iterator[Finding]:
    """Check free disk space and write permission for data, clips, weights and copies of objects."""
    folders = {
        "data": settings().home,
        "clips": settings().clips_folder,
        "weights": settings().weights_folder,
        "copies of objects": settings().object_cache,
    }
    checked_devices = set()
    for name, folder in folders.items():
        if not isinstance(folder, Path):
            continue
        existing = _existing(folder)
        if not os.access(existing, os.W_OK):
            remedy = f"allow writing to {existing} with chown or chmod"
            yield problem("disk", f"{name}: no permission to write to {existing}", remedy)
        if (device := existing.stat().st_dev) in checked_devices:
            continue
        checked_devices.add(device)
        free = shutil.disk_usage(existing).free
        message = f"{name}: {free / (1 << 30):.1f} GB free at {existing}"
        if free < WARNING_BYTES:
            level = problem if free < PROBLEM_BYTES else warning
            yield level("disk", message, "delete files, or set MIRPIPE_HOME to a larger disk")
        else:
            yield ok("disk", message)


def ffmpeg() -> Iterator[Finding]:
    """Check for the program ffmpeg."""
    if has_ffmpeg():
        yield ok("ffmpeg", "installed")
        return
    yield warning(
        "ffmpeg",
        "not installed: M4A, WMA and other formats cannot be read, and a retagged MP3, Ogg or Opus "
        "file is a new track",
        "install it (Debian: apt-get install ffmpeg), and run `mirpipe ingest` again",
    )


def chromaprint() -> Iterator[Finding]:
    """Check for the library that computes fingerprints."""
    if find_library():
        yield ok("chromaprint", "libchromaprint is installed")
        return
    yield warning(
        "chromaprint",
        "libchromaprint is not installed: copies and cuts of the same recording are not found",
        "install it (Debian: apt-get install libchromaprint1), and run `mirpipe ingest` again",
    )


def gpu() -> Iterator[Finding]:
    """List the GPUs, or report a problem if the settings require a GPU and there is none."""
    device = settings().device
    if found := cards():
        yield ok("gpu", "; ".join(found))
    elif device == "cuda":
        remedy = "install NVIDIA's driver, or set MIRPIPE_DEVICE=auto"
        yield problem("gpu", "MIRPIPE_DEVICE is cuda, but nvidia-smi finds no GPU", remedy)
    else:
        yield ok("gpu", "none; models run on the CPU")


def cards() -> list[str]:
    """Return the name and the memory of each GPU that NVIDIA's driver lists."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    process = subprocess.run(
        [program, *_CARD_OPTIONS], capture_output=True, text=True, timeout=30, check=False
    )
    return process.stdout.strip().splitlines() if process.returncode == 0 else []


def _existing(folder: Path) -> Path:
    """Return the folder, or its closest existing parent folder."""
    while not folder.exists():
        folder = folder.parent
    return folder
