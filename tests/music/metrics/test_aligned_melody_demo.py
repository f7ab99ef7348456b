"""How often two metrics find another version of the same piece in the demo library.

The library has 37 voiced tracks. For 15 of them, another track contains the same music in another
key, tempo or instrument. For four more tracks, another recording of the same piece contains other
passages. Each of these 19 tracks is a query that is compared with the 36 other tracks. A query is
successful if another version of its piece is at rank 1.

| metric | same music | other passages | the 8 voiced targets against the references |
|---|---|---|---|
| aligned melody similarity | 15 of 15 | 1 of 4 | 6 of 8 |
| melody accuracy | 2 of 15 | 1 of 4 | 1 of 8 |

For the two targets that are not successful by aligned similarity, the other version is a recording
with other passages and is at rank 2.
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
def _aligned(target: str, reference: str) -> Score:
    return aligned_melody.similarity(notes_of(target), notes_of(reference))


def aligned(target: str, reference: str) -> Score:
    return _aligned(min(target, reference), max(target, reference))


def accuracy(target: str, reference: str) -> Score:
    target_classes = melody_of(target).pitch_classes
    reference_classes = melody_of(reference).pitch_classes
    assert target_classes is not None
    assert reference_classes is not None
    return melody_accuracy.accuracy(target_classes, reference_classes)


@cache
def voiced() -> list[str]:
    """Return the paths of the voiced tracks."""
    rows = manifest().items()
    return [path for path, row in rows if row["instrument"] != "drums" and melody_of(path).voiced]


def work(path: str) -> str:
    return manifest()[path]["work"]


@cache
def ranks(metric: Metric, *, references_only: bool = False) -> dict[str, int]:
    """Return the best rank of another version, for every track that has another version."""
    best_ranks = {}
    for query in voiced():
        others = [path for path in voiced() if path != query]
        if references_only:
            others = [path for path in others if manifest()[path]["collection"] == "reference"]
        is_version = np.array([work(path) == work(query) for path in others])
        values = np.array([metric(query, path).value for path in others], dtype=float)
        if is_version.any():
            best_ranks[query] = 1 + int((values > values[is_version].max()).sum())
    return best_ranks


def successes(metric: Metric, *, other_passages: bool) -> tuple[int, int]:
    """Return the number of queries with another version at rank 1, and the number of queries."""
    chosen = [
        rank
        for path, rank in ranks(metric).items()
        if (work(path) in OTHER_PASSAGES) == other_passages
    ]
    return sum(rank == 1 for rank in chosen), len(chosen)


@pytest.mark.slow
def test_same_music_in_another_key_and_tempo_is_found_at_rank_1() -> None:
    assert successes(aligned, other_passages=False) == (15, 15)
    assert successes(accuracy, other_passages=False) == (2, 15)


@pytest.mark.slow
def test_other_passages_of_a_piece_are_found_at_rank_1_or_2() -> None:
    assert successes(aligned, other_passages=True) == (1, 4)
    assert max(ranks(aligned).values()) == 2


@pytest.mark.slow
def test_targets_find_their_other_version_among_the_references() -> None:
    def targets_at_rank_1(metric: Metric) -> int:
        best_ranks = ranks(metric, references_only=True)
        return sum(rank == 1 for path, rank in best_ranks.items() if path.startswith("target"))

    assert targets_at_rank_1(aligned) == 6
    assert targets_at_rank_1(accuracy) == 1


@pytest.mark.slow
def test_most_unrelated_tracks_have_a_low_similarity() -> None:
    pairs = [(first, second) for first in voiced() for second in voiced() if first < second]
    unrelated = [aligned(*pair).value for pair in pairs if work(pair[0]) != work(pair[1])]
    same = [aligned(*pair).value for pair in pairs if work(pair[0]) == work(pair[1])]
    assert np.median(unrelated) == pytest.approx(0.11, abs=0.03)
    assert np.percentile(unrelated, 95) < 0.35
    assert np.median(same) > 0.6
