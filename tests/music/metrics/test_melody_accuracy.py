"""Melody accuracy on music whose melody is known, and against a straightforward computation."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.metrics import melody_accuracy
from mirpipe.music.metrics.melody_accuracy import accuracy, pack, transcribe, unpack
from mirpipe.records import Float32, Score
from tests.music.metrics.course_definition import course_pitch_classes

RATE = melody_accuracy.SAMPLE_RATE
NOTE_SECONDS = 0.25
TUNE = [0, 4, 7, 9, 5, 2, 11, 0, 8, 3, 6, 1, 10, 7, 0, 5, 9, 2, 4, 11, 0, 7, 4, 2]

sequences = arrays(np.uint8, st.integers(1, 300), elements=st.integers(0, 11))


def tune(*, semitones: int = 0, late_seconds: float = 0.0, notes: list[int] = TUNE) -> Float32:
    """Steady harmonic notes, four a second, from C5 up."""
    hertz = 440 * 2 ** ((np.repeat(notes, int(NOTE_SECONDS * RATE)) + 3 + semitones) / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    played = sum(np.sin(harmonic * phase) / harmonic for harmonic in (1, 2, 4))
    return np.r_[np.zeros(round(late_seconds * RATE)), 0.2 * played].astype(np.float32)


def drum_loop(seed: int = 0) -> Float32:
    """Noise bursts that die away in a tenth of a second, four a second."""
    random = np.random.default_rng(seed)
    time = np.arange(6 * RATE) / RATE
    return (random.standard_normal(len(time)) * np.exp(-30 * (time % 0.25))).astype(np.float32)


def compare(target: Float32, reference: Float32) -> float:
    sides = [transcribe(samples).pitch_classes for samples in (target, reference)]
    assert sides[0] is not None
    assert sides[1] is not None
    value = accuracy(*sides).value
    assert value is not None
    return value


def test_pitch_classes_are_those_of_the_notes_played() -> None:
    found = transcribe(tune()).pitch_classes

    assert found is not None
    centre = (np.arange(len(found)) * melody_accuracy.HOP_SAMPLES / RATE) % NOTE_SECONDS
    note = np.minimum(np.arange(len(found)) * melody_accuracy.HOP_SAMPLES / RATE / NOTE_SECONDS, 23)
    steady = (centre > 0.05) & (centre < 0.2)
    np.testing.assert_array_equal(found[steady], np.array(TUNE)[note.astype(int)][steady])


def test_a_track_has_a_frame_every_256_samples() -> None:
    for samples in (44_100, 44_288, 44_287):
        found = transcribe(tune()[:samples]).pitch_classes
        assert found is not None
        assert found.dtype == np.uint8
        assert found.shape == (1 + samples // 256,)


def test_identical_tracks_agree_in_every_frame() -> None:
    assert compare(tune(), tune()) == 1.0


def test_the_same_tune_a_semitone_higher_agrees_nowhere() -> None:
    assert compare(tune(), tune(semitones=1)) < 0.03


def test_the_same_tune_an_octave_higher_agrees_nearly_everywhere() -> None:
    assert compare(tune(), tune(semitones=12)) > 0.95


def test_the_same_tune_late_agrees_where_notes_overlap() -> None:
    assert compare(tune(), tune(late_seconds=0.1)) == pytest.approx(0.6, abs=0.05)


def test_unrelated_tunes_agree_by_chance_over_all_transpositions() -> None:
    other = list(np.random.default_rng(3).permutation(TUNE))
    target = tune()[: 3 * RATE]
    found = [compare(target, tune(notes=other, semitones=n)[: 3 * RATE]) for n in range(12)]
    assert np.mean(found) == pytest.approx(1 / 12, abs=0.01)


def test_accuracy_counts_frames_of_the_shorter_track() -> None:
    target = np.array([0, 1, 2, 3], dtype=np.uint8)
    reference = np.array([0, 5, 2, 4, 9, 9], dtype=np.uint8)
    assert accuracy(target, reference) == Score(0.5)
    assert accuracy(reference, target) == Score(0.5)


def test_accuracy_without_frames_is_undefined() -> None:
    nothing = np.empty(0, dtype=np.uint8)
    assert accuracy(nothing, np.zeros(3, dtype=np.uint8)) == Score(None, "too_short")


@given(sequences, sequences)
def test_accuracy_is_the_mean_of_equality(target: np.ndarray, reference: np.ndarray) -> None:
    n = min(len(target), len(reference))
    value = accuracy(target, reference).value
    assert value == np.mean(target[:n] == reference[:n])
    assert type(value) is float


def test_silence_is_unpitched_and_agrees_with_silence() -> None:
    silence = np.zeros(2 * RATE, dtype=np.float32)
    found = transcribe(silence)
    assert (found.voiced, found.voiced_fraction) == (False, 0.0)
    assert compare(silence, silence) == 1.0


def test_a_tune_is_voiced() -> None:
    found = transcribe(tune())
    assert found.voiced
    assert found.voiced_fraction is not None
    assert found.voiced_fraction > 0.97


def test_a_tune_over_soft_noise_is_voiced() -> None:
    noise = np.random.default_rng(0).standard_normal(len(tune())).astype(np.float32)
    assert transcribe(tune() + 0.02 * noise).voiced


def test_a_tune_with_one_loud_click_is_voiced() -> None:
    samples = tune()
    samples[100_000] = 100.0
    assert transcribe(samples).voiced


def test_noise_is_unpitched_at_any_level() -> None:
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    assert transcribe(noise).voiced_fraction == 0.0
    assert transcribe(noise * np.float32(1e-4)).voiced_fraction == 0.0


def test_a_drum_loop_is_unpitched_and_still_has_pitch_classes() -> None:
    found = transcribe(drum_loop())
    assert found.voiced is False
    assert found.pitch_classes is not None
    assert len(np.unique(found.pitch_classes)) > 6


def test_a_tune_that_pauses_half_the_time_is_unpitched() -> None:
    samples = np.r_[tune(), np.zeros(len(tune()), dtype=np.float32)]
    found = transcribe(samples)
    assert found.voiced_fraction == pytest.approx(0.49, abs=0.02)
    assert found.voiced is False


def test_a_rumble_below_the_filter_is_unpitched() -> None:
    time = np.arange(2 * RATE) / RATE
    assert not transcribe(np.sin(2 * np.pi * 50 * time).astype(np.float32)).voiced


def test_too_few_samples_to_filter_is_a_reason() -> None:
    found = transcribe(np.zeros(9, dtype=np.float32))
    assert (found.pitch_classes, found.voiced, found.reason) == (None, None, "too_short")
    assert transcribe(np.zeros(10, dtype=np.float32)).reason is None


def test_more_than_twenty_minutes_is_a_reason() -> None:
    found = transcribe(np.zeros(1200 * RATE + 1, dtype=np.float32))
    assert (found.pitch_classes, found.voiced_fraction) == (None, None)
    assert found.reason == "longer_than_1200_s"


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(RATE),
        np.zeros((2, RATE), dtype=np.float32),
        np.full(RATE, np.nan, dtype=np.float32),
        np.r_[np.zeros(RATE), np.inf].astype(np.float32),
    ],
    ids=["float64", "stereo", "nan", "infinite"],
)
def test_what_the_definition_does_not_take_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match="not"):
        transcribe(samples)


BLOCK = 512 * 256


@pytest.mark.parametrize(
    "samples",
    [10, 255, 256, 2047, 2048, 2049, BLOCK - 257, BLOCK - 256, BLOCK - 1, BLOCK, BLOCK * 2],
)
def test_blocks_leave_no_trace_in_the_pitch_classes(samples: int) -> None:
    random = np.random.default_rng(samples)
    mixed = np.resize(tune(), samples) + 0.3 * random.standard_normal(samples)
    found = transcribe(mixed.astype(np.float32)).pitch_classes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, of a signal shorter than a frame
        expected = course_pitch_classes(mixed.astype(np.float32))
    np.testing.assert_array_equal(found, expected)


def test_detuned_tunes_are_read_against_their_own_tuning() -> None:
    detuned = [tune(semitones=cents / 100) for cents in (0, 40, -30)]  # type: ignore[arg-type]
    for samples in detuned:
        found = transcribe(samples).pitch_classes
        np.testing.assert_array_equal(found, course_pitch_classes(samples))
    assert compare(detuned[0], detuned[1]) > 0.95


@given(sequences)
def test_unpacking_gives_what_was_packed(pitch_classes: np.ndarray) -> None:
    packed = pack(pitch_classes)
    assert len(packed) == (len(pitch_classes) + 1) // 2
    np.testing.assert_array_equal(unpack(packed, len(pitch_classes)), pitch_classes)


def test_the_first_of_two_frames_is_in_the_high_half() -> None:
    assert pack(np.array([11, 2, 7], dtype=np.uint8)) == bytes([0xB2, 0x70])


def test_bytes_that_do_not_hold_the_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="2 bytes do not hold 5 frames"):
        unpack(b"\x00\x00", 5)


def test_melody_accuracy_is_recomputed_when_melodies_are() -> None:
    assert melody_accuracy.ACCURACY.version >= melody_accuracy.MELODY.version
