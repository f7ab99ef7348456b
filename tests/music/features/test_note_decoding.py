"""The notes are those of basic-pitch's decoder, for all probabilities."""

import logging
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.features import note_decoding
from mirpipe.music.features.note_decoding import (
    FRAME_THRESHOLD,
    ONSET_THRESHOLD,
    SHORTEST_NOTE_FRAMES,
    decode_notes,
)
from mirpipe.records import Float32

KEYS = 88
Decoder = Callable[[Float32, Float32], list[tuple[int, int, int, float]]]


@pytest.fixture(scope="module")
def reference_decoder() -> Decoder:
    logging.disable(logging.WARNING)  # basic-pitch warns of each missing runtime.
    with warnings.catch_warnings(action="ignore"):
        from basic_pitch.note_creation import output_to_notes_polyphonic
    logging.disable(logging.NOTSET)

    def decode(notes: Float32, onsets: Float32) -> list[tuple[int, int, int, float]]:
        decoded = output_to_notes_polyphonic(
            notes.copy(),
            onsets.copy(),
            onset_thresh=ONSET_THRESHOLD,
            frame_thresh=FRAME_THRESHOLD,
            min_note_len=SHORTEST_NOTE_FRAMES,
            infer_onsets=True,
            min_freq=None,
            max_freq=None,
        )
        return sorted((int(a), int(b), int(p), float(q)) for a, b, p, q in decoded)

    return decode


def held_notes(seed: int, frames: int) -> tuple[Float32, Float32]:
    """Return note and onset probabilities of long notes with gaps, many of them equal."""
    random = np.random.default_rng(seed)
    notes = 0.2 * random.random((frames, KEYS))
    onsets = 0.6 * random.random((frames, KEYS))
    for _ in range(frames // 2):
        first, length = random.integers(0, frames), random.integers(2, 60)
        key = random.integers(0, KEYS)
        notes[first : first + length, key] = random.choice([0.35, 0.7, 0.9])
        if random.random() < 0.5:
            onsets[first, key] = 0.9
        gap = first + random.integers(0, length)
        notes[gap : gap + random.integers(1, 14), key] = 0.1
    return notes.astype(np.float32), onsets.astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_held_notes_are_those_of_basic_pitch(seed: int, reference_decoder: Decoder) -> None:
    notes, onsets = held_notes(seed, frames=40 + 60 * seed)
    expected = reference_decoder(notes, onsets)
    assert sorted(decode_notes(notes, onsets)) == expected
    assert len(expected) > seed


@settings(max_examples=50)
@given(st.data())
def test_any_probabilities_give_the_notes_of_basic_pitch(
    reference_decoder: Decoder, data: st.DataObject
) -> None:
    shape = (data.draw(st.integers(4, 30)), KEYS)
    steps = st.sampled_from(np.float32([0, 0.1, 0.3, 0.31, 0.5, 0.8, 1]))
    notes = data.draw(arrays(np.float32, shape, elements=steps, fill=st.just(np.float32(0.6))))
    onsets = data.draw(arrays(np.float32, shape, elements=steps, fill=st.just(np.float32(0))))
    # basic-pitch divides by zero if no probability rises.
    assume(np.minimum(notes[2:] - notes[1:-1], notes[2:] - notes[:-2]).max() > 0)
    assert sorted(decode_notes(notes, onsets)) == reference_decoder(notes, onsets)


def test_a_constant_probability_has_no_inferred_onset() -> None:
    notes = np.full((40, KEYS), 0.1, np.float32)
    notes[:, 39] = 0.8
    assert [note[:3] for note in decode_notes(notes, np.zeros_like(notes))] == [(0, 38, 60)]


def test_a_gap_of_eleven_frames_ends_a_note_and_a_shorter_one_does_not() -> None:
    for gap, count in ((note_decoding.LONGEST_GAP_FRAMES - 1, 1), (11, 2)):
        notes = np.zeros((90, KEYS), np.float32)
        notes[5:35, 39] = notes[35 + gap : 70, 39] = 0.8
        assert len(decode_notes(notes, np.zeros_like(notes))) == count
