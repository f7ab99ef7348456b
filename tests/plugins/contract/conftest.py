"""What another process makes of the same clips and of long files, asked once for all contracts."""

import json
import os
import subprocess
import sys
from typing import TypedDict

import numpy as np
import pytest
import soundfile

from tests.plugins.contract.installed_plugins import names_here
from tests.support.synthetic_music import noise

RATE = 8000

collect_ignore = [] if names_here("metric") else ["test_track_metrics.py"]


class Elsewhere(TypedDict):
    """What is known of one plug-in."""

    sha256: str
    """Of what it makes of different music."""
    stdout: str
    stderr: str
    arguments_and_paths_kept: bool
    peaks: list[float]
    """Megabytes, while it works on one minute and on a long time; only of what takes windows."""


@pytest.fixture(scope="session")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, random_weights_of_session: dict[str, str]
) -> dict[str, Elsewhere]:
    """By plug-in; takes a minute."""
    folder = tmp_path_factory.mktemp("elsewhere")
    path = folder / "ten_minutes.wav"
    soundfile.write(path, np.tile(noise(10, RATE, dbfs=-20), 60), RATE)
    # words behind it that a library would take for its own
    arguments = [str(path), "--amodel", "--help"]
    command = [sys.executable, "-m", "tests.plugins.contract.offline_process", *arguments]
    environment = os.environ | {
        # what is freed goes back at once, so that a peak is what is needed, to the megabyte
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "HF_HOME": str(folder),
        "HF_HUB_OFFLINE": "0",
    }
    said: dict[str, Elsewhere] = json.loads(subprocess.check_output(command, env=environment))
    return said
