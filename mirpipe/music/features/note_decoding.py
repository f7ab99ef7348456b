"""Converts the probabilities that basic-pitch's model returns to notes.

The method and its thresholds are those of basic-pitch 0.4, without the package: it depends on
TensorFlow, and it searches all probabilities again for each note, which takes minutes for a long
track. The notes are the same.

Source: Bittner et al. 2022, arXiv 2203.09893, section 3.3.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mirpipe.records import Float32, Float64

ONSET_THRESHOLD = 0.5
"""Least probability of an onset."""
FRAME_THRESHOLD = 0.3
"""Least probability of a frame that belongs to a note."""
SHORTEST_NOTE_FRAMES = 11
"""Notes of this length and shorter notes are discarded."""
LONGEST_GAP_FRAMES = 11
"""Number of consecutive frames below the threshold that end a note."""
LOWEST_PITCH = 21
"""MIDI number of the first of the 88 piano keys."""


class DecodedNote(NamedTuple):
    """A note in frames of the model."""

    first: int
    """First frame."""
    end: int
    """Frame after the last one."""
    pitch: int
    """MIDI note number."""
    probability: float
    """Mean note probability of the frames, 0 to 1."""


def decode_notes(note_probability: Float32, onset_probability: Float32) -> list[DecodedNote]:
    """Return the notes in no particular order. Both arrays have the shape (frames, 88)."""
    remaining = note_probability.astype(np.float64)
    spans = [
        *_spans_from_onsets(remaining, _with_inferred_onsets(onset_probability, remaining)),
        *_spans_without_onset(remaining),
    ]
    return [
        DecodedNote(
            first, end, key + LOWEST_PITCH, float(np.mean(note_probability[first:end, key]))
        )
        for first, end, key in spans
    ]


def _with_inferred_onsets(onsets: Float32, notes: Float64) -> Float64:
    """Return the onset probabilities, raised where the note probability rises.

    A rise is the smaller of the differences to the last two frames. Rises are scaled so that the
    highest equals the highest onset probability.
    """
    rise = np.zeros_like(notes)
    rise[2:] = np.minimum(notes[2:] - notes[1:-1], notes[2:] - notes[:-2]).clip(min=0)
    highest = rise.max()
    if highest > 0:
        rise = np.max(onsets) * rise / highest
    return np.maximum(onsets, rise)


def _spans_from_onsets(remaining: Float64, onsets: Float64) -> Iterator[tuple[int, int, int]]:
    """Yield first frame, end and key of each note that has an onset, latest onset first.

    The probabilities that a note explains, also those of both neighbouring keys, become 0 in
    `remaining`.
    """
    from scipy.signal import argrelmax  # takes 0.5 s, and every command imports this module

    frames, keys = argrelmax(onsets, axis=0)
    is_onset = onsets[frames, keys] >= ONSET_THRESHOLD
    for first, key in zip(frames[is_onset][::-1], keys[is_onset][::-1], strict=True):
        if first >= len(onsets) - 1:
            continue
        end = first + 1 + _frames_until_gap(remaining[first + 1 : -1, key])[0]
        if end - first > SHORTEST_NOTE_FRAMES:
            remaining[first:end, max(key - 1, 0) : key + 2] = 0
            yield int(first), int(end), int(key)


def _spans_without_onset(remaining: Float64) -> Iterator[tuple[int, int, int]]:
    """Yield first frame, end and key of each remaining note, the most probable frame first.

    All probabilities that are examined become 0 in `remaining`, also those of both neighbouring
    keys.
    """
    candidates = np.flatnonzero(remaining > FRAME_THRESHOLD)
    candidates = candidates[np.argsort(-remaining.ravel()[candidates], kind="stable")]
    for middle, key in zip(*np.unravel_index(candidates, remaining.shape), strict=True):
        if not remaining[middle, key]:
            continue
        remaining[middle, key] = 0
        after, examined_after = _frames_until_gap(remaining[middle + 1 : -1, key])
        before, examined_before = _frames_until_gap(remaining[1:middle, key][::-1])
        keys = slice(max(key - 1, 0), key + 2)
        remaining[middle + 1 : middle + 1 + examined_after, keys] = 0
        remaining[middle - examined_before : middle, keys] = 0
        first, end = middle - before, middle + after
        if end - first > SHORTEST_NOTE_FRAMES:
            yield int(first), int(end), int(key)


def _frames_until_gap(probability: Float64) -> tuple[int, int]:
    """Return the number of frames before the gap that ends a note, and of all examined frames.

    A note also ends at the end of the array; the frames below the threshold there do not belong to
    the note.
    """
    gap = examined = 0
    for value in probability:
        examined += 1
        gap = gap + 1 if value < FRAME_THRESHOLD else 0
        if gap == LONGEST_GAP_FRAMES:
            break
    return examined - gap, examined
