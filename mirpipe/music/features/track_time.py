"""Converts times in the joined sounding parts of a track to times in the track.

Melodies and features are measured on the sounding parts, so silence has no influence on them. The
stored times are those of the track.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mirpipe.music.features.melody_pitch_classes import (
    HOP_SAMPLES,
    SAMPLE_RATE,
    SILENT_FRAME,
    Melody,
)
from mirpipe.records import Features, Float64, Int64, Note, UInt8

SilentParts = Sequence[tuple[float, float]]
"""Start and end of each silent part of a track, in seconds, ascending."""


def features_in_track(features: Features, silent_parts: SilentParts) -> Features:
    """Return the features with the beats and notes at their times in the track.

    A note that sounds on both sides of a silent part ends where the part starts.
    """
    if not silent_parts:
        return features
    joints, shifts = _joints_and_shifts(silent_parts)
    beats = np.array(features.beat_seconds, np.float64)
    beats += shifts[np.searchsorted(joints, beats, side="right")]
    notes = tuple(_note_in_track(note, joints, shifts) for note in features.notes)
    return replace(features, beat_seconds=tuple(beats.tolist()), notes=notes)


def melody_in_track(melody: Melody, silent_parts: SilentParts, seconds: float) -> Melody:
    """Return the melody with one pitch class for each frame of the track.

    `seconds` is the track's length. Frames of silent parts have the code `SILENT_FRAME`.
    """
    if melody.pitch_classes is None or not silent_parts:
        return melody
    frames = np.arange(1 + round(seconds * SAMPLE_RATE) // HOP_SAMPLES)
    return replace(melody, pitch_classes=_expand(melody.pitch_classes, frames, silent_parts))


def _expand(pitch_classes: UInt8, frames: Int64, silent_parts: SilentParts) -> UInt8:
    frames_per_second = SAMPLE_RATE / HOP_SAMPLES
    starts, ends = np.array(silent_parts).T
    before = np.concatenate(([0.0], np.cumsum(ends - starts)))
    # The part that starts last before each frame, and the silence up to that frame.
    part = np.searchsorted(starts, frames / frames_per_second, side="right")
    is_silent = (part > 0) & (frames / frames_per_second < ends[part - 1])
    sounding = np.rint(frames - before[part] * frames_per_second).astype(np.int64)
    found = pitch_classes[sounding.clip(0, len(pitch_classes) - 1)]
    return np.where(is_silent, np.uint8(SILENT_FRAME), found)


def _joints_and_shifts(silent_parts: SilentParts) -> tuple[Float64, Float64]:
    """Return where the parts join in the sounding audio, and the silence before each joint.

    The shapes are (parts,) and (parts + 1,), in seconds. Shift i applies from joint i − 1.
    """
    starts, ends = np.array(silent_parts, np.float64).T
    shifts = np.concatenate(([0.0], np.cumsum(ends - starts)))
    return starts - shifts[:-1], shifts


def _note_in_track(note: Note, joints: Float64, shifts: Float64) -> Note:
    first = int(np.searchsorted(joints, note.onset_seconds, side="right"))
    end = note.offset_seconds
    if first < len(joints):
        end = min(end, float(joints[first]))
    shift = float(shifts[first])
    return replace(
        note,
        onset_seconds=float(np.float32(note.onset_seconds + shift)),
        offset_seconds=float(np.float32(end + shift)),
    )
