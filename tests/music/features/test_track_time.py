"""Features and melodies of audio without its silent parts get the times of the track."""

from dataclasses import replace

import numpy as np
import pytest

from mirpipe.music import features
from mirpipe.music.features.melody_pitch_classes import (
    HOP_SAMPLES,
    SAMPLE_RATE,
    SILENT_FRAME,
    transcribe_melody,
)
from mirpipe.music.features.track_time import features_in_track, melody_in_track
from mirpipe.records import Note
from tests.support import synthetic_music

SECONDS = 12.0
TUNE = synthetic_music.melody(SECONDS, SAMPLE_RATE)
FRAMES_PER_SECOND = SAMPLE_RATE / HOP_SAMPLES


def test_without_silence_nothing_changes() -> None:
    melody, found = transcribe_melody(TUNE), features.measure(TUNE)
    assert melody_in_track(melody, (), SECONDS) is melody
    assert features_in_track(found, ()) is found


def test_a_melody_has_one_frame_per_frame_of_the_track() -> None:
    melody = transcribe_melody(TUNE)
    parts = ((0.0, 30.0), (35.0, 38.0), (45.0, 60.0))
    found = melody_in_track(melody, parts, 60.0).pitch_classes
    assert found is not None
    assert melody.pitch_classes is not None
    assert len(found) == 1 + 60 * SAMPLE_RATE // HOP_SAMPLES
    seconds = np.arange(len(found)) / FRAMES_PER_SECOND
    is_silent = np.zeros(len(found), bool)
    for start, end in parts:
        is_silent |= (seconds >= start) & (seconds < end)
    np.testing.assert_array_equal(found == SILENT_FRAME, is_silent)
    sounding = found[~is_silent]
    assert abs(len(sounding) - len(melody.pitch_classes)) <= 2
    frames = min(len(sounding), len(melody.pitch_classes))
    assert np.mean(sounding[:frames] == melody.pitch_classes[:frames]) > 0.97


def test_beats_and_notes_move_with_the_silence_before_them() -> None:
    found = features.measure(TUNE)
    moved = features_in_track(found, ((0.0, 30.0), (35.0, 38.0), (45.0, 60.0)))
    shifts = [30.0 if beat < 5 else 33.0 for beat in found.beat_seconds]
    expected = np.add(found.beat_seconds, shifts)
    assert len(expected) > 10
    assert moved.beat_seconds == pytest.approx(expected)
    assert (moved.tempo_bpm, moved.key) == (found.tempo_bpm, found.key)
    onsets = [note.onset_seconds + (30 if note.onset_seconds < 5 else 33) for note in found.notes]
    assert [note.onset_seconds for note in moved.notes] == pytest.approx(onsets, abs=1e-5)
    assert features.from_row(features.to_row(moved)) == moved


def test_a_note_ends_where_a_silent_part_starts() -> None:
    note = Note(onset_seconds=4.5, offset_seconds=5.5, pitch=60, velocity=1.0)
    found = replace(features.measure(TUNE), notes=(note,))
    (moved,) = features_in_track(found, ((0.0, 30.0), (35.0, 38.0))).notes
    assert (moved.onset_seconds, moved.offset_seconds) == (34.5, 35.0)
