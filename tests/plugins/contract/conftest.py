"""Fixture with the results of all plug-ins from a second process, which has no network."""

import json
import os
import subprocess
import sys
from typing import TypedDict

import numpy as np
import pytest
import soundfile

from tests.plugins.contract.installed_plugins import names_of_installed
from tests.support.synthetic_music import noise

RATE = 8000

collect_ignore = [] if names_of_installed("metric") else ["test_track_metrics.py"]


class OfflineResult(TypedDict):
    """The behaviour of one plug-in in the process without a network."""

    sha256: str
    """SHA-256 of the plug-in's results for different music."""
    stdout: str
    """Text that the plug-in printed to standard output."""
    stderr: str
    """Text that the plug-in printed to standard error."""
    arguments_and_paths_kept: bool
    """Whether the plug-in left sys.argv and sys.path unchanged."""
    peaks: list[float]
    """Peak memory in MB for many minutes, one by one, and for a long track, if it takes windows."""


@pytest.fixture(scope="session")
def offline_results(
    tmp_path_factory: pytest.TempPathFactory, random_weights_of_session: dict[str, str]
) -> dict[str, OfflineResult]:
    """Return the result of each plug-in, by plug-in name. The run takes a minute."""
    folder = tmp_path_factory.mktemp("offline")
    path = folder / "ten_minutes.wav"
    soundfile.write(path, np.tile(noise(10, RATE, dbfs=-20), 60), RATE)
    # The last two arguments must be ignored, although a library might parse them as its own.
    arguments = [str(path), "--amodel", "--help"]
    command = [sys.executable, "-m", "tests.plugins.contract.offline_process", *arguments]
    environment = os.environ | {
        # With this threshold, freed memory returns to the system at once, so peaks are exact to the
        # megabyte.
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "HF_HOME": str(folder),
        "HF_HUB_OFFLINE": "0",
    }
    results: dict[str, OfflineResult] = json.loads(
        subprocess.check_output(command, env=environment)
    )
    return results
