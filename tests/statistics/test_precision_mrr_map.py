"""P@k, reciprocal rank and average precision equal manual and ir_measures results."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P
from sklearn.metrics import average_precision_score

from mirpipe.statistics.distinct_vectors import Block
from mirpipe.statistics.exact_top_k import NO_REFERENCE
from mirpipe.statistics.full_ranking import full_ranking
from mirpipe.statistics.label_relevance import (
    UNLABELLED,
    Relevance,
    concatenate,
    find_relevant,
    label_sets,
)
from mirpipe.statistics.precision_mrr_map import average_precision, precision_at_k, reciprocal_rank


def relevance_by_code(
    places: np.ndarray,
    ranked_n: np.ndarray,
    codes: np.ndarray,
    query_codes: np.ndarray,
    *,
    kept: int,
) -> Relevance:
    """Return the relevance if each track has one label value, given as a code, or none."""
    sets = label_sets(
        [[] if code == UNLABELLED else [str(code)] for code in [*codes, *query_codes]]
    )
    [relevance] = find_relevant(places, ranked_n, sets[: len(codes)], sets[len(codes) :], kept=kept)
    return relevance


def relevance_of(codes: list[int], *, kept: int, own: bool = False) -> Relevance:
    """Return the relevance of a ranking with these label codes to a query with code 1."""
    count = len(codes)
    return relevance_by_code(
        np.arange(count)[None], np.array([count - own]), np.array(codes), np.array([1]), kept=kept
    )


@pytest.mark.parametrize("kept", [1, 2, 4, 6])
def test_known_ranking_gives_the_numbers_worked_out_by_hand(kept: int) -> None:
    found = relevance_of([0, 1, 0, 1, 1, 0], kept=kept)  # relevant at ranks 2, 4 and 5
    assert average_precision(found) == pytest.approx([(1 / 2 + 2 / 4 + 3 / 5) / 3])
    assert reciprocal_rank(found) == pytest.approx([1 / 2])
    if kept >= 4:
        assert precision_at_k(found, 1) == pytest.approx([0])
        assert precision_at_k(found, 4) == pytest.approx([2 / 4])


def test_precision_divides_by_k_if_the_library_is_smaller() -> None:
    assert precision_at_k(relevance_of([1, 1], kept=50), 10) == pytest.approx([0.2])


def test_own_reference_does_not_count() -> None:
    found = relevance_of([0, 1, 1], kept=2, own=True)
    assert average_precision(found) == pytest.approx([1 / 2])


def test_average_precision_is_undefined_without_a_relevant_reference() -> None:
    places = np.tile(np.arange(3), (3, 1))
    codes = np.array([1, UNLABELLED, 2])
    found = relevance_by_code(places, np.full(3, 3), codes, np.array([1, UNLABELLED, 7]), kept=2)
    assert np.isnan(average_precision(found)[1:]).all()


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(1, 40), st.integers(1, 6), st.integers(1, 50))
def test_rankings_with_ties_equal_ir_measures(
    data: st.DataObject, reference_count: int, query_count: int, kept: int
) -> None:
    # There are few different vectors, so many cosines tie. Ties are sorted by index.
    angles = st.lists(
        st.sampled_from(np.linspace(0, np.pi, 5)), min_size=reference_count, max_size=40
    )
    references = unit(data.draw(angles)[:reference_count])
    queries = unit(list(np.random.default_rng(kept).uniform(0, np.pi, query_count)))
    codes = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=reference_count, max_size=reference_count))
    )
    query_codes = np.zeros(query_count, np.int64)
    block = Block(references, np.arange(reference_count))
    own = np.full(query_count, NO_REFERENCE)
    rankings = full_ranking(queries, lambda: [block], reference_count, own=own, kept=kept)
    places = np.concatenate([ranking.places for ranking in rankings])
    ranked_n = np.full(query_count, reference_count)
    found = relevance_by_code(places, ranked_n, codes, query_codes, kept=kept)
    expected = values_of_ir_measures(places, codes, k=min(kept, 10))
    assert precision_at_k(found, min(kept, 10)) == pytest.approx(expected["P"])
    assert reciprocal_rank(found) == pytest.approx(expected["RR"])
    assert np.nan_to_num(average_precision(found)) == pytest.approx(expected["AP"])


def unit(angles: list[float]) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def values_of_ir_measures(places: np.ndarray, codes: np.ndarray, *, k: int) -> dict[str, list]:
    """Return P@k, RR and AP for each query. References with code 0 are relevant."""
    queries, references = range(len(places)), range(len(codes))
    qrels = [
        ir_measures.Qrel(f"q{query}", f"r{reference}", int(codes[reference] == 0))
        for query in queries
        for reference in references
    ]
    run = [
        ir_measures.ScoredDoc(f"q{query}", f"r{place}", float(-rank))
        for query in queries
        for rank, place in enumerate(places[query])
    ]
    values = {
        (str(metric.measure), metric.query_id): metric.value
        for metric in ir_measures.iter_calc([P @ k, RR, AP], qrels, run)
    }
    return {
        name: [values[str(measure), f"q{query}"] for query in queries]
        for name, measure in (("P", P @ k), ("RR", RR), ("AP", AP))
    }


def test_average_precision_equals_scikit_learn_over_full_rankings() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 4, 300)
    places = np.array([random.permutation(300) for _ in range(20)])
    query_codes = random.integers(0, 4, 20)
    found = relevance_by_code(places, np.full(20, 300), codes, query_codes, kept=50)
    for row in range(20):
        is_relevant = codes[places[row]] == query_codes[row]
        assert average_precision(found)[row] == pytest.approx(
            average_precision_score(is_relevant, -np.arange(300))
        )


def test_reordering_the_head_gives_the_numbers_of_the_reordered_ranking() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 3, 40)
    places = np.array([random.permutation(40) for _ in range(8)])
    query_codes = random.integers(0, 3, 8)
    order = np.array([random.permutation(10) for _ in range(8)])
    reordered_places = places.copy()
    reordered_places[:, :10] = np.take_along_axis(places[:, :10], order, axis=1)
    ranked_n = np.full(8, 40)
    reordered = relevance_by_code(places, ranked_n, codes, query_codes, kept=10).reordered(order)
    direct = relevance_by_code(reordered_places, ranked_n, codes, query_codes, kept=10)
    for measure in (average_precision, reciprocal_rank):
        assert measure(reordered) == pytest.approx(measure(direct))


def test_numbers_of_several_parts_are_in_order() -> None:
    first, second = relevance_of([1, 0, 1], kept=2), relevance_of([0, 1, 0], kept=2)
    assert reciprocal_rank(concatenate([first, second])).tolist() == [1.0, 0.5]
