"""Measures the peak memory for embedding a three-minute file and a three-hour file."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from tests.support.synthetic_music import melody

RATE = 44_100
ENCODER = "signal"

_EMBED = """
import resource, sys
from pathlib import Path
from mirpipe.stages.embed import embed_file
embed_file(sys.argv[1], Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes a minute."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for length, minutes in (("three minutes", 3), ("three hours", 180)):
            path = Path(folder) / f"{minutes}.flac"
            _write(path, minutes)
            command = [sys.executable, "-c", _EMBED, ENCODER, str(path)]
            peak = float(subprocess.check_output(command))
            results.append((f"peak memory, {ENCODER}, {length} of stereo FLAC", peak, "MB"))
    return results


def _write(path: Path, minutes: int) -> None:
    """Write a stereo FLAC file of this length."""
    minute = melody(60, RATE)
    with soundfile.SoundFile(path, "w", RATE, channels=2) as sound:
        for _ in range(minutes):
            sound.write(np.stack([minute, minute], axis=1))
