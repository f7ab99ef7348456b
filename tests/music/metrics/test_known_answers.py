"""Every melody metric on melodies whose answers are known.

The melodies are 50 s long, of notes of 0.385 s, either from all twelve pitch classes or from a
key whose notes are as unevenly frequent as in music; of the twelve, none follows itself. Figures
are means over 24 pairs.

| two melodies that are | accuracy | corrected | beats chance | best key | aligned |
|---|---|---|---|---|---|
| unrelated, over 12 transpositions | 0.084 | 0 | 1 in 20 | 0.118, chance | low |
| unrelated, in one key | 0.18 | 0 | 1 in 20 | chance | low |
| the same, a semitone apart | 0.00 | below 0 | no | 1 | 1 |
| the same, 100 ms late | 0.74 | above 0.7 | yes | the same | 1 |
| the same, 300 ms late | 0.22 | above 0 | yes | the same | 1 |
| the same, 1 % slower | 0.40 | above 0.3 | yes | the same | 1 |
| silence | 1 | unpitched | | | |
| drum loops | 0.10 | unpitched | | | |
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from mirpipe.music.metrics import aligned_melody, melody_accuracy, melody_chance_correction
from mirpipe.records import Note, UInt8
from tests.music.metrics.test_melody_accuracy import RATE, drum_loop

SECONDS, NOTE_SECONDS, FRAME_SECONDS = 50.0, 0.385, 256 / 44_100
FRAMES = round(SECONDS / FRAME_SECONDS)
KEY = np.array([0.26, 0, 0.14, 0, 0.2, 0.08, 0, 0.2, 0, 0.08, 0, 0.04])
"""How often each pitch class sounds in C major; the chance that two agree is 0.18."""
PAIRS = 24

Melody = tuple[int, ...]
"""Pitches, a note each."""


@cache
def tune(seed: int, *, in_key: bool = False) -> Melody:
    random, size = np.random.default_rng(seed), 1 + int(SECONDS / NOTE_SECONDS)
    if in_key:
        return tuple(60 + random.choice(12, size=size, p=KEY))
    return tuple(60 + np.cumsum(random.integers(1, 12, size)) % 12)


def frames(tune: Melody, *, semitones: int = 0, late: float = 0.0, slower: float = 1.0) -> UInt8:
    """What `transcribe` would hear of it, were it perfect; all are equally long."""
    at = (np.arange(FRAMES) * FRAME_SECONDS - late) / (NOTE_SECONDS * slower)
    played = np.array(tune)[np.maximum(at, 0).astype(int)]
    return ((played + semitones) % 12).astype(np.uint8)


def notes(
    tune: Melody, *, semitones: int = 0, late: float = 0.0, slower: float = 1.0
) -> list[Note]:
    lasting = NOTE_SECONDS * slower
    return [
        Note(late + i * lasting, late + (i + 1) * lasting, pitch + semitones, 0.7)
        for i, pitch in enumerate(tune)
    ]


def beside(
    pairs: Sequence[tuple[UInt8, UInt8]],
) -> dict[str, np.ndarray]:
    """Every number of every pair; `beats` and `oti_beats` are 0 or 1."""
    rows = []
    for pair in pairs:
        found = melody_chance_correction.beside_chance(*pair)
        row = {name: getattr(found, name).value for name in melody_chance_correction.SPECS}
        row["accuracy"] = melody_accuracy.accuracy(*pair).value
        row["beats"] = row["accuracy"] > row["null95"]
        row["oti_beats"] = row["oti"] > row["oti_null95"]
        rows.append(row)
    return {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}


def aligned(**change: float) -> list[float]:
    """Of some tunes with themselves, changed."""
    found = [
        aligned_melody.similarity(notes(tune(seed)),
                             notes(tune(seed), **change)).value  # type: ignore[arg-type]
        for seed in range(3)
    ]  # fmt: skip
    assert None not in found
    return [value for value in found if value is not None]


def again(**change: float) -> dict[str, np.ndarray]:
    tunes = [tune(seed) for seed in range(PAIRS)]
    return beside([(frames(one), frames(one, **change)) for one in tunes])  # type: ignore[arg-type]


def test_unrelated_melodies_agree_by_chance_and_every_null_says_so() -> None:
    random = np.random.default_rng(0)
    pairs = [
        (
            frames(tune(seed)),
            frames(tune(100 + seed), semitones=k, late=random.uniform(0, NOTE_SECONDS)),
        )
        for seed in range(PAIRS)
        for k in range(12)
    ]
    found = beside(pairs)
    assert found["accuracy"].mean() == pytest.approx(0.084, abs=0.002)
    assert found["corrected"].mean() == pytest.approx(0.0, abs=0.005)
    assert found["beats"].mean() == pytest.approx(0.05, abs=0.05)
    assert found["oti"].mean() == pytest.approx(0.118, abs=0.01)
    assert found["oti_corrected"].mean() == pytest.approx(0.0, abs=0.02)
    assert found["oti_beats"].mean() == pytest.approx(0.05, abs=0.08)
    assert found["oti_null95"].mean() == pytest.approx(0.14, abs=0.01)


def test_melodies_that_strike_in_step_beat_chance_a_little_more_often_than_one_in_twenty() -> None:
    found = beside([(frames(tune(seed)), frames(tune(100 + seed))) for seed in range(100)])
    assert 0.02 < found["beats"].mean() < 0.2
    assert 0.1 < found["oti_beats"].mean() < 0.35


def test_the_best_key_of_unrelated_melodies_is_better_than_chance_in_one() -> None:
    counts = melody_chance_correction.agreements(frames(tune(0)), frames(tune(100)))
    shortest = melody_chance_correction.SHORTEST_SHIFT
    null = counts.max(axis=0)[shortest : FRAMES - shortest + 1] / FRAMES
    assert null.mean() == pytest.approx(0.118, abs=0.005)
    assert np.quantile(null, 0.95) == pytest.approx(0.14, abs=0.01)


def test_unrelated_melodies_in_one_key_agree_more_and_no_better_than_their_chance() -> None:
    pairs = [
        (frames(tune(seed, in_key=True)), frames(tune(100 + seed, in_key=True)))
        for seed in range(2 * PAIRS)
    ]
    found = beside(pairs)
    assert found["accuracy"].mean() == pytest.approx(0.18, abs=0.01)
    assert found["corrected"].mean() == pytest.approx(0.0, abs=0.01)
    assert found["beats"].mean() < 0.15
    assert found["oti_corrected"].mean() == pytest.approx(0.0, abs=0.02)
    one, other = (notes(tune(seed, in_key=True)) for seed in (0, 100))
    unrelated = aligned_melody.similarity(one, other).value
    assert unrelated is not None
    assert unrelated < 0.5


def test_a_semitone_hides_a_melody_from_accuracy_and_not_from_the_best_key() -> None:
    found = again(semitones=1)
    assert found["accuracy"].max() == pytest.approx(0.002, abs=0.003)
    assert found["corrected"].max() < 0
    assert found["beats"].sum() == 0
    assert found["oti"].min() == found["oti_corrected"].min() == 1.0
    assert found["oti_beats"].all()
    assert aligned(semitones=1) == [1.0] * 3


@pytest.mark.parametrize(
    ("change", "accuracy", "corrected"),
    [
        ({"late": 0.1}, 0.74, 0.7),
        ({"late": 0.3}, 0.22, 0.1),
        ({"slower": 1.01}, 0.40, 0.25),
    ],
    ids=["100 ms late", "300 ms late", "1 % slower"],
)
def test_sloppy_timing_costs_accuracy_beats_chance_and_is_nothing_to_alignment(
    change: dict[str, float], accuracy: float, corrected: float
) -> None:
    found = again(**change)
    assert found["accuracy"].mean() == pytest.approx(accuracy, abs=0.06)
    assert found["corrected"].mean() > corrected
    assert found["beats"].mean() > 0.9
    assert found["oti_beats"].mean() > 0.9
    assert min(aligned(**change)) > 0.9


def test_silence_agrees_with_silence_and_is_unpitched() -> None:
    silence = melody_accuracy.transcribe(np.zeros(6 * RATE, dtype=np.float32))
    assert silence.pitch_classes is not None
    assert melody_accuracy.accuracy(silence.pitch_classes, silence.pitch_classes).value == 1.0
    assert silence.voiced is False
    assert aligned_melody.similarity([], []).reason == "unpitched"


def test_drum_loops_agree_by_chance_and_are_unpitched() -> None:
    one, other = (melody_accuracy.transcribe(drum_loop(seed)) for seed in (0, 1))
    assert one.pitch_classes is not None
    assert other.pitch_classes is not None
    value = melody_accuracy.accuracy(one.pitch_classes, other.pitch_classes).value
    assert value == pytest.approx(0.10, abs=0.04)
    assert (one.voiced, other.voiced) == (False, False)
