"""Aligned melody similarity on made-up melodies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from librosa.sequence import rqa

from mirpipe.music.metrics import aligned_melody
from mirpipe.music.metrics.aligned_melody import FEWEST_NOTES, similarity
from mirpipe.records import Note

C_MAJOR = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76])


def tune(seed: int, *, notes: int = 50) -> list[Note]:
    """A walk over the C major scale in quarters and eighths at 120 BPM."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.choice([-2, -1, 1, 2], size=notes)) % len(C_MAJOR)
    seconds = random.choice([0.25, 0.25, 0.5], size=notes)
    onsets = np.cumsum(seconds) - seconds
    return [
        Note(float(onset), float(onset + lasting), int(C_MAJOR[step]), 0.7)
        for onset, lasting, step in zip(onsets, seconds, steps, strict=True)
    ]


def changed(notes: list[Note], *, semitones: int = 0, slower: float = 1.0) -> list[Note]:
    """The same tune in another key and tempo."""
    return [
        Note(n.onset_seconds * slower, n.offset_seconds * slower, n.pitch + semitones, n.velocity)
        for n in notes
    ]


def value(target: list[Note], reference: list[Note]) -> float:
    found = similarity(target, reference).value
    assert found is not None
    return found


@pytest.mark.parametrize("semitones", [0, 1, -3, 7, 12])
def test_the_same_tune_is_1_in_any_key(semitones: int) -> None:
    assert value(tune(0), changed(tune(0), semitones=semitones)) == 1.0


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("slower", [0.7, 0.85, 1.2, 1.5])
def test_the_same_tune_in_another_key_and_tempo_is_far_above_others_in_its_own(
    seed: int, slower: float
) -> None:
    again = changed(tune(seed), semitones=5, slower=slower)
    others = [value(tune(seed), tune(other)) for other in range(10, 25)]
    assert max(others) < 0.5
    assert value(tune(seed), again) > 0.9


def test_an_excerpt_is_found_anywhere_in_a_longer_track() -> None:
    whole = tune(3, notes=150)
    excerpt = changed(whole[60:100], semitones=2)
    assert value(excerpt, whole) > 0.9


def test_wrong_missing_and_added_notes_lower_it_a_little() -> None:
    played = tune(0)
    played[20] = replace(played[20], pitch=played[20].pitch + 1)
    del played[10]
    assert 0.8 < value(tune(0), played) < 1.0


def test_rests_and_where_a_track_begins_do_not_matter() -> None:
    late = [replace(n, onset_seconds=n.onset_seconds + 7, offset_seconds=n.offset_seconds + 7)
            for n in tune(0)]  # fmt: skip
    assert value(tune(0), late) == 1.0
    first, rest = tune(0)[:25], tune(0)[25:]
    apart = first + [
        replace(n, onset_seconds=n.onset_seconds + 3, offset_seconds=n.offset_seconds + 3)
        for n in rest
    ]
    assert value(tune(0), apart) == 1.0


@pytest.mark.parametrize(
    ("notes", "reason"), [(0, "unpitched"), (1, "too_few_notes"), (7, "too_few_notes")]
)
def test_it_is_undefined_where_a_side_has_few_notes(notes: int, reason: str) -> None:
    for found in (similarity(tune(0)[:notes], tune(1)), similarity(tune(1), tune(0)[:notes])):
        assert found.value is None
        assert found.reason == reason


def test_only_the_beginning_of_a_very_long_track_is_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aligned_melody, "LONGEST_FRAMES", 40)
    assert value(tune(0)[:20] + tune(1)[20:], tune(0)) == 1.0


some_notes = st.lists(
    st.builds(
        lambda onset, lasting, pitch, velocity: Note(onset, onset + lasting, pitch, velocity),
        st.floats(0, 20),
        st.floats(0, 3),
        st.integers(0, 127),
        st.floats(0, 1),
    ),
    min_size=FEWEST_NOTES,
    max_size=30,
)


@settings(deadline=None, max_examples=50)  # the first call compiles
@given(some_notes, some_notes)
def test_it_is_symmetric_and_between_0_and_1(one: list[Note], other: list[Note]) -> None:
    assert 0 <= value(one, other) <= 1
    assert value(one, other) == value(other, one)
    assert value(one, one) == 1.0


@settings(deadline=None, max_examples=50)  # the first call compiles
@given(
    st.tuples(st.integers(3, 25), st.integers(3, 25)).flatmap(
        lambda shape: arrays(np.bool_, (shape[0], 2, shape[1]))
    )
)
def test_the_longest_path_is_that_of_librosa(alike: np.ndarray) -> None:
    alike[1, :, 1] = True  # where theirs takes a gap for an alike moment in the corner
    theirs = [
        rqa(one.astype(np.float32), gap_onset=0.5, gap_extend=0.5, backtrack=False).max()
        for one in np.swapaxes(alike, 0, 1)
    ]
    assert aligned_melody._longest_path(alike) == max(theirs)


def test_two_long_tracks_take_a_fraction_of_a_second_and_are_found_alike() -> None:
    whole = tune(3, notes=1000)
    assert value(whole, changed(whole, semitones=3)) == 1.0
