"""Run as a process: what every plug-in of this interpreter returns, and its peaks of memory.

Takes a file of ten minutes. One process for both, since loading costs the most.
"""

import hashlib
import itertools
import json
import sys
from pathlib import Path

from mirpipe import audio
from tests.contract.plugins import EVERYTHING, KINDS, Spec, different, rows

LONG_SAMPLES = 10 * 60 * 16_000
"""Ten minutes at 16 kHz, or as many samples at a higher rate: a copy of them takes 38 MB."""

_FORGET_THE_PEAK = "5"


def peak_megabytes(kind: str, spec: Spec, path: Path, *, seconds: float) -> float:
    """Of this process while the plug-in makes rows of the file's beginning."""
    Path("/proc/self/clear_refs").write_text(_FORGET_THE_PEAK)
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples)
    count = round(seconds * spec.sample_rate / spec.window_samples)
    clips = (clip for _, clip in itertools.islice(audio.windows(path, [request]), count))
    while call := list(itertools.islice(clips, 6)):
        rows(kind, spec.name, call)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Prints, by plug-in, the SHA-256 of its rows for `different(spec)` and its peaks."""
    path = Path(sys.argv[1])
    said = {}
    for kind, name in EVERYTHING:
        spec = KINDS[kind].spec(name)
        made = rows(kind, name, different(spec))
        lengths = (60, LONG_SAMPLES / spec.sample_rate)
        peaks = [peak_megabytes(kind, spec, path, seconds=seconds) for seconds in lengths]
        said[name] = {"sha256": hashlib.sha256(made.tobytes()).hexdigest(), "peaks": peaks}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
