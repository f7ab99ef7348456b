"""The transcription of made-up music."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from mirpipe.music.features import note_transcription
from mirpipe.records import Float32

RATE = 44_100
TUNE = (60, 64, 67, 72, 69, 65, 62, 59)


def played(pitches: tuple[int, ...], *, seconds: float = 0.5, rate: int = RATE) -> Float32:
    """One plucked note after the other, each with six harmonics."""
    time = np.arange(round(seconds * rate)) / rate
    tones = [
        sum(
            np.sin(2 * np.pi * h * 440 * 2 ** ((pitch - 69) / 12) * time) / h**2
            for h in range(1, 7)
        )
        * np.exp(-2 * time)
        for pitch in pitches
    ]
    return (0.2 * np.concatenate(tones)).astype(np.float32)


def test_every_note_of_a_tune_is_found_where_it_begins() -> None:
    found = note_transcription.transcribe(played(TUNE * 2), RATE)
    for index, pitch in enumerate(TUNE * 2):
        near = [n for n in found if n.pitch == pitch and abs(n.onset_seconds - index / 2) < 0.04]
        assert len(near) == 1, (index, pitch)
        assert near[0].velocity > 0.3
    assert len(found) <= len(TUNE * 2) + 2


def test_a_chord_gives_its_three_notes() -> None:
    chord = (played((60,)) + played((64,)) + played((67,))) / 3
    found = {note.pitch for note in note_transcription.transcribe(chord, RATE)}
    assert found - {79} == {60, 64, 67}  # an octave above G lie harmonics of all three


def test_the_level_and_the_sample_rate_hardly_matter() -> None:
    loud = note_transcription.transcribe(played(TUNE), RATE)
    soft = note_transcription.transcribe(played(TUNE, rate=48_000) / 100, 48_000)
    assert [note.pitch for note in loud] == [note.pitch for note in soft]


def test_notes_late_in_a_long_track_stand_where_they_begin() -> None:
    pause = np.zeros(40 * RATE, np.float32)
    (note,) = note_transcription.transcribe(np.concatenate([pause, played((69,))]), RATE)
    assert note.onset_seconds == pytest.approx(40, abs=0.05)


def test_notes_are_in_order_and_hold_together() -> None:
    found = note_transcription.transcribe(played(TUNE), RATE)
    assert [(n.onset_seconds, n.pitch) for n in found] == sorted(
        (n.onset_seconds, n.pitch) for n in found
    )
    for note in found:
        assert note.offset_seconds > note.onset_seconds >= 0
        assert 0 <= note.velocity <= 1


@pytest.mark.parametrize("samples", [0, 1, 100, 22_050])
def test_silence_holds_no_notes(samples: int) -> None:
    assert note_transcription.transcribe(np.zeros(samples, np.float32), RATE) == ()


def test_a_click_shorter_than_a_frame_is_borne() -> None:
    assert note_transcription.transcribe(np.ones(50, np.float32), RATE) == ()


@pytest.mark.slow
def test_the_library_leaves_the_logging_of_the_process_alone() -> None:
    code = """
import logging
from mirpipe.music.features import note_transcription
note_transcription._decoder()
assert not logging.root.handlers
logging.warning("still said")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "WARNING:root:still said"
    assert logging.root.manager.disable == 0
