"""A reference is relevant to a query if they share a label value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.statistics.label_relevance import (
    UNLABELLED,
    LabelSets,
    concatenate,
    find_relevant,
    label_sets,
    shared_label_sets,
)


def references_and_queries(references: str, queries: str) -> tuple[LabelSets, LabelSets]:
    """Return label sets from texts in which each character but a dot is the label of a track."""
    sets = label_sets([set(character) - {"."} for character in references + queries])
    return sets[: len(references)], sets[len(references) :]


def test_equal_sets_have_equal_codes_and_an_empty_set_has_its_own() -> None:
    sets = label_sets([["rock"], [], ["jazz", "bossa nova"], ["bossa nova", "jazz"], ["rock"]])
    assert sets.codes.tolist() == [0, UNLABELLED, 1, 1, 0]


def test_places_below_the_kept_ones_are_summarised() -> None:
    references, queries = references_and_queries("ababba", "b")
    [found] = find_relevant(np.arange(6)[None], np.array([6]), references, queries, kept=3)
    assert found.head.tolist() == [[False, True, False]]
    assert found.total.tolist() == [3]
    assert found.first_below.tolist() == [4]
    assert found.below.tolist() == [2 / 4 + 3 / 5]


def test_a_place_after_the_ranked_ones_is_not_relevant() -> None:
    references, queries = references_and_queries("abb", "b")
    [found] = find_relevant(np.arange(3)[None], np.array([2]), references, queries, kept=2)
    assert found.total.tolist() == [1]


def test_query_without_a_label_or_without_a_reference_of_its_label_has_nothing_relevant() -> None:
    places = np.tile(np.arange(3), (3, 1))
    references, queries = references_and_queries("b.c", "b.x")
    [found] = find_relevant(places, np.full(3, 3), references, queries, kept=2)
    assert found.has_relevant.tolist() == [True, False, False]


def test_parts_are_joined_in_order() -> None:
    places = np.arange(3)[None]
    [first] = find_relevant(places, np.array([3]), *references_and_queries("bab", "b"), kept=2)
    [second] = find_relevant(places, np.array([3]), *references_and_queries("aba", "b"), kept=2)
    both = concatenate([first, second])
    assert both.total.tolist() == [2, 1]
    assert both.head.tolist() == [[True, False], [False, True]]


GENRES = st.frozensets(st.sampled_from("abcd"), max_size=3)


@given(st.lists(GENRES, min_size=1, max_size=12), st.lists(GENRES, min_size=1, max_size=4))
def test_one_common_value_is_enough(
    reference_genres: list[frozenset[str]], query_genres: list[frozenset[str]]
) -> None:
    """Public report: gonic#416."""
    n, count = len(query_genres), len(reference_genres)
    sets = label_sets([*reference_genres, *query_genres])
    places = np.tile(np.arange(count), (n, 1))
    [found] = find_relevant(places, np.full(n, count), sets[:count], sets[count:], kept=count)
    expected = [[bool(query & other) for other in reference_genres] for query in query_genres]
    assert found.head.tolist() == expected
    assert found.total.tolist() == [sum(row) for row in expected]


@given(st.lists(GENRES, min_size=2, max_size=12), st.lists(GENRES, min_size=1, max_size=4))
def test_values_that_no_query_has_change_nothing(
    reference_genres: list[frozenset[str]], query_genres: list[frozenset[str]]
) -> None:
    n, count = len(query_genres), len(reference_genres)
    blocks = [{"genre": reference_genres[:1]}, {"genre": reference_genres[1:]}]
    shared = shared_label_sets({"genre": query_genres}, blocks)
    assert bool(shared) == any(reference_genres)
    for references, queries in shared.values():
        places = np.tile(np.arange(count), (n, 1))
        [found] = find_relevant(places, np.full(n, count), references, queries, kept=count)
        expected = [[bool(query & other) for other in reference_genres] for query in query_genres]
        assert found.head.tolist() == expected
        assert set().union(*references.sets) <= frozenset().union(*query_genres)
