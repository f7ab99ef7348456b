"""Full rankings computed from blocks are sorted by exact cosine; ties are sorted by index."""

import tracemalloc
from itertools import permutations

import numpy as np
import pytest

from mirpipe.statistics import full_ranking
from mirpipe.statistics.distinct_vectors import Block
from mirpipe.statistics.exact_cosines import cosines
from mirpipe.statistics.exact_top_k import NO_REFERENCE


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def rankings(queries: np.ndarray, references: np.ndarray, own: np.ndarray, size: int) -> np.ndarray:
    """Return all rankings, computed from blocks of `size` references in random order."""

    def blocks() -> list[Block]:
        random = np.random.default_rng(1)
        places = [
            random.permutation(np.arange(start, min(start + size, len(references))))
            for start in range(0, len(references), size)
        ]
        return [Block(references[place], place) for place in places]

    parts = full_ranking.full_ranking(queries, blocks, len(references), own=own, kept=5)
    return np.concatenate([part.places for part in parts])


@pytest.mark.parametrize("size", [3, 64, 1000])
def test_order_is_by_exact_cosine_with_ties_by_place(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_ranking, "MAX_PRODUCTS", 900)
    random = np.random.default_rng(0)
    references = unit(random.standard_normal((200, 7)))
    references[[5, 90, 150]] = references[40]
    queries = unit(random.standard_normal((10, 7)))
    own = np.full(10, NO_REFERENCE)
    rows = rankings(queries, references, own, size)
    for query, places in zip(queries, rows, strict=True):
        exact = cosines(np.repeat(query[None], 200, axis=0), references)
        assert places.tolist() == np.lexsort((np.arange(200), -exact)).tolist()


def test_equal_cosines_are_ties_although_their_sums_round_differently() -> None:
    components = unit(np.random.default_rng(4).standard_normal((1, 6)))[0].tolist()
    references = np.array(list(permutations(components)), np.float32)
    query = np.full((1, 6), 6**-0.5, np.float32)
    assert len(set((query.astype(float) @ references.astype(float).T)[0].tolist())) > 1
    rows = rankings(query, references, np.array([NO_REFERENCE]), 100)
    assert rows.tolist() == [list(range(720))]


def test_own_reference_comes_last_and_is_marked() -> None:
    references = unit(np.random.default_rng(0).standard_normal((6, 4)))
    [ranking] = full_ranking.full_ranking(
        references[:2],
        lambda: [Block(references, np.arange(6))],
        6,
        own=np.array([0, NO_REFERENCE]),
        kept=3,
    )
    assert ranking.places[0, -1] == 0
    assert ranking.places[1, 0] == 1
    assert ranking.own.tolist() == [True, False]


def test_first_cosines_are_returned() -> None:
    references = unit(np.random.default_rng(0).standard_normal((30, 4)))
    [ranking] = full_ranking.full_ranking(
        references[:1],
        lambda: [Block(references, np.arange(30))],
        30,
        own=np.array([NO_REFERENCE]),
        kept=3,
    )
    exact = cosines(references[[0, 0, 0]], references[ranking.places[0, :3]])
    assert ranking.cosines[0] == pytest.approx(exact, abs=1e-12)


def test_missing_references_are_an_error() -> None:
    references = unit(np.ones((2, 3)))
    result = full_ranking.full_ranking(
        references,
        lambda: [Block(references, np.arange(2))],
        3,
        own=np.full(2, NO_REFERENCE),
        kept=1,
    )
    with pytest.raises(ValueError, match="expected 3 references, but the blocks contain 2"):
        list(result)


def test_only_the_rankings_of_one_block_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_ranking, "MAX_PRODUCTS", 1 << 20)
    references = unit(np.random.default_rng(0).standard_normal((1 << 14, 4)))
    block = Block(references, np.arange(len(references)))
    own = np.full(200, NO_REFERENCE)
    tracemalloc.start()
    parts = full_ranking.full_ranking(
        references[:200], lambda: [block], len(references), own=own, kept=5
    )
    seen = 0
    for part in parts:
        seen += len(part.rows)
        del part
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == 200
    assert peak < 1.3 * 8 * (1 << 20)
