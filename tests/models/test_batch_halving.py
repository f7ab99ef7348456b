"""Calls of a model: each item once, in order, however little fits and whatever breaks."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.errors import OutOfMemory
from mirpipe.models.batch_halving import calls


class Model:
    """Doubles numbers; has room for `room` at once, and breaks on those of `broken`."""

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
    at_once=st.integers(1, 9),
    room=st.integers(0, 9),
    broken=st.frozensets(st.integers(0, 20)),
)
def test_every_item_has_its_result_or_its_own_problem_once_and_in_order(
    n: int, at_once: int, room: int, broken: frozenset[int]
) -> None:
    found = [
        pair
        for call in calls(range(n), Model(room=room, broken=broken), at_once=at_once)
        for pair in call
    ]
    assert [item for item, _ in found] == list(range(n))
    for item, result in found:
        if room == 0:
            assert isinstance(result, OutOfMemory)
        elif item in broken:
            assert isinstance(result, ValueError)
        else:
            assert result == 2 * item


def test_an_out_of_memory_halves_the_batch_from_then_on() -> None:
    model = Model(room=2)
    assert len(list(calls(range(8), model, at_once=8))) == 4
    assert model.sizes == [8, 4, 2, 2, 2, 2]


def test_a_broken_item_costs_its_own_call_the_batching_and_no_other() -> None:
    model = Model(broken=frozenset([1]))
    list(calls(range(9), model, at_once=3))
    assert model.sizes == [3, 1, 1, 1, 3, 3]


def test_results_of_another_number_are_an_error_of_the_items() -> None:
    (((_, problem),),) = calls([1], lambda _items: [], at_once=4)
    assert isinstance(problem, ValueError)


def test_stopping_is_not_swallowed() -> None:
    def stop(_items: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(calls([1], stop, at_once=1))
