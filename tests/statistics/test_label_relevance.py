"""A reference is relevant to a query if both have the same label."""

import numpy as np

from mirpipe.statistics.label_relevance import (
    UNLABELLED,
    concatenate,
    find_relevant,
    label_codes,
)


def test_equal_labels_have_equal_codes_and_a_missing_label_has_its_own() -> None:
    assert label_codes(["rock", None, "jazz", "rock"]).tolist() == [0, UNLABELLED, 1, 0]


def test_places_below_the_kept_ones_are_summarised() -> None:
    codes = np.array([0, 1, 0, 1, 1, 0])
    found = find_relevant(np.arange(6)[None], np.array([6]), codes, np.array([1]), kept=3)
    assert found.head.tolist() == [[False, True, False]]
    assert found.total.tolist() == [3]
    assert found.first_below.tolist() == [4]
    assert found.below.tolist() == [2 / 4 + 3 / 5]


def test_a_place_after_the_ranked_ones_is_not_relevant() -> None:
    codes = np.array([0, 1, 1])
    found = find_relevant(np.arange(3)[None], np.array([2]), codes, np.array([1]), kept=2)
    assert found.total.tolist() == [1]


def test_query_without_a_label_or_without_a_reference_of_its_label_has_nothing_relevant() -> None:
    places = np.tile(np.arange(3), (3, 1))
    codes = np.array([1, UNLABELLED, 2])
    found = find_relevant(places, np.full(3, 3), codes, np.array([1, UNLABELLED, 7]), kept=2)
    assert found.has_relevant.tolist() == [True, False, False]


def test_parts_are_joined_in_order() -> None:
    places = np.arange(3)[None]
    first = find_relevant(places, np.array([3]), np.array([1, 0, 1]), np.array([1]), kept=2)
    second = find_relevant(places, np.array([3]), np.array([0, 1, 0]), np.array([1]), kept=2)
    both = concatenate([first, second])
    assert both.total.tolist() == [2, 1]
    assert both.head.tolist() == [[True, False], [False, True]]
