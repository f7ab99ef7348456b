"""The melody accuracy and the voiced fraction of tracks in the demo library."""

import csv
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from mirpipe.music.features.voiced_fraction import VOICED_FRACTION
from mirpipe.music.metrics import melody_accuracy
from tests.music.metrics.course_definition import course_accuracy
from tests.support.demo_music import DEMO, melody_of

PAIRS = [
    ("target/Jazz 120 BPM.ogg", "reference/jazz-swing_140.ogg"),
    ("target/茉莉花（笛子）.ogg", "reference/茉莉花（古筝）.ogg"),
    ("target/茉莉花（笛子）.ogg", "reference/茉莉花（笛子）.ogg"),
    ("target/小白菜（二胡）.ogg", "reference/小白菜（笛子）.ogg"),
    ("target/小白菜（二胡）.ogg", "reference/小白菜（二胡）.ogg"),
    ("target/康定情歌（古筝）.ogg", "reference/康定情歌（琵琶）.ogg"),
    ("target/J.S. Bach- BWV 846 (piano).ogg", "reference/J.S. Bach- BWV 846 (harpsichord, E♭).ogg"),
    ("target/Scottish bagpipes.ogg", "reference/Scottish bagpipes (fast).ogg"),  # 32 kHz
    ("target/Reel (fiddle) DevilsDreamReel.ogg", "reference/Band- Bluegrass.ogg"),
    ("target/Rock 102 BPM.ogg", "reference/Egypt.ogg"),
    ("target/Eastern Dreams (東方之夢, excerpt 1).ogg", "reference/Sands of Time.ogg"),
    (
        "target/J.S. Bach- BWV 66.6 コラール (string ensemble).ogg",
        "reference/J.S. Bach- BWV 66.6 (organ).ogg",
    ),
]
# Computed by course_definition.py with librosa 0.11.0. A librosa update must not change the values.
GOLDEN = (
    *(0.2543, 0.0259, 0.0019, 0.0712, 0.4330, 0.0948),
    *(0.1556, 0.1881, 0.0836, 0.0782, 0.0817, 0.0159),
)


@cache
def manifest() -> list[dict[str, str]]:
    with (DEMO / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def accuracy(target: str, reference: str) -> float | None:
    target_classes = melody_of(target).pitch_classes
    reference_classes = melody_of(reference).pitch_classes
    assert target_classes is not None
    assert reference_classes is not None
    return melody_accuracy.accuracy(target_classes, reference_classes).value


def voiced_fractions(is_chosen: Callable[[dict[str, str]], bool]) -> np.ndarray:
    """Return the voiced fractions of all tracks whose manifest row is chosen."""
    rows = [row for row in manifest() if is_chosen(row)]
    return np.array([melody_of(row["path"]).voiced_fraction for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize(("target", "reference"), PAIRS)
def test_accuracy_is_bit_identical_to_the_published_definition(target: str, reference: str) -> None:
    assert accuracy(target, reference) == course_accuracy(DEMO / target, DEMO / reference)


@pytest.mark.slow
def test_accuracies_equal_those_measured_first() -> None:
    found = [accuracy(target, reference) for target, reference in PAIRS]
    np.testing.assert_allclose(found, GOLDEN, atol=0.001)


@pytest.mark.slow
def test_every_drum_loop_is_far_below_the_voiced_threshold() -> None:
    fractions = voiced_fractions(lambda row: row["instrument"] == "drums")
    assert len(fractions) == 19
    assert fractions.max() < VOICED_FRACTION - 0.2


@pytest.mark.slow
@pytest.mark.parametrize(("relation", "tracks"), [("melody_query", 6), ("melody_match", 8)])
def test_every_melody_is_far_above_the_voiced_threshold(relation: str, tracks: int) -> None:
    fractions = voiced_fractions(lambda row: row["relation"].startswith(relation))
    assert len(fractions) == tracks
    assert fractions.min() > VOICED_FRACTION + 0.2


@pytest.mark.slow
def test_other_tracks_are_voiced_except_four_with_percussion() -> None:
    unpitched = {
        row["path"]
        for row in manifest()
        if row["instrument"] != "drums" and not melody_of(row["path"]).voiced
    }
    assert unpitched == {
        "reference/Band- Basic Rock.ogg",
        "reference/Band- Bossa Nova.ogg",
        "reference/Band- Strut.ogg",
        "reference/Egypt.ogg",
    }


@pytest.mark.slow
def test_longest_track_needs_less_than_two_gigabytes() -> None:
    code = """
import resource
import numpy as np
from mirpipe.music.features import melody_pitch_classes as melody
samples = np.random.default_rng(0).standard_normal(
    melody.LONGEST_SECONDS * melody.SAMPLE_RATE, dtype=np.float32)
assert melody.transcribe_melody(samples).reason is None
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) / 2**20 < 2
