"""Comparisons in plain sentences: which differences are established, and which are not."""

from collections import defaultdict
from collections.abc import Sequence

from mirpipe.db.queries.encoder_comparison import Comparison
from mirpipe.db.queries.generation_results import Delta
from mirpipe.db.queries.metric_names import metric_name

LEVEL = 0.05
"""A difference counts as established where its corrected p is below this."""
MOST_EXACT = 20
"""Targets up to which the smallest possible p is one in all choices of signs."""


def sentence(found: Comparison | Delta) -> str:
    """One comparison as a sentence, which names the higher side first, with n and "established"."""
    first, second = sides(found)
    metric = metric_name(found.metric)
    if found.mean_difference is None:
        return f"{first} and {second} cannot be compared in {metric}: no target has it of both."
    low, high = found.low, found.high
    if found.mean_difference < 0:
        first, second = second, first
        low, high = (None, None) if low is None or high is None else (-high, -low)
    interval = "no interval" if low is None else f"95 % interval {low:.3f} to {high:.3f}"
    verdict = "established" if found.established else "not established"
    p = "no p" if found.p_holm is None else f"corrected p {_p(found.p_holm)}"
    return (
        f"{first} is higher than {second} in {metric} by {abs(found.mean_difference):.3f} "
        f"over {_counted(found.n, 'target')} ({interval}, {p}): {verdict}."
    )


def findings(compared: Sequence[Comparison | Delta]) -> list[str]:
    """What all comparisons of the encoders, and of each generator, establish and do not.

    A sentence for each established difference; then, of every two sides, what is not established.
    Numbers that random weights made are counted and left out.
    """
    families = defaultdict(list)
    for one in compared:
        families[one.generator if isinstance(one, Delta) else None].append(one)
    return [said for family in families.values() for said in _family(family)]


def sides(found: Comparison | Delta) -> tuple[str, str]:
    """The names of the first and of the other side of a difference."""
    if isinstance(found, Delta):
        return (
            f"{found.generator} {_mode(found.mode, found.guidance)}",
            f"{found.generator} {_mode(found.than_mode, found.than_guidance)}",
        )
    return found.encoder, found.than_encoder


def _family(family: Sequence[Comparison | Delta]) -> list[str]:
    real = [one for one in family if not one.random]
    said = [sentence(one) for one in real if one.established]
    open_: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in real:
        if not one.established and one.n:
            open_[sides(one)].append(f"{metric_name(one.metric)} (n = {one.n})")
    for (first, second), metrics in open_.items():
        said.append(
            f"Between {first} and {second} no difference is established in {', '.join(metrics)}."
        )
    limit = _limit(family)
    if limit and real:
        said.append(limit)
    if left := len(family) - len(real):
        verb = "is" if left == 1 else "are"
        said.append(
            f"{_counted(left, 'comparison')} with random weights {verb} left out: "
            "they say nothing about music."
        )
    return said


def _limit(family: Sequence[Comparison | Delta]) -> str | None:
    """Says so where n is so small that not even targets that all agree would establish anything."""
    tests = sum(one.p_holm is not None for one in family)
    n = max((one.n for one in family), default=0)
    if not 0 < n <= MOST_EXACT or tests * 2.0 ** (1 - n) < LEVEL:
        return None
    return (
        f"With {_counted(n, 'target')} and {_counted(tests, 'test')} none could be: "
        f"the smallest possible p is {_p(2.0 ** (1 - n))}, "
        f"and {_p(min(1.0, tests * 2.0 ** (1 - n)))} after the correction."
    )


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _mode(mode: str, guidance: float | None) -> str:
    return mode if guidance is None else f"{mode} ({guidance:g})"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
