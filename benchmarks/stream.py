"""Peak memory of a process that embeds a file of three hours, beside one of three minutes."""

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
    """Name, value and unit of each measurement; takes a minute."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for said, minutes in (("three minutes", 3), ("three hours", 180)):
            path = Path(folder) / f"{minutes}.flac"
            _write(path, minutes)
            command = [sys.executable, "-c", _EMBED, ENCODER, str(path)]
            peak = float(subprocess.check_output(command))
            measured.append((f"peak memory, {ENCODER}, {said} of stereo FLAC", peak, "MB"))
    return measured


def _write(path: Path, minutes: int) -> None:
    minute = melody(60, RATE)
    with soundfile.SoundFile(path, "w", RATE, channels=2) as sound:
        for _ in range(minutes):
            sound.write(np.stack([minute, minute], axis=1))
