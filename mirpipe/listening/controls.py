"""Which votes count: those of listeners who passed enough controls."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mirpipe.db.queries.listening_votes import Vote

_SIMILAR, _NOT_VERY_SIMILAR = 4, 3
"""Lowest rating of a near copy, and highest rating of a random reference, that passes."""


@dataclass(frozen=True)
class CountedVotes:
    """The votes that count, and how carefully all listeners voted."""

    first_answers: list[Vote]
    """Votes that count, without controls and repeats."""
    listeners_n: int
    """Number of listeners with a vote."""
    left_out_n: int
    """Number of listeners who failed too many controls."""
    controls_n: int
    controls_passed_n: int
    repeats_n: int
    """Number of repeats by listeners who count."""
    repeats_equal_n: int
    """Number of these with the same answer as the first time."""
    left_share: float | None
    """Share of votes for the left track by listeners who count, without votes for neither."""


def count_votes(votes: Sequence[Vote], min_controls: float) -> CountedVotes:
    """Return the votes of listeners who passed at least this share of the controls they answered.

    Listeners who stopped before the first control count, because nothing speaks against them.
    """
    passed: dict[int, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.control is not None:
            passed[vote.listener].append(passes(vote))
    left_out = {who for who, each in passed.items() if sum(each) < min_controls * len(each)}
    counted = [vote for vote in votes if vote.listener not in left_out]
    first = {(v.listener, v.question_id): v.answer for v in counted if not v.is_repeat}
    repeats = [
        vote.answer == first[vote.listener, vote.question_id]
        for vote in counted
        if vote.is_repeat and (vote.listener, vote.question_id) in first
    ]
    sides = [
        (vote.answer == 1) != vote.is_swapped
        for vote in counted
        if vote.second_id is not None and vote.control is None and vote.answer != 0
    ]
    return CountedVotes(
        first_answers=[v for v in counted if v.control is None and not v.is_repeat],
        listeners_n=len({vote.listener for vote in votes}),
        left_out_n=len(left_out),
        controls_n=sum(map(len, passed.values())),
        controls_passed_n=sum(map(sum, passed.values())),
        repeats_n=len(repeats),
        repeats_equal_n=sum(repeats),
        left_share=sum(sides) / len(sides) if sides else None,
    )


def passes(vote: Vote) -> bool:
    """Return whether the answer to a control is the expected one."""
    if vote.second_id is not None:
        return vote.answer == 1
    if vote.control == "copy":
        return vote.answer >= _SIMILAR
    return vote.answer <= _NOT_VERY_SIMILAR
