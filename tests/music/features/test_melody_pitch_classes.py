"""The pitch classes of audio with a known melody are equal to the published definition's result."""

import warnings

import numpy as np
import pytest

from mirpipe.music.features.melody_pitch_classes import HOP_SAMPLES, transcribe_melody
from mirpipe.music.features.melody_pitch_classes import SAMPLE_RATE as RATE
from tests.music.metrics.course_definition import course_pitch_classes
from tests.music.synthetic_tunes import NOTE_SECONDS, TUNE, drum_loop, tune

BLOCK_SAMPLES = 512 * 256


def test_pitch_classes_are_those_of_the_notes() -> None:
    found = transcribe_melody(tune()).pitch_classes

    assert found is not None
    seconds = np.arange(len(found)) * HOP_SAMPLES / RATE
    note = np.minimum(seconds / NOTE_SECONDS, 23).astype(int)
    within_note = seconds % NOTE_SECONDS
    is_steady = (within_note > 0.05) & (within_note < 0.2)
    np.testing.assert_array_equal(found[is_steady], np.array(TUNE)[note][is_steady])


def test_track_has_one_frame_per_256_samples() -> None:
    for samples in (44_100, 44_288, 44_287):
        found = transcribe_melody(tune()[:samples]).pitch_classes
        assert found is not None
        assert found.dtype == np.uint8
        assert found.shape == (1 + samples // 256,)


def test_too_few_samples_for_the_filter_give_a_reason() -> None:
    found = transcribe_melody(np.zeros(9, dtype=np.float32))
    assert (found.pitch_classes, found.voiced, found.reason) == (None, None, "too_short")
    assert transcribe_melody(np.zeros(10, dtype=np.float32)).reason is None


def test_more_than_twenty_minutes_give_a_reason() -> None:
    found = transcribe_melody(np.zeros(1200 * RATE + 1, dtype=np.float32))
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
def test_samples_that_the_definition_does_not_allow_are_an_error(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match="samples must be"):
        transcribe_melody(samples)


@pytest.mark.parametrize(
    "samples",
    [
        *(10, 255, 256, 2047, 2048, 2049),
        *(BLOCK_SAMPLES - 257, BLOCK_SAMPLES - 256, BLOCK_SAMPLES - 1, BLOCK_SAMPLES),
        BLOCK_SAMPLES * 2,
    ],
)
def test_pitch_classes_in_blocks_equal_the_definition(samples: int) -> None:
    random = np.random.default_rng(samples)
    mix = np.resize(tune(), samples) + 0.3 * random.standard_normal(samples)
    found = transcribe_melody(mix.astype(np.float32)).pitch_classes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa warns about signals shorter than a frame.
        expected = course_pitch_classes(mix.astype(np.float32))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("cents", [0, 40, -30])
def test_pitch_classes_of_detuned_tunes_equal_the_definition(cents: int) -> None:
    samples = tune(semitones=cents / 100)
    np.testing.assert_array_equal(
        transcribe_melody(samples).pitch_classes, course_pitch_classes(samples)
    )


def test_drum_loop_has_pitch_classes_too() -> None:
    found = transcribe_melody(drum_loop())
    assert found.voiced is False
    assert found.pitch_classes is not None
    assert len(np.unique(found.pitch_classes)) > 6
