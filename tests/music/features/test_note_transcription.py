"""Transcriptions of synthetic music, compared with the true notes by mir_eval."""

import mir_eval
import numpy as np
import pytest

from mirpipe.music.features import note_transcription
from mirpipe.records import Float32, Note

RATE = 44_100
TUNE = (60, 64, 67, 72, 69, 65, 62, 59)
NOTE_SECONDS = 0.5


def plucked(pitches: tuple[int, ...], *, rate: int = RATE) -> Float32:
    """Return plucked notes one after another, each with six harmonics."""
    time = np.arange(round(NOTE_SECONDS * rate)) / rate
    tones = [
        sum(
            np.sin(2 * np.pi * h * 440 * 2 ** ((pitch - 69) / 12) * time) / h**2
            for h in range(1, 7)
        )
        * np.exp(-2 * time)
        for pitch in pitches
    ]
    return (0.2 * np.concatenate(tones)).astype(np.float32)


def as_mir_eval(notes: list[Note]) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals in seconds, shape (n, 2), and the pitches in Hz, shape (n,)."""
    intervals = np.array([[note.onset_seconds, note.offset_seconds] for note in notes])
    return intervals, mir_eval.util.midi_to_hz(np.array([note.pitch for note in notes]))


def test_every_note_of_a_tune_is_found_at_its_onset() -> None:
    found = note_transcription.transcribe(plucked(TUNE * 2), RATE)
    for index, pitch in enumerate(TUNE * 2):
        matches = [n for n in found if n.pitch == pitch and abs(n.onset_seconds - index / 2) < 0.04]
        assert len(matches) == 1, (index, pitch)
        assert matches[0].velocity > 0.3
    assert len(found) <= len(TUNE * 2) + 2


def test_notes_of_a_tune_have_a_high_f_measure_by_mir_eval() -> None:
    true_notes = [
        Note(NOTE_SECONDS * index, NOTE_SECONDS * (index + 1), pitch, 0.8)
        for index, pitch in enumerate(TUNE * 2)
    ]
    found = list(note_transcription.transcribe(plucked(TUNE * 2), RATE))
    precision, recall, f_measure, _ = mir_eval.transcription.precision_recall_f1_overlap(
        *as_mir_eval(true_notes), *as_mir_eval(found), onset_tolerance=0.04, offset_ratio=None
    )
    assert recall == 1.0
    assert precision > 0.85
    assert f_measure > 0.9


def test_chord_gives_its_three_notes() -> None:
    chord = (plucked((60,)) + plucked((64,)) + plucked((67,))) / 3
    found = {note.pitch for note in note_transcription.transcribe(chord, RATE)}
    assert found - {79} == {60, 64, 67}  # Note 79 contains harmonics of all three notes.


def test_level_and_sample_rate_hardly_matter() -> None:
    loud = note_transcription.transcribe(plucked(TUNE), RATE)
    quiet = note_transcription.transcribe(plucked(TUNE, rate=48_000) / 100, 48_000)
    assert [note.pitch for note in loud] == [note.pitch for note in quiet]


def test_note_late_in_a_long_track_has_its_true_onset() -> None:
    pause = np.zeros(40 * RATE, np.float32)
    (note,) = note_transcription.transcribe(np.concatenate([pause, plucked((69,))]), RATE)
    assert note.onset_seconds == pytest.approx(40, abs=0.05)


def test_notes_are_sorted_and_valid() -> None:
    found = note_transcription.transcribe(plucked(TUNE), RATE)
    assert [(n.onset_seconds, n.pitch) for n in found] == sorted(
        (n.onset_seconds, n.pitch) for n in found
    )
    for note in found:
        assert note.offset_seconds > note.onset_seconds >= 0
        assert 0 <= note.velocity <= 1


@pytest.mark.parametrize("samples", [0, 1, 100, 22_050])
def test_silence_has_no_notes(samples: int) -> None:
    assert note_transcription.transcribe(np.zeros(samples, np.float32), RATE) == ()


def test_click_shorter_than_a_frame_has_no_notes() -> None:
    assert note_transcription.transcribe(np.ones(50, np.float32), RATE) == ()
