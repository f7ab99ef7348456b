"""Which of two metrics finds the same piece again in the demo library.

Among its 37 voiced tracks 15 have a mate that plays the same music in another key, tempo or
instrument; two further pieces are there in two recordings whose passages differ. Each of the 19 is
asked against the 36 others: found is a mate at rank 1.

| metric | same music | other passages | the 8 voiced targets against the references |
|---|---|---|---|
| aligned melody similarity | 15 of 15 | 1 of 4 | 6 of 8 |
| course melody accuracy | 2 of 15 | 1 of 4 | 1 of 8 |

The two targets that aligned similarity misses are those two pieces, whose mates are at rank 2.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from mirpipe.music.metrics import aligned_melody, melody_accuracy
from mirpipe.records import Score
from tests.support.demo_music import manifest, melody_of, notes_of

Metric = Callable[[str, str], Score]
OTHER_PASSAGES = {"piece:celtic", "piece:eastern"}


@cache
def _aligned(one: str, other: str) -> Score:
    return aligned_melody.similarity(notes_of(one), notes_of(other))


def aligned(one: str, other: str) -> Score:
    return _aligned(min(one, other), max(one, other))


def course(one: str, other: str) -> Score:
    sides = melody_of(one).pitch_classes, melody_of(other).pitch_classes
    assert sides[0] is not None
    assert sides[1] is not None
    return melody_accuracy.accuracy(*sides)


@cache
def voiced() -> list[str]:
    """Paths of the tracks whose melody can be told."""
    rows = manifest().items()
    return [path for path, row in rows if row["instrument"] != "drums" and melody_of(path).voiced]


def work(path: str) -> str:
    return manifest()[path]["work"]


@cache
def ranks(metric: Metric, *, references_only: bool = False) -> dict[str, int]:
    """The best rank of a mate, for every track that has one among those it is asked against."""
    found = {}
    for asked in voiced():
        others = [path for path in voiced() if path != asked]
        if references_only:
            others = [path for path in others if manifest()[path]["collection"] == "reference"]
        mates = np.array([work(path) == work(asked) for path in others])
        values = np.array([metric(asked, path).value for path in others], dtype=float)
        if mates.any():
            found[asked] = 1 + int((values > values[mates].max()).sum())
    return found


def first(metric: Metric, *, other_passages: bool) -> tuple[int, int]:
    """How many find a mate at rank 1, and of how many."""
    chosen = [
        rank
        for path, rank in ranks(metric).items()
        if (work(path) in OTHER_PASSAGES) == other_passages
    ]
    return sum(rank == 1 for rank in chosen), len(chosen)


@pytest.mark.slow
def test_the_same_music_in_another_key_and_tempo_is_found_at_rank_1() -> None:
    assert first(aligned, other_passages=False) == (15, 15)
    assert first(course, other_passages=False) == (2, 15)


@pytest.mark.slow
def test_another_passage_of_a_piece_is_among_the_first_two() -> None:
    assert first(aligned, other_passages=True) == (1, 4)
    assert max(ranks(aligned).values()) == 2


@pytest.mark.slow
def test_targets_find_their_match_among_the_references() -> None:
    def at_rank_1(metric: Metric) -> int:
        asked = ranks(metric, references_only=True)
        return sum(rank == 1 for path, rank in asked.items() if path.startswith("target"))

    assert at_rank_1(aligned) == 6
    assert at_rank_1(course) == 1


@pytest.mark.slow
def test_unrelated_tracks_stay_below_one_half() -> None:
    pairs = [(one, other) for one in voiced() for other in voiced() if one < other]
    unrelated = [aligned(*pair).value for pair in pairs if work(pair[0]) != work(pair[1])]
    same = [aligned(*pair).value for pair in pairs if work(pair[0]) == work(pair[1])]
    assert np.median(unrelated) == pytest.approx(0.11, abs=0.03)
    assert np.percentile(unrelated, 95) < 0.35
    assert np.median(same) > 0.6
