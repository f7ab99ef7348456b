"""The memory that a measurement reports is that of its own process."""

import subprocess
import sys

import numpy as np

MEGABYTES = 400

_PROGRAM = """
from pathlib import Path
import sys
import numpy as np
from mirpipe import registry
from mirpipe.operations.model_check import measurement
measurement.read_segments = lambda demo, spec: []
measurement._plugin_calls = lambda plugin: (lambda inputs: [np.ones(3)], None)
registry.Plugins.load = lambda kind, name: None
print(measurement.measure("signal", "mirpipe", Path()).peak_megabytes)
"""


def test_the_peak_memory_is_not_that_of_the_process_that_started_it() -> None:
    large = np.ones(MEGABYTES * 10**6 // 8)
    # A function that runs before the program makes Python fork.
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: None,
    )
    assert 20 < float(ended.stdout) < MEGABYTES / 2
    assert large[-1] == 1
