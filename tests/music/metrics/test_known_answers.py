"""All melody metrics, computed on pairs of melodies for which the results are known.

The melodies are 50 s long, with notes of 0.385 s. Some melodies use all twelve pitch classes
equally often and never repeat a pitch class immediately. Others are in a key, and their notes are
as frequent as in real music. The numbers are means over 24 pairs.

| two melodies | accuracy | corrected | beats chance | best key | aligned |
|---|---|---|---|---|---|
| unrelated, over 12 transpositions | 0.084 | 0 | 1 in 20 | 0.118, chance | low |
| unrelated, in the same key | 0.18 | 0 | 1 in 20 | chance | low |
| the same, a semitone apart | 0.00 | below 0 | no | 1 | 1 |
| the same, 100 ms late | 0.74 | above 0.7 | yes | the same | 1 |
| the same, 300 ms late | 0.22 | above 0 | yes | the same | 1 |
| the same, 1% slower | 0.40 | above 0.3 | yes | the same | 1 |
| silence | 1 | unpitched | | | |
| drum loops | 0.10 | unpitched | | | |
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from mirpipe.music.features.melody_pitch_classes import SAMPLE_RATE, transcribe_melody
from mirpipe.music.metrics import aligned_melody, melody_accuracy, melody_chance_correction
from mirpipe.music.metrics.optimal_transposition import equal_frame_counts
from mirpipe.records import Note, UInt8
from tests.music.synthetic_tunes import drum_loop

SECONDS, NOTE_SECONDS, FRAME_SECONDS = 50.0, 0.385, 256 / 44_100
FRAMES = round(SECONDS / FRAME_SECONDS)
C_MAJOR_FREQUENCIES = np.array([0.26, 0, 0.14, 0, 0.2, 0.08, 0, 0.2, 0, 0.08, 0, 0.04])
"""Relative frequency of each pitch class in C major.

The probability that two notes agree by chance is 0.18.
"""
PAIRS = 24

Melody = tuple[int, ...]
"""MIDI numbers, one per note."""


@cache
def tune(seed: int, *, in_key: bool = False) -> Melody:
    random, size = np.random.default_rng(seed), 1 + int(SECONDS / NOTE_SECONDS)
    if in_key:
        return tuple(60 + random.choice(12, size=size, p=C_MAJOR_FREQUENCIES))
    return tuple(60 + np.cumsum(random.integers(1, 12, size)) % 12)


def frames(melody: Melody, *, semitones: int = 0, late: float = 0.0, slower: float = 1.0) -> UInt8:
    """Return the pitch classes of a perfect transcription. The length is constant."""
    position = (np.arange(FRAMES) * FRAME_SECONDS - late) / (NOTE_SECONDS * slower)
    pitches = np.array(melody)[np.maximum(position, 0).astype(int)]
    return ((pitches + semitones) % 12).astype(np.uint8)


def notes(
    melody: Melody, *, semitones: int = 0, late: float = 0.0, slower: float = 1.0
) -> list[Note]:
    seconds = NOTE_SECONDS * slower
    return [
        Note(late + i * seconds, late + (i + 1) * seconds, pitch + semitones, 0.7)
        for i, pitch in enumerate(melody)
    ]


def all_numbers(pairs: Sequence[tuple[UInt8, UInt8]]) -> dict[str, np.ndarray]:
    """Return each metric's values for all pairs, by name. `beats` and `oti_beats` are 0 or 1."""
    rows = []
    for pair in pairs:
        found = melody_chance_correction.correct_for_chance(*pair)
        row = {name: getattr(found, name).value for name in melody_chance_correction.SPECS}
        row["accuracy"] = melody_accuracy.accuracy(*pair).value
        row["beats"] = row["accuracy"] > row["null95"]
        row["oti_beats"] = row["oti"] > row["oti_null95"]
        rows.append(row)
    return {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}


def aligned_with_changed_self(**change: float) -> list[float]:
    """Return the aligned similarity between three tunes and their changed copies."""
    scores = [
        aligned_melody.similarity(notes(tune(seed)),
                             notes(tune(seed), **change)).value  # type: ignore[arg-type]
        for seed in range(3)
    ]  # fmt: skip
    assert None not in scores
    return [value for value in scores if value is not None]


def numbers_with_changed_self(**change: float) -> dict[str, np.ndarray]:
    """Return all metrics between 24 tunes and their changed copies."""
    tunes = [tune(seed) for seed in range(PAIRS)]
    return all_numbers([(frames(one), frames(one, **change)) for one in tunes])  # type: ignore[arg-type]


