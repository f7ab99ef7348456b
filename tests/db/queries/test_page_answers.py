"""Answers of the pages Failures, Map, Track and History, with one and with several items."""

from datetime import UTC, datetime

import pytest

from mirpipe.db import queries
from mirpipe.db.queries.page_answers import (
    clip_origin_answer,
    copies_answer,
    failures_answer,
    failures_remedy,
    matched_targets_answer,
    trend_answer,
)
from mirpipe.db.queries.sentence_parts import listed

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def past(
    run_id: int, subject: str, mean: float | None, *, random: bool = False
) -> queries.PastSummary:
    return queries.PastSummary(run_id, NOW, subject, "z", 3, mean, None, None, "r1", random)


def test_the_most_frequent_failure_is_named_in_words() -> None:
    one = queries.FailureCount("ingest", "not_audio", False, 1)
    many = queries.FailureCount("embed", "unavailable", True, 1_000)
    assert failures_answer([one]) == (
        "There is 1 failure, in the stage ingest (not audio), which the next run does not try "
        "again."
    )
    retried = queries.FailureCount("embed", "unavailable", True, 1)
    assert failures_answer([retried]) == (
        "There is 1 failure, in the stage embed (unavailable), which the next run tries again."
    )
    assert failures_answer([one, many]) == (
        "There are 1,001 failures, and the next run tries 1,000 of them again. The most frequent "
        "reason is unavailable, in the stage embed (1,000)."
    )
    other = queries.FailureCount("ingest", "truncated", False, 1)
    assert failures_answer([one, other]) == (
        "There are 2 failures, and the next run tries none of them again."
    ), "no reason is the most frequent one"


def test_the_remedy_for_failures_names_the_next_command() -> None:
    bad = queries.FailureCount("ingest", "truncated", False, 2)
    retried = queries.FailureCount("embed", "unavailable", True, 1)
    ingest = (
        "After you have replaced a file, run mirpipe ingest on its folder again, then mirpipe run."
    )
    assert failures_remedy([bad]) == ingest
    assert failures_remedy([bad, retried]) == ingest
    assert failures_remedy([retried]) == ""


def test_the_groups_of_copies_are_counted() -> None:
    assert copies_answer(0) == "No copies are known."
    assert copies_answer(1) == "There is 1 group of copies: tracks with the same recording."
    assert copies_answer(1_000) == (
        "There are 1,000 groups of copies: tracks with the same recording."
    )


def test_the_largest_change_of_a_mean_is_named_without_random_weights() -> None:
    rows = [past(1, "a", -0.5), past(2, "a", None), past(3, "a", 0.5), past(1, "b", 0.1)]
    rows += [past(3, "b", 0.2), past(1, "c", 0.0, random=True), past(3, "c", 9.0, random=True)]
    assert trend_answer(rows, "z") == (
        "The mean z changed most for a from run 1 to run 3: from −0.500 to 0.500."
    )
    assert trend_answer([past(1, "a", 0.5), past(2, "a", 0.5)], "z") == (
        "The mean z did not change from run 1 to run 2."
    )
    assert trend_answer([past(1, "a", 0.5)], "z") == ""


def test_a_reference_without_targets_and_a_clip_without_an_origin() -> None:
    assert matched_targets_answer([]) == (
        "This reference is among the first ten matches of no target."
    )
    assert clip_origin_answer([]) == ""


@pytest.mark.parametrize(
    ("items", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_the_last_of_several_items_follows_and(items: list[str], text: str) -> None:
    assert listed(items) == text
