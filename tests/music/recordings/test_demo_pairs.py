"""In the demo library, tracks with the same tune or the same drum kit are not the same recording.

The library contains tunes at two tempos, in two keys and by two instruments, two excerpts of one
recording that have no common passage, and drum loops.
"""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe.audio import read_audio_facts
from mirpipe.audio.chromaprint import to_values
from mirpipe.audio.fingerprint import fingerprinting
from mirpipe.music.recordings.common_passage import CommonPassage, common_passage
from mirpipe.records import Float32, UInt32
from tests.support.demo_music import DEMO
from tests.support.encoded_audio import HAS_FFMPEG

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed"),
]


@pytest.fixture(scope="module")
def demo() -> dict[Path, UInt32]:
    """Return the fingerprint of each track of the demo library, by path."""
    found = {}
    for path in sorted(DEMO.glob("*/*.ogg")):
        fingerprint = read_audio_facts(path, with_fingerprint=True).fingerprint
        assert fingerprint is not None
        assert fingerprint.frames is not None
        found[path] = to_values(fingerprint.frames)
    assert len(found) == 60
    return found


def fingerprint_of(samples: Float32, rate: int) -> UInt32:
    with fingerprinting(rate) as meter:
        meter.add(samples)
        fingerprint = meter.fingerprint()
    assert fingerprint is not None
    assert fingerprint.frames is not None
    return to_values(fingerprint.frames)


def test_no_two_tracks_are_the_same_recording(demo: dict[Path, UInt32]) -> None:
    paths = list(demo)
    wrong = [
        (path.name, other.name)
        for number, path in enumerate(paths)
        for other in paths[:number]
        if common_passage(demo[path], demo[other])
    ]
    assert wrong == []


def test_cuts_of_10_s_at_another_level_are_found_from_every_track(demo: dict[Path, UInt32]) -> None:
    missed, offsets = [], []
    for path, values in demo.items():
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        cut = samples.mean(axis=1)[int(2.5 * rate) : int(12.5 * rate)] * np.float32(0.3)
        found: CommonPassage | None = common_passage(values, fingerprint_of(cut, rate))
        if found is None:
            missed.append(path.name)
        else:
            offsets.append(found.offset_seconds)
    assert missed == []
    assert np.median(offsets) == pytest.approx(-2.5, abs=0.1)
