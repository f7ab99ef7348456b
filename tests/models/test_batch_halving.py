"""Tests for batch halving: each item has one result or one error, in order."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.errors import OutOfMemory
from mirpipe.models.batch_halving import run_in_batches


class Model:
    """A fake model that doubles numbers.

    The model raises OutOfMemory for more than `room` items, and ValueError for an item in `broken`.
    """

    def __init__(self, *, room: int = 99, broken: frozenset[int] = frozenset()) -> None:
        self.room, self.broken = room, broken
        self.sizes: list[int] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.sizes.append(len(items))
        if len(items) > self.room:
            raise OutOfMemory("full")
        if self.broken & set(items):
            raise ValueError("broken")
        return [2 * item for item in items]


@given(
    n=st.integers(0, 20),
    batch_size=st.integers(1, 9),
    room=st.integers(0, 9),
    broken=st.frozensets(st.integers(0, 20)),
)
def test_every_item_has_one_result_or_error_in_order(
    n: int, batch_size: int, room: int, broken: frozenset[int]
) -> None:
    outcomes = [
        pair
        for batch in run_in_batches(
            range(n), Model(room=room, broken=broken), batch_size=batch_size
        )
        for pair in batch
    ]
    assert [item for item, _ in outcomes] == list(range(n))
    for item, result in outcomes:
        if room == 0:
            assert isinstance(result, OutOfMemory)
        elif item in broken:
            assert isinstance(result, ValueError)
        else:
            assert result == 2 * item


def test_out_of_memory_halves_all_later_batches() -> None:
    model = Model(room=2)
    assert len(list(run_in_batches(range(8), model, batch_size=8))) == 4
    assert model.sizes == [8, 4, 2, 2, 2, 2]


def test_only_the_batch_with_a_broken_item_is_run_one_by_one() -> None:
    model = Model(broken=frozenset([1]))
    list(run_in_batches(range(9), model, batch_size=3))
    assert model.sizes == [3, 1, 1, 1, 3, 3]


def test_a_wrong_number_of_results_is_an_error() -> None:
    (((_, problem),),) = run_in_batches([1], lambda _items: [], batch_size=4)
    assert isinstance(problem, ValueError)


def test_keyboard_interrupt_is_not_caught() -> None:
    def stop(_items: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_in_batches([1], stop, batch_size=1))