def test_unrelated_melodies_agree_by_chance() -> None:
    random = np.random.default_rng(0)
    pairs = [
        (
            frames(tune(seed)),
            frames(tune(100 + seed), semitones=k, late=random.uniform(0, NOTE_SECONDS)),
        )
        for seed in range(PAIRS)
        for k in range(12)
    ]
    found = all_numbers(pairs)
    assert found["accuracy"].mean() == pytest.approx(0.084, abs=0.002)
    assert found["corrected"].mean() == pytest.approx(0.0, abs=0.005)
    assert found["beats"].mean() == pytest.approx(0.05, abs=0.05)
    assert found["oti"].mean() == pytest.approx(0.118, abs=0.01)
    assert found["oti_corrected"].mean() == pytest.approx(0.0, abs=0.02)
    assert found["oti_beats"].mean() == pytest.approx(0.05, abs=0.08)
    assert found["oti_null95"].mean() == pytest.approx(0.14, abs=0.01)


def test_unrelated_melodies_with_equal_onsets_beat_chance_more_than_once_in_twenty() -> None:
    found = all_numbers([(frames(tune(seed)), frames(tune(100 + seed))) for seed in range(100)])
    assert 0.02 < found["beats"].mean() < 0.2
    assert 0.1 < found["oti_beats"].mean() < 0.35


def test_chance_in_the_best_key_is_higher_than_chance_in_one_key() -> None:
    counts = equal_frame_counts(frames(tune(0)), frames(tune(100)))
    shortest = melody_chance_correction.SHORTEST_SHIFT
    null = counts.max(axis=0)[shortest : FRAMES - shortest + 1] / FRAMES
    assert null.mean() == pytest.approx(0.118, abs=0.005)
    assert np.quantile(null, 0.95) == pytest.approx(0.14, abs=0.01)


def test_unrelated_melodies_in_the_same_key_agree_more_but_not_beyond_chance() -> None:
    pairs = [
        (frames(tune(seed, in_key=True)), frames(tune(100 + seed, in_key=True)))
        for seed in range(2 * PAIRS)
    ]
    found = all_numbers(pairs)
    assert found["accuracy"].mean() == pytest.approx(0.18, abs=0.01)
    assert found["corrected"].mean() == pytest.approx(0.0, abs=0.01)
    assert found["beats"].mean() < 0.15
    assert found["oti_corrected"].mean() == pytest.approx(0.0, abs=0.02)
    target, reference = (notes(tune(seed, in_key=True)) for seed in (0, 100))
    unrelated = aligned_melody.similarity(target, reference).value
    assert unrelated is not None
    assert unrelated < 0.5


def test_melody_a_semitone_higher_agrees_only_in_the_best_key() -> None:
    found = numbers_with_changed_self(semitones=1)
    assert found["accuracy"].max() == pytest.approx(0.002, abs=0.003)
    assert found["corrected"].max() < 0
    assert found["beats"].sum() == 0
    assert found["oti"].min() == found["oti_corrected"].min() == 1.0
    assert found["oti_beats"].all()
    assert aligned_with_changed_self(semitones=1) == [1.0] * 3


@pytest.mark.parametrize(
    ("change", "accuracy", "corrected"),
    [
        ({"late": 0.1}, 0.74, 0.7),
        ({"late": 0.3}, 0.22, 0.1),
        ({"slower": 1.01}, 0.40, 0.25),
    ],
    ids=["100 ms late", "300 ms late", "1% slower"],
)
def test_inexact_timing_lowers_accuracy_but_beats_chance_and_keeps_the_alignment(
    change: dict[str, float], accuracy: float, corrected: float
) -> None:
    found = numbers_with_changed_self(**change)
    assert found["accuracy"].mean() == pytest.approx(accuracy, abs=0.06)
    assert found["corrected"].mean() > corrected
    assert found["beats"].mean() > 0.9
    assert found["oti_beats"].mean() > 0.9
    assert min(aligned_with_changed_self(**change)) > 0.9


def test_silence_agrees_with_silence_and_is_unpitched() -> None:
    silence = transcribe_melody(np.zeros(6 * SAMPLE_RATE, dtype=np.float32))
    assert silence.pitch_classes is not None
    assert melody_accuracy.accuracy(silence.pitch_classes, silence.pitch_classes).value == 1.0
    assert silence.voiced is False
    assert aligned_melody.similarity([], []).reason == "unpitched"


def test_drum_loops_agree_by_chance_and_are_unpitched() -> None:
    target, reference = (transcribe_melody(drum_loop(seed)) for seed in (0, 1))
    assert target.pitch_classes is not None
    assert reference.pitch_classes is not None
    value = melody_accuracy.accuracy(target.pitch_classes, reference.pitch_classes).value
    assert value == pytest.approx(0.10, abs=0.04)
    assert (target.voiced, reference.voiced) == (False, False)
