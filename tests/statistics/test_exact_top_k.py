"""The exact top k equals a full sort for all block sizes, even with ties and rounding errors."""

import math
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.neighbors import NearestNeighbors

from mirpipe.records import Float32
from mirpipe.statistics import exact_top_k
from mirpipe.statistics.distinct_vectors import Block, distinct_vectors
from mirpipe.statistics.exact_cosines import cosines
from mirpipe.statistics.exact_top_k import NO_REFERENCE, TopMatches, top_k


def unit(vectors: object) -> Float32:
    rows = np.atleast_2d(np.asarray(vectors, np.float64))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_units(seed: int, n: int, dimension: int) -> Float32:
    return unit(np.random.default_rng(seed).standard_normal((n, dimension)))


def split(vectors: Float32, order: np.ndarray, size: int) -> list[Block]:
    return [
        Block(vectors[start : start + size], order[start : start + size])
        for start in range(0, len(order), size)
    ]


def sort_all(targets, references, order, k, own=None, floor=None) -> TopMatches:
    """Return the top k for each target, found by sorting all references."""
    rows = []
    for t, target in enumerate(targets):
        candidates = []
        for r, reference in enumerate(references):
            cosine = float(cosines(target[None], reference[None])[0])
            is_allowed = floor is None or (-cosine, order[r]) <= (-floor[t][0], floor[t][1])
            if is_allowed and (own is None or order[r] != own[t]):
                candidates.append((-cosine, int(order[r])))
        rows += [(t, place, -negative) for negative, place in sorted(candidates)[:k]]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return TopMatches(*(np.array(c, t) for c, t in zip(columns, (int, int, float), strict=True)))


def assert_same(found: TopMatches, expected: TopMatches) -> None:
    assert_array_equal(found.target, expected.target)
    assert_array_equal(found.order, expected.order)
    assert found.cosine.tobytes() == expected.cosine.tobytes()


@st.composite
def libraries(draw: st.DrawFn):
    """Return targets and references with few distinct coordinates, so that many cosines tie."""
    dimension = draw(st.integers(1, 5))
    row = st.lists(st.integers(-2, 2), min_size=dimension, max_size=dimension).filter(any)
    targets = draw(st.lists(row, min_size=1, max_size=6))
    references = draw(st.lists(row, min_size=1, max_size=40))
    order = np.array(draw(st.permutations(range(len(references)))), np.int64)
    return unit(targets), unit(references), order


@given(libraries(), st.integers(1, 12), st.integers(1, 45))
@settings(max_examples=150, deadline=None)
def test_result_equals_a_full_sort_for_any_block_size(library, k, block):
    targets, references, order = library
    found = top_k(targets, split(references, order, block), k)
    assert_same(found, sort_all(targets, references, order, k))


@given(libraries(), st.integers(1, 12), st.integers(1, 45), st.data())
@settings(max_examples=150, deadline=None)
def test_result_respects_the_floor_and_leaves_out_the_own_reference(library, k, block, data):
    targets, references, order = library
    places = st.integers(-1, len(order))
    own = [data.draw(places) for _ in targets]
    pick = [data.draw(st.integers(0, len(order) - 1)) for _ in targets]
    floor = [
        (float(cosines(targets[t][None], references[r][None])[0]), data.draw(places))
        for t, r in enumerate(pick)
    ]
    found = top_k(
        targets,
        split(references, order, block),
        k,
        own=np.array(own),
        floor_cosine=np.array([cosine for cosine, _ in floor]),
        floor_order=np.array([place for _, place in floor]),
    )
    assert_same(found, sort_all(targets, references, order, k, own, floor))


def test_references_without_ties_equal_those_of_scikit_learn():
    targets, references = random_units(20, 40, 64), random_units(21, 2000, 64)
    found = top_k(targets, split(references, np.arange(2000), 300), 10)
    nearest = NearestNeighbors(n_neighbors=10, metric="cosine").fit(references.astype(np.float64))
    distances, rows = nearest.kneighbors(targets.astype(np.float64))
    assert_array_equal(found.order, rows.ravel())
    assert found.cosine == pytest.approx(1 - distances.ravel(), abs=1e-6)


@pytest.mark.parametrize("dimension", [200, 512, 1001])
def test_bits_do_not_depend_on_the_blocks_or_the_other_targets(dimension):
    targets, references = random_units(1, 20, dimension), random_units(2, 3000, dimension)
    order = np.random.default_rng(3).permutation(3000)
    complete = top_k(targets, split(references, order, 3000), 50)
    assert_same(top_k(targets, split(references, order, 337), 50), complete)
    for t in (0, 19):
        alone = top_k(targets[t : t + 1], split(references, order, 1111), 50)
        assert alone.order.tolist() == complete.order[complete.target == t].tolist()
        assert alone.cosine.tobytes() == complete.cosine[complete.target == t].tobytes()


def test_more_targets_than_fit_in_one_block_keep_their_rows():
    targets, references = random_units(4, 1300, 8), random_units(5, 200, 8)
    found = top_k(targets, split(references, np.arange(200), 70), 3)
    exact = targets.astype(np.float64) @ references.T.astype(np.float64)
    assert_array_equal(found.target, np.repeat(np.arange(1300), 3))
    assert_array_equal(found.order[::3], exact.argmax(axis=1))


