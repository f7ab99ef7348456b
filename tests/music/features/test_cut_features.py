"""Notes, beats and melodies are cut to an excerpt, with times that start at the excerpt."""

import numpy as np

from mirpipe.music.features import cut_features, cut_notes
from mirpipe.music.features.melody_pitch_classes import cut_pitch_classes, transcribe_melody
from mirpipe.records import Excerpt, Features, Note

EXCERPT = Excerpt(1, 10.0, 5.0, is_whole=False)


def note(onset: float, offset: float) -> Note:
    return Note(onset, offset, 60, 0.5)


def test_only_the_sounding_part_of_a_note_remains() -> None:
    notes = [note(8, 10), note(9, 11), note(12, 13), note(14, 16), note(15, 17)]
    assert cut_notes(notes, EXCERPT) == (note(0, 1), note(2, 3), note(4, 5))


def test_beats_are_cut_and_the_tempo_stays() -> None:
    features = Features(
        tempo_bpm=60.0,
        beat_seconds=(9.5, 10.0, 12.5, 15.0),
        meter=4,
        key=None,
        key_clarity=None,
        voiced_fraction=0.9,
        notes=(note(12, 13),),
        onsets_per_second=1.0,
        brightness_hz=1000.0,
        reasons={},
    )
    cut = cut_features(features, EXCERPT)
    assert (cut.beat_seconds, cut.notes) == ((0.0, 2.5), (note(2, 3),))
    assert (cut.tempo_bpm, cut.meter) == (60.0, 4)


def test_a_cut_melody_is_as_long_as_the_melody_of_the_excerpt_alone() -> None:
    time = np.arange(6 * 44_100) / 44_100
    hertz = np.where(time < 2, 440.0, np.where(time < 4, 523.25, 659.26))
    samples = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    complete = transcribe_melody(samples).pitch_classes
    alone = transcribe_melody(samples[2 * 44_100 : 4 * 44_100]).pitch_classes
    assert complete is not None
    assert alone is not None
    cut = cut_pitch_classes(complete, Excerpt(1, 2.0, 2.0, is_whole=False))
    assert len(cut) == len(alone)
    assert np.mean(cut == alone) > 0.97  # Only frames at the ends differ.
    assert np.mean(cut == 0) > 0.97  # All notes of the excerpt are C.
