"""The aligned melody similarity of synthetic melodies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from librosa.sequence import rqa

from mirpipe.music.metrics import aligned_melody
from mirpipe.music.metrics.aligned_melody import MIN_NOTES, note_chroma, similarity
from mirpipe.records import Note

C_MAJOR = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76])


def tune(seed: int, *, notes: int = 50) -> list[Note]:
    """Return a random walk over the C major scale, in quarters and eighths at 120 BPM."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.choice([-2, -1, 1, 2], size=notes)) % len(C_MAJOR)
    seconds = random.choice([0.25, 0.25, 0.5], size=notes)
    onsets = np.cumsum(seconds) - seconds
    return [
        Note(float(onset), float(onset + duration), int(C_MAJOR[step]), 0.7)
        for onset, duration, step in zip(onsets, seconds, steps, strict=True)
    ]


def changed(notes: list[Note], *, semitones: int = 0, slower: float = 1.0) -> list[Note]:
    """Return the same tune in another key and tempo."""
    return [
        Note(n.onset_seconds * slower, n.offset_seconds * slower, n.pitch + semitones, n.velocity)
        for n in notes
    ]


def later(notes: list[Note], seconds: float) -> list[Note]:
    """Return the same notes some seconds later."""
    return [
        replace(
            n, onset_seconds=n.onset_seconds + seconds, offset_seconds=n.offset_seconds + seconds
        )
        for n in notes
    ]


def value(target: list[Note], reference: list[Note]) -> float:
    score = similarity(target, reference).value
    assert score is not None
    return score


@pytest.mark.parametrize("semitones", [0, 1, -3, 7, 12])
def test_same_tune_has_similarity_1_in_any_key(semitones: int) -> None:
    assert value(tune(0), changed(tune(0), semitones=semitones)) == 1.0


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("slower", [0.7, 0.85, 1.2, 1.5])
def test_same_tune_in_another_key_and_tempo_is_far_above_other_tunes(
    seed: int, slower: float
) -> None:
    same = changed(tune(seed), semitones=5, slower=slower)
    others = [value(tune(seed), tune(other)) for other in range(10, 25)]
    assert max(others) < 0.5
    assert value(tune(seed), same) > 0.9


def test_excerpt_is_found_anywhere_in_a_longer_track() -> None:
    complete = tune(3, notes=150)
    excerpt = changed(complete[60:100], semitones=2)
    assert value(excerpt, complete) > 0.9


def test_wrong_and_missing_notes_lower_the_similarity_a_little() -> None:
    played = tune(0)
    played[20] = replace(played[20], pitch=played[20].pitch + 1)
    del played[10]
    assert 0.8 < value(tune(0), played) < 1.0


def test_rests_and_the_start_time_do_not_matter() -> None:
    assert value(tune(0), later(tune(0), 7)) == 1.0
    with_rest = tune(0)[:25] + later(tune(0)[25:], 3)
    assert value(tune(0), with_rest) == 1.0


@pytest.mark.parametrize(
    ("notes", "reason"), [(0, "unpitched"), (1, "too_few_notes"), (7, "too_few_notes")]
)
def test_similarity_is_undefined_if_a_track_has_few_notes(notes: int, reason: str) -> None:
    for score in (similarity(tune(0)[:notes], tune(1)), similarity(tune(1), tune(0)[:notes])):
        assert score.value is None
        assert score.reason == reason


def test_only_the_start_of_a_very_long_track_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligned_melody, "MAX_FRAMES", 40)
    assert value(tune(0)[:20] + tune(1)[20:], tune(0)) == 1.0


NOTE = st.builds(
    lambda onset, duration, pitch, velocity: Note(onset, onset + duration, pitch, velocity),
    st.floats(0, 20),
    st.floats(0, 3),
    st.integers(0, 127),
    st.floats(0, 1),
)
NOTES = st.lists(NOTE, min_size=MIN_NOTES, max_size=30)


@settings(deadline=None, max_examples=50)  # The first call compiles code.
@given(NOTES, NOTES)
def test_similarity_is_symmetric_and_between_0_and_1(
    target: list[Note], reference: list[Note]
) -> None:
    assert 0 <= value(target, reference) <= 1
    assert value(target, reference) == value(reference, target)
    assert value(target, target) == 1.0


@pytest.mark.slow
@settings(deadline=None, max_examples=50)  # The first call compiles code.
@given(
    st.tuples(st.integers(3, 25), st.integers(3, 25)).flatmap(
        lambda shape: arrays(np.bool_, (shape[0], 2, shape[1]))
    )
)
def test_longest_path_equals_librosa(matches: np.ndarray) -> None:
    matches[1, :, 1] = True  # In this corner of the matrix, librosa treats a gap as a match.
    expected = [
        rqa(matrix.astype(np.float32), gap_onset=0.5, gap_extend=0.5, backtrack=False).max()
        for matrix in np.swapaxes(matches, 0, 1)
    ]
    assert aligned_melody._longest_paths([matches]) == [max(expected)]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(*[st.one_of(NOTES, st.lists(NOTE, max_size=MIN_NOTES))] * 2), max_size=8))
def test_pairs_that_are_compared_together_have_the_values_of_single_pairs(
    pairs: list[tuple[list[Note], list[Note]]],
) -> None:
    chroma = [(note_chroma(target), note_chroma(reference)) for target, reference in pairs]
    assert aligned_melody.compare_chroma(chroma) == [similarity(*pair) for pair in pairs]
    for batch_cells in (1, 1 << 12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aligned_melody, "_BATCH_CELLS", batch_cells)
            assert aligned_melody.compare_chroma(chroma) == [similarity(*pair) for pair in pairs]


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_longest_paths_of_matrices_of_any_size_are_those_of_a_cell_by_cell_search(
    data: st.DataObject,
) -> None:
    shapes = st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(1, 9))
    matches = data.draw(st.lists(shapes.flatmap(lambda shape: arrays(np.bool_, shape)), min_size=1))
    expected = [max(longest_path(each) for each in np.swapaxes(pair, 0, 1)) for pair in matches]
    assert aligned_melody._longest_paths(matches) == expected


def longest_path(matches: np.ndarray) -> float:
    q = np.zeros(np.add(matches.shape, 2))
    for row, column in np.ndindex(matches.shape):
        steps = (q[row + 1, column + 1], q[row + 1, column], q[row, column + 1])
        q[row + 2, column + 2] = max(0, max(steps) + (1 if matches[row, column] else -0.5))
    return float(q.max())


def test_two_long_tracks_of_the_same_tune_have_similarity_1() -> None:
    complete = tune(3, notes=1000)
    assert value(complete, changed(complete, semitones=3)) == 1.0
