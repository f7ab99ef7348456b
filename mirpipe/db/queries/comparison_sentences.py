"""Sentences about comparisons, which name the differences that are established or not."""

from collections import defaultdict
from collections.abc import Sequence

from mirpipe.db.queries.encoder_comparison import EncoderComparison
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.mode_comparison import ModeComparison

Comparison = EncoderComparison | ModeComparison

SIGNIFICANCE_LEVEL = 0.05
"""A difference is established if its corrected p-value is below this level."""
MAX_EXACT_TARGETS = 20
"""Maximum number n of targets for which the test counts all 2^n sign choices."""


def summary_sentences(comparisons: Sequence[Comparison]) -> list[str]:
    """Return sentences that summarise the comparisons between encoders or modes.

    First there is one sentence for each established difference. After these, one sentence for each
    pair of encoders or modes lists the metrics without an established difference. Comparisons with
    random weights are only counted. Each generator is summarised separately.
    """
    families: dict[str | None, list[Comparison]] = defaultdict(list)
    for comparison in comparisons:
        generator = comparison.generator if isinstance(comparison, ModeComparison) else None
        families[generator].append(comparison)
    return [sentence for family in families.values() for sentence in _family_sentences(family)]


def comparison_sentence(comparison: Comparison) -> str:
    """Return one sentence with the difference, its interval, n, p and the verdict.

    The sentence starts with the encoder or mode that has the higher mean.
    """
    first, second = compared_names(comparison)
    metric = metric_name(comparison.metric)
    if comparison.mean_difference is None:
        return (
            f"{first} and {second} cannot be compared in {metric}: no target has a value for both."
        )
    low, high = comparison.low, comparison.high
    if comparison.mean_difference < 0:
        first, second = second, first
        low, high = (None, None) if low is None or high is None else (-high, -low)
    interval = (
        "no interval"
        if low is None or high is None
        else f"95 % interval {_signed(low)} to {_signed(high)}"
    )
    p = "no p-value"
    if comparison.p_holm is not None:
        p = f"corrected p {_with_relation(comparison.p_holm)}"
    verdict = "established" if comparison.established else "not established"
    return (
        f"{first} is higher than {second} in {metric} by {abs(comparison.mean_difference):.3f} on "
        f"average over {_counted(comparison.n, 'target')} ({interval}, {p}): {verdict}."
    )


def compared_names(comparison: Comparison) -> tuple[str, str]:
    """Return the names of the first and the second encoder or mode."""
    if isinstance(comparison, ModeComparison):
        first = _mode_name(comparison.mode, comparison.guidance)
        second = _mode_name(comparison.than_mode, comparison.than_guidance)
        return f"{comparison.generator} {first}", f"{comparison.generator} {second}"
    return comparison.encoder, comparison.than_encoder


def _family_sentences(family: Sequence[Comparison]) -> list[str]:
    """Return the sentences about comparisons whose p-values are corrected together."""
    trained = [comparison for comparison in family if not comparison.random]
    sentences = [
        comparison_sentence(comparison) for comparison in trained if comparison.established
    ]
    not_established: dict[tuple[str, str], list[str]] = defaultdict(list)
    for comparison in trained:
        if not comparison.established and comparison.n:
            metric = f"{metric_name(comparison.metric)} (n = {comparison.n})"
            not_established[compared_names(comparison)].append(metric)
    for (first, second), metrics in not_established.items():
        sentences.append(
            f"No difference is established between {first} and {second} in {', '.join(metrics)}."
        )
    too_few_targets = _too_few_targets_sentence(family)
    if too_few_targets and trained:
        sentences.append(too_few_targets)
    random_n = len(family) - len(trained)
    if random_n:
        verb = "is" if random_n == 1 else "are"
        sentences.append(
            f"{_counted(random_n, 'comparison')} with random weights {verb} left out, because "
            "results with random weights say nothing about music."
        )
    return sentences


def _too_few_targets_sentence(family: Sequence[Comparison]) -> str | None:
    """Return a sentence if there are too few targets to establish any difference, else None.

    With n targets, the smallest possible p-value is 2^(1 - n). It occurs if all differences have
    the same sign.
    """
    tests_n = sum(comparison.p_holm is not None for comparison in family)
    n = max((comparison.n for comparison in family), default=0)
    smallest_p = 2.0 ** (1 - n)
    if not 0 < n <= MAX_EXACT_TARGETS or tests_n * smallest_p < SIGNIFICANCE_LEVEL:
        return None
    corrected_p = min(1.0, tests_n * smallest_p)
    return (
        f"With {_counted(n, 'target')} and {_counted(tests_n, 'test')}, no difference can be "
        f"established: the smallest possible p is {_rounded(smallest_p)}, and "
        f"{_rounded(corrected_p)} after correction."
    )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _mode_name(mode: str, guidance: float | None) -> str:
    return mode if guidance is None else f"{mode} ({guidance:g})"


def _signed(number: float) -> str:
    """Return the number with three decimals, and with a minus sign instead of a hyphen."""
    return f"{number:.3f}".replace("-", "−")


def _rounded(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def _with_relation(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
