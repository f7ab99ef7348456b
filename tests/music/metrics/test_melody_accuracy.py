"""The melody accuracy of known melodies is equal to mir_eval's raw chroma accuracy."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.features.melody_pitch_classes import MELODY, transcribe_melody
from mirpipe.music.features.melody_pitch_classes import SAMPLE_RATE as RATE
from mirpipe.music.metrics.melody_accuracy import ACCURACY, accuracy
from mirpipe.records import Float32, Score
from tests.music.synthetic_tunes import TUNE, tune

SEQUENCES = arrays(np.uint8, st.integers(1, 300), elements=st.integers(0, 11))


def compare(target: Float32, reference: Float32) -> float:
    pitch_classes = [transcribe_melody(samples).pitch_classes for samples in (target, reference)]
    assert pitch_classes[0] is not None
    assert pitch_classes[1] is not None
    value = accuracy(pitch_classes[0], pitch_classes[1]).value
    assert value is not None
    return value


def test_identical_tracks_agree_in_all_frames() -> None:
    assert compare(tune(), tune()) == 1.0


def test_same_tune_a_semitone_higher_agrees_nowhere() -> None:
    assert compare(tune(), tune(semitones=1)) < 0.03


def test_same_tune_an_octave_higher_agrees_nearly_everywhere() -> None:
    assert compare(tune(), tune(semitones=12)) > 0.95


def test_same_tune_in_another_tuning_agrees_nearly_everywhere() -> None:
    assert compare(tune(), tune(semitones=0.4)) > 0.95


def test_same_tune_played_late_agrees_in_the_overlap_of_its_notes() -> None:
    assert compare(tune(), tune(late_seconds=0.1)) == pytest.approx(0.6, abs=0.05)


def test_unrelated_tunes_agree_by_chance_over_all_transpositions() -> None:
    other = list(np.random.default_rng(3).permutation(TUNE))
    target = tune()[: 3 * RATE]
    values = [compare(target, tune(notes=other, semitones=n)[: 3 * RATE]) for n in range(12)]
    assert np.mean(values) == pytest.approx(1 / 12, abs=0.01)


def test_silence_agrees_with_silence() -> None:
    silence = np.zeros(2 * RATE, dtype=np.float32)
    assert compare(silence, silence) == 1.0


def test_accuracy_is_over_the_frames_of_the_shorter_track() -> None:
    target = np.array([0, 1, 2, 3], dtype=np.uint8)
    reference = np.array([0, 5, 2, 4, 9, 9], dtype=np.uint8)
    assert accuracy(target, reference) == Score(0.5)
    assert accuracy(reference, target) == Score(0.5)


def test_accuracy_without_frames_is_undefined() -> None:
    empty = np.empty(0, dtype=np.uint8)
    assert accuracy(empty, np.zeros(3, dtype=np.uint8)) == Score(None, "too_short")


@given(SEQUENCES, SEQUENCES)
def test_accuracy_is_the_share_of_equal_frames(target: np.ndarray, reference: np.ndarray) -> None:
    n = min(len(target), len(reference))
    value = accuracy(target, reference).value
    assert value == np.mean(target[:n] == reference[:n])
    assert type(value) is float


@given(SEQUENCES, st.integers(0, 1000))
def test_accuracy_equals_raw_chroma_accuracy_of_mir_eval(target: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    reference = np.where(random.random(len(target)) < 0.5, target, random.integers(0, 12))
    octaves = random.integers(3, 6, (2, len(target)))
    # The pitches are in cents, which mir_eval compares without octaves. Every frame is voiced.
    target_cents = 100.0 * target + 1200 * octaves[0]
    reference_cents = 100.0 * reference + 1200 * octaves[1]
    voicing = np.ones(len(target))
    expected = mir_eval.melody.raw_chroma_accuracy(
        voicing, reference_cents, voicing, target_cents, cent_tolerance=50
    )
    value = accuracy(target, reference.astype(np.uint8)).value
    assert value == pytest.approx(expected)


def test_version_is_at_least_that_of_the_melodies() -> None:
    assert ACCURACY.version >= MELODY.version