def test_cosines_that_float32_cannot_distinguish_are_sorted():
    dimension = 512
    target = random_units(6, 1, dimension)
    similar = target + np.random.default_rng(7).standard_normal((400, dimension)) * 3e-7
    references = unit(similar)
    order = np.random.default_rng(8).permutation(400)
    exact = [math.fsum(np.multiply(target[0], row, dtype=np.float64)) for row in references]
    found = top_k(target, split(references, order, 90), 10)
    assert len(set(exact)) > 300
    assert found.cosine == pytest.approx(sorted(np.minimum(exact, 1.0), reverse=True)[:10], abs=0)


def test_early_exact_cosines_give_the_same_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    references = random_units(9, 3000, 16)
    targets = np.concatenate([random_units(10, 20, 16), references[:3]])
    own = np.array([-1] * 20 + [0, 1, 2])
    blocks = split(references, np.arange(3000), 200)
    expected = top_k(targets, blocks, 10, own=own)
    monkeypatch.setattr(exact_top_k, "_MAX_CANDIDATES", 300)
    assert_same(top_k(targets, blocks, 10, own=own), expected)


def test_blocks_are_freed_before_the_next_ones_are_read() -> None:
    alive: set[int] = set()
    most = 0

    def blocks() -> Iterator[Block]:
        nonlocal most
        for start in range(0, 4000, 100):
            vectors = random_units(start, 100, 8)
            alive.add(start)
            weakref.finalize(vectors, alive.discard, start)
            most = max(most, len(alive))
            yield Block(vectors, np.arange(start, start + 100))

    top_k(random_units(1, 5, 8), blocks(), 10)
    assert most <= exact_top_k._MAX_BLOCKS + 1


def test_ten_thousand_equal_references_are_sorted_by_tie_order():
    copies = np.repeat(random_units(9, 1, 512), 10_000, axis=0)
    references = np.concatenate([copies, random_units(10, 2_000, 512)])
    order = np.random.default_rng(11).permutation(len(references))
    found = top_k(
        np.concatenate([copies[:300], references[-1:]]), split(references, order, 4096), 50
    )
    first = np.sort(order[:10_000])[:50]
    for t in range(300):
        assert_array_equal(found.order[t * 50 : t * 50 + 50], first)
    assert found.order[300 * 50] == order[-1]


@pytest.mark.parametrize("copies", [1, 60])
def test_target_without_its_own_reference_still_has_k_matches(copies):
    target = random_units(16, 1, 4)
    references = np.concatenate([np.repeat(target, copies, axis=0), random_units(17, 100, 4)])
    order = np.arange(len(references))
    own = np.array([0])
    found = top_k(target, split(references, order, 200), 10, own=own)
    assert_same(found, sort_all(target, references, order, 10, own))


def test_no_references_or_no_targets_give_no_matches():
    nothing = np.empty((0, 4), np.float32)
    block = Block(random_units(12, 1, 4), np.array([0]))
    for targets, blocks in (
        (random_units(13, 2, 4), []),
        (random_units(13, 2, 4), [Block(nothing, np.empty(0, np.int64))]),
        (nothing, [block]),
    ):
        found = top_k(targets, blocks, 5)
        assert len(found.target) == len(found.order) == len(found.cosine) == 0
    only_own = top_k(block.vectors, [block], 5, own=np.array([0]))
    assert len(only_own.target) == 0
    assert len(top_k(block.vectors, [block], 5, own=np.array([NO_REFERENCE])).target) == 1


def test_cosine_is_the_dot_product_and_stays_in_its_range():
    first = random_units(14, 2000, 333)
    second = random_units(15, 2000, 333)
    expected = [
        math.fsum(np.multiply(a, b, dtype=np.float64)) for a, b in zip(first, second, strict=True)
    ]
    assert cosines(first, second) == pytest.approx(expected, abs=1e-15)
    assert cosines(first, first).max() <= 1.0
    assert cosines(first, -first).min() >= -1.0


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 99), st.sampled_from([-0.5, 0.0, 0.25, 0.5])),
        unique_by=lambda row: row[:2],
    )
)
def test_matches_are_sorted_by_target_then_cosine_then_tie_order(
    rows: list[tuple[int, int, float]],
) -> None:
    target, order, cosine = map(np.array, zip(*rows, strict=True)) if rows else [np.empty(0)] * 3
    found = exact_top_k._best_first(target, order, cosine)
    expected = sorted(range(len(rows)), key=lambda row: (target[row], -cosine[row], order[row]))
    assert found.tolist() == expected


@pytest.mark.parametrize("repeated", [False, True])
def test_distinct_vectors_have_the_tie_orders_of_all_references(repeated: bool) -> None:
    vectors = np.array([[1, 2], [1, 3], [1, 2], [0, 1]] if repeated else [[1, 2], [3, 1], [0, 1]])
    order = np.arange(len(vectors))[::-1]
    distinct = distinct_vectors(Block(vectors.astype(np.float32), order))
    groups = np.split(distinct.order, distinct.starts[1:-1])
    found = {
        tuple(row): group.tolist() for row, group in zip(distinct.vectors, groups, strict=True)
    }
    expected: dict[tuple[float, ...], list[int]] = {}
    for row, place in sorted(
        zip(vectors.tolist(), order.tolist(), strict=True), key=lambda x: x[1]
    ):
        expected.setdefault(tuple(row), []).append(place)
    assert found == expected
