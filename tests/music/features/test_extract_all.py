"""All features of a track are measured together."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mirpipe import audio
from mirpipe.music import features
from mirpipe.music.features.melody_pitch_classes import SHORTEST_SAMPLES, transcribe_melody
from mirpipe.records import Features, Float32
from mirpipe.settings import PROJECT
from tests.support.synthetic_music import melody as tune
from tests.support.synthetic_music import noise

RATE = features.SAMPLE_RATE
DEMO = PROJECT / "demo"


def features_of(path: str) -> Features:
    return features.measure(audio.load_mono(DEMO / path, RATE))


def digest(samples: Float32) -> str:
    return hashlib.sha256(repr(features.measure(samples)).encode()).hexdigest()


def test_tune_has_all_features() -> None:
    found = features.measure(tune(20, RATE))
    assert found.tempo_bpm == pytest.approx(120, rel=0.01)
    assert 0.3 < found.voiced_fraction <= 1
    assert found.key is not None
    assert len(found.notes) > 40
    assert 3.5 < found.onsets_per_second < 4.5
    assert 300 < found.brightness_hz < 6000


def test_voiced_fraction_is_that_of_the_melody() -> None:
    samples = tune(5, RATE)
    expected = transcribe_melody(samples).voiced_fraction
    assert features.measure(samples).voiced_fraction == expected


def test_noise_is_unpitched_and_has_no_beat() -> None:
    found = features.measure(noise(10, RATE, dbfs=-20))
    assert (found.key, found.notes, found.tempo_bpm, found.meter) == (None, (), None, None)
    assert found.reasons == {
        "notes": "unpitched",
        "key": "unpitched",
        "key_clarity": "unpitched",
        "tempo_bpm": "no_steady_beat",
        "beat_seconds": "no_steady_beat",
        "tempo_candidates": "no_steady_beat",
        "meter": "no_steady_beat",
    }


@pytest.mark.parametrize("samples", [0, 1, 9, 10, 600, RATE])
def test_silence_of_any_length_gives_reasons(samples: int) -> None:
    found = features.measure(np.zeros(samples, np.float32))
    assert (found.voiced_fraction, found.brightness_hz, found.onsets_per_second) == (0, 0, 0)
    assert found.reasons["tempo_bpm"] == "no_onsets"
    assert ("voiced_fraction" in found.reasons) == (samples < SHORTEST_SAMPLES)


def test_exactly_the_undefined_features_have_a_reason() -> None:
    for samples in (tune(3, RATE), noise(3, RATE, dbfs=-30), np.zeros(100, np.float32)):
        found = features.measure(samples)
        missing = {name for name, value in vars(found).items() if value is None or value == ()}
        assert set(found.reasons) == missing


def test_only_the_start_of_a_long_track_is_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirpipe.music.features.extract_all.LONGEST_SECONDS", 5)
    long = features.measure(tune(6, RATE))
    assert long.reasons["length"] == "first_5_s"
    assert max(note.offset_seconds for note in long.notes) <= 5


@pytest.mark.slow
def test_another_process_measures_the_same_features(tmp_path: Path) -> None:
    np.save(tmp_path / "tune.npy", tune(5, RATE))
    code = """
import hashlib, json, sys
import numpy as np
from mirpipe.music import features
found = features.measure(np.load(sys.argv[1]))
print(json.dumps(hashlib.sha256(repr(found).encode()).hexdigest()))
"""
    output = subprocess.check_output([sys.executable, "-c", code, str(tmp_path / "tune.npy")])
    assert json.loads(output) == digest(tune(5, RATE))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "bpm"),
    [
        *(("target/Country 114 BPM.ogg", 114), ("target/Jazz 120 BPM.ogg", 120)),
        *(("target/Rock 102 BPM.ogg", 102), ("reference/jazz-swing_140.ogg", 140)),
        *(("reference/reggae_78.ogg", 78), ("reference/rock-60s_132.ogg", 132)),
    ],
)
def test_drum_loops_have_their_tempo_and_no_key(path: str, bpm: float) -> None:
    found = features_of(path)
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.005)
    assert (found.key, found.notes) == (None, ())
    assert found.meter in (4, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("target/J.S. Bach- BWV 846 (piano).ogg", "C major"),
        ("reference/J.S. Bach- BWV 846 (harpsichord, E♭).ogg", "Eb major"),
        ("reference/Scott Joplin- Maple Leaf Rag.ogg", "Ab major"),
        ("reference/Hornpipe (fiddle) FishersHornpipe.ogg", "F major"),
        ("reference/Band- Bluegrass.ogg", "G major"),
    ],
)
def test_pieces_have_their_key(path: str, key: str) -> None:
    assert features_of(path).key == key
