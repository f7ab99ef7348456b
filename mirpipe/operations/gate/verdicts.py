"""The verdict of a rule, of a complete gate, and how a value is compared with its limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True)
class RuleVerdict:
    """What a rule has measured, and its verdict. A value that is not measured is None."""

    rule: str
    """Name of the rule."""
    kind: str
    """What the rule checks: mean, change, coverage, findings, pending or age."""
    verdict: Verdict
    detail: str
    """What was measured, and why the rule is undecided, as sentences."""
    value: float | None = None
    low: float | None = None
    """Lower end of the value's 95% interval. None for a count, or if there is no interval."""
    high: float | None = None
    """Upper end of the value's 95% interval. None for a count, or if there is no interval."""
    at_least: float | None = None
    """Lower limit. For a change, minus the margin."""
    at_most: float | None = None
    """Upper limit."""
    n: int | None = None
    """Number of targets that the value is computed over. None for a count."""


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a gate: failed or undecided if any rule is, in this order."""
    found = set(verdicts)
    if "failed" in found:
        return "failed"
    return "undecided" if "undecided" in found or not found else "passed"


def compare_with_limits(
    low: float, high: float, *, at_least: float | None = None, at_most: float | None = None
) -> Verdict:
    """Return `passed` if all values from `low` to `high` are within the limits.

    Returns `failed` if all of them are outside, and otherwise `undecided`. For a value without
    uncertainty, pass it as both ends.
    """
    lowest = float("-inf") if at_least is None else at_least
    highest = float("inf") if at_most is None else at_most
    if lowest <= low and high <= highest:
        return "passed"
    return "failed" if high < lowest or low > highest else "undecided"
