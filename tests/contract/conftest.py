"""What another process makes of the same clips and of long files, asked once for all contracts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest
import soundfile

from tests.contract.plugins import names_here
from tests.synthetic_music import noise

RATE = 8000

collect_ignore = [] if names_here("metric") else ["test_track_metrics.py"]


class Elsewhere(TypedDict):
    """What is known of one plug-in."""

    sha256: str
    """Of what it returns for `different(spec)`."""
    peaks: list[float]
    """Megabytes, while it works on one minute and on a long time."""


@pytest.fixture(scope="session")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, random_weights_of_session: dict[str, str]
) -> dict[str, Elsewhere]:
    """By plug-in; takes a minute."""
    path: Path = tmp_path_factory.mktemp("long") / "ten_minutes.wav"
    soundfile.write(path, np.tile(noise(10, RATE, dbfs=-20), 60), RATE)
    command = [sys.executable, "-m", "tests.contract.elsewhere", str(path)]
    # what is freed goes back at once, so that a peak is what is needed, to the megabyte
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "1048576"}
    said: dict[str, Elsewhere] = json.loads(subprocess.check_output(command, env=environment))
    return said
