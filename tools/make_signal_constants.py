"""Measures the constants of the encoder `signal` on the demo library and writes them to a file.

    python tools/make_signal_constants.py [FILE]

The default file is `mirpipe/plugins/encoders/weights/signal_demo.txt`. The file has one line for
each number that the encoder returns: the number's mean and standard deviation over all windows in
the library. If the constants change, copy the file's SHA-256 to `SPEC` in
`mirpipe/plugins/encoders/signal.py`.
"""

import sys
from pathlib import Path

import numpy as np

from mirpipe import audio
from mirpipe.plugins.encoders.signal import SPEC, Statistics
from mirpipe.stages.embed.window_pooling import window_request

PROJECT = Path(__file__).resolve().parent.parent
CONSTANTS = PROJECT / "mirpipe/plugins/encoders/weights" / SPEC.checkpoint


def main(file: Path = CONSTANTS) -> None:
    """Write the constants to `file`."""
    measure = Statistics()
    rows = []
    for path in sorted((PROJECT / "demo").glob("*/*.ogg")):
        facts = audio.read_audio_facts(path)
        request = window_request(SPEC, facts.silence)
        windows = audio.read_windows(path, [request], mix=facts.mix)
        rows += [measure(window.samples) for _, window in windows]
    constants = np.stack([np.mean(rows, axis=0), np.std(rows, axis=0)], axis=1)
    # Only six digits are written, because further digits depend on the processor.
    np.savetxt(
        file, constants, fmt="%.6g", header="mean, deviation; tools/make_signal_constants.py"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
