"""Makes `mirpipe/plugins/encoders/weights/signal_demo.txt` from the demo library.

    python tools/make_signal_constants.py [FILE]

A line a feature: its mean and its standard deviation over the library's windows. Whoever makes
other constants puts their sha-256 into `SPEC` of `mirpipe/plugins/encoders/signal.py`.
"""

import sys
from pathlib import Path

import numpy as np

from mirpipe import audio
from mirpipe.plugins.encoders.signal import SPEC, Features

PROJECT = Path(__file__).resolve().parent.parent
CONSTANTS = PROJECT / "mirpipe/plugins/encoders/weights" / SPEC.checkpoint


def main(file: Path = CONSTANTS) -> None:
    """Write the constants to `file`."""
    measure = Features()
    rows = []
    for path in sorted((PROJECT / "demo").glob("*/*.ogg")):
        assert SPEC.gain_dbfs is not None
        gain = 10 ** ((SPEC.gain_dbfs - audio.inspect(path).rms_dbfs) / 20)
        request = audio.WindowRequest(SPEC.sample_rate, SPEC.window_samples, gain)
        rows += [measure(clip.samples) for _, clip in audio.windows(path, [request])]
    constants = np.stack([np.mean(rows, axis=0), np.std(rows, axis=0)], axis=1)
    # Six digits: the rest differs from processor to processor.
    np.savetxt(
        file, constants, fmt="%.6g", header="mean, deviation; tools/make_signal_constants.py"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
