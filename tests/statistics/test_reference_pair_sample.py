"""The sample of reference pairs used to compute cosine percentiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.statistics.reference_pair_sample import sample_pairs


@given(st.integers(0, 60), st.integers(1, 200))
def test_pairs_are_different_and_nearly_as_many_as_allowed(count: int, limit: int) -> None:
    first, second = sample_pairs(count, limit)
    all_pairs = count * (count - 1) // 2
    chosen = {frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert len(chosen) == len(first)
    assert all(len(pair) == 2 and pair <= set(range(count)) for pair in chosen)
    if all_pairs <= limit:
        assert len(chosen) == all_pairs
    else:
        assert limit - count < len(chosen) <= limit


@pytest.mark.parametrize(("count", "limit"), [(1000, 5000), (447, 100_000), (448, 100_000)])
def test_every_item_occurs_equally_often(count: int, limit: int) -> None:
    first, second = sample_pairs(count, limit)
    occurrences = np.bincount(np.concatenate((first, second)), minlength=count)
    assert occurrences.min() == occurrences.max()
