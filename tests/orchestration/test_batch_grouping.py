"""Batches are grouped into a limited number of tasks."""

from hypothesis import given
from hypothesis import strategies as st

from mirpipe.orchestration.batch_grouping import MAX_LONG_TASKS, group_batches


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=3), max_size=60), st.integers(1, 9))
def test_grouping_keeps_all_ids_in_order_in_a_limited_number_of_lists(
    batches: list[list[int]], max_groups: int
) -> None:
    groups = group_batches(batches, max_groups=max_groups)
    ids_in = [track_id for batch in batches for track_id in batch]
    ids_out = [track_id for group in groups for track_id in group]
    assert ids_out == ids_in
    assert len(groups) <= max_groups
    assert all(groups)


def test_few_batches_are_not_merged() -> None:
    assert group_batches([(1, 2), (3,)]) == [[1, 2], [3]]


def test_a_large_library_has_tasks_of_about_ten_minutes() -> None:
    batches = [range(n, n + 64) for n in range(0, 64_000, 64)]
    groups = group_batches(batches, seconds_per_track=0.5)
    assert len(groups) == 53  # 64,000 tracks take 32,000 s.
    assert all(500 <= 0.5 * len(group) <= 640 for group in groups[:-1])


def test_a_plan_never_has_too_many_tasks() -> None:
    groups = group_batches([range(10)] * 10_000, seconds_per_track=3600)
    assert len(groups) == MAX_LONG_TASKS
    parts = [group_batches([range(10)] * 10_000, seconds_per_track=3600, parts=5) for _ in range(5)]
    assert sum(map(len, parts)) <= MAX_LONG_TASKS
