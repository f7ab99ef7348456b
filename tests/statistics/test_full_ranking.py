"""Full rankings in blocks: the order of the exact cosines, ties by place."""

import numpy as np
import pytest

from mirpipe.statistics import full_ranking
from mirpipe.statistics.exact_top_k import Block, cosines
from mirpipe.statistics.full_ranking import NOBODY


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def ranked(queries: np.ndarray, references: np.ndarray, own: np.ndarray, size: int) -> np.ndarray:
    """All rankings; references come in blocks of `size`, each in an order of its own."""

    def blocks() -> list[Block]:
        shuffled = np.random.default_rng(1)
        places = [
            shuffled.permutation(np.arange(start, min(start + size, len(references))))
            for start in range(0, len(references), size)
        ]
        return [Block(references[place], place) for place in places]

    found = full_ranking.full_ranking(queries, blocks, len(references), own=own, kept=5)
    return np.concatenate([part.places for part in found])


@pytest.mark.parametrize("size", [3, 64, 1000])
def test_order_is_that_of_the_exact_cosines_with_ties_by_place(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_ranking, "CELLS", 900)
    random = np.random.default_rng(0)
    references = unit(random.standard_normal((200, 7)))
    references[[5, 90, 150]] = references[40]
    queries = unit(random.standard_normal((10, 7)))
    own = np.full(10, NOBODY)
    for query, found in zip(queries, ranked(queries, references, own, size), strict=True):
        exact = cosines(np.repeat(query[None], 200, axis=0), references)
        assert found.tolist() == np.lexsort((np.arange(200), -exact)).tolist()


def test_own_reference_comes_last_and_is_marked() -> None:
    references = unit(np.random.default_rng(0).standard_normal((6, 4)))
    [part] = full_ranking.full_ranking(
        references[:2],
        lambda: [Block(references, np.arange(6))],
        6,
        own=np.array([0, NOBODY]),
        kept=3,
    )
    assert part.places[0, -1] == 0
    assert part.places[1, 0] == 1
    assert part.own.tolist() == [True, False]


def test_cosines_of_the_first_are_given() -> None:
    references = unit(np.random.default_rng(0).standard_normal((30, 4)))
    [part] = full_ranking.full_ranking(
        references[:1],
        lambda: [Block(references, np.arange(30))],
        30,
        own=np.array([NOBODY]),
        kept=3,
    )
    exact = cosines(references[[0, 0, 0]], references[part.places[0, :3]])
    assert part.cosines[0] == pytest.approx(exact, abs=1e-12)


def test_missing_references_are_an_error() -> None:
    references = unit(np.ones((2, 3)))
    rankings = full_ranking.full_ranking(
        references, lambda: [Block(references, np.arange(2))], 3, own=np.full(2, NOBODY), kept=1
    )
    with pytest.raises(ValueError, match="2 references were given, not 3"):
        list(rankings)
