"""Sentences about comparisons, which name the differences that are established or not."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count

from mirpipe.db.queries.encoder_comparison import EncoderComparison
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.mode_comparison import ModeComparison
from mirpipe.db.queries.number_text import number_text
from mirpipe.db.queries.sentence_parts import counted

Comparison = EncoderComparison | ModeComparison

SIGNIFICANCE_LEVEL = 0.05
"""A difference is established if its corrected p-value is below this level."""


def summary_sentences(comparisons: Sequence[Comparison]) -> list[str]:
    """Return sentences that summarise the comparisons between encoders or modes.

    First there is one sentence for each established difference. After these, one sentence for each
    declared pair of encoders or modes lists the metrics without an established difference.
    Exploratory comparisons are named as such, and comparisons with random weights are only counted.
    Each generator is summarised separately.
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
    if comparison.mean_difference == 0:
        return f"{first} and {second} do not differ on average in {metric}: {_verdict(comparison)}."
    low, high = comparison.low, comparison.high
    if comparison.mean_difference < 0:
        first, second = second, first
        low, high = (None, None) if low is None or high is None else (-high, -low)
    interval = (
        "no interval"
        if low is None or high is None
        else f"95% interval {_signed(low)} to {_signed(high)}"
    )
    p = "no p-value"
    if comparison.p_adjusted is not None:
        p = f"corrected p {_with_relation(comparison.p_adjusted)}"
    return (
        f"{first} is higher than {second} in {metric} by {abs(comparison.mean_difference):.3f} on "
        f"average over {counted(comparison.n, 'target')} ({interval}, {p}): "
        f"{_verdict(comparison)}."
    )


def _verdict(comparison: Comparison) -> str:
    if comparison.role == "exploratory":
        return "exploratory"
    if comparison.role == "random":
        return "left out, because of random weights"
    return "established" if comparison.established else "not established"


def compared_names(comparison: Comparison) -> tuple[str, str]:
    """Return the names of the first and the second encoder or mode."""
    if isinstance(comparison, ModeComparison):
        first = mode_name(comparison.mode, comparison.guidance)
        second = mode_name(comparison.than_mode, comparison.than_guidance)
        return f"{comparison.generator} {first}", f"{comparison.generator} {second}"
    return comparison.encoder, comparison.than_encoder


def _family_sentences(family: Sequence[Comparison]) -> list[str]:
    """Return the sentences about all comparisons that answer one question."""
    declared = [each for each in family if each.role in ("primary", "secondary")]
    sentences = [comparison_sentence(each) for each in declared if each.established]
    by_pair: dict[tuple[str, str], list[Comparison]] = defaultdict(list)
    for comparison in declared:
        by_pair[compared_names(comparison)].append(comparison)
    for names, contrast in by_pair.items():
        sentences.extend(_contrast_sentences(names, contrast))
    if not declared and any(each.role == "exploratory" for each in family):
        sentences.append(
            "No difference can be established, because no pair with results is a declared contrast "
            "(settings MIRPIPE_ENCODER_CONTRASTS and MIRPIPE_MODE_CONTRASTS)."
        )
    sentences.extend(_exploratory_sentences(family))
    random_n = sum(each.role == "random" for each in family)
    if random_n:
        verb = "is" if random_n == 1 else "are"
        sentences.append(
            f"{counted(random_n, 'comparison')} with random weights {verb} left out, because "
            "results with random weights say nothing about music."
        )
    return sentences


def _contrast_sentences(names: tuple[str, str], contrast: Sequence[Comparison]) -> list[str]:
    """Return the sentences about what is not established between these encoders or modes."""
    first, second = names
    open_metrics = [each for each in contrast if not each.established and each.reason is None]
    too_few = [each for each in contrast if each.reason == "too_few_targets"]
    sentences = []
    if open_metrics:
        sentence = f"No difference is established between {first} and {second} in "
        sentence += ", ".join(map(_metric_and_n, open_metrics))
        closed = [each for each in open_metrics if each.role == "primary"]
        if closed and len(open_metrics) > 1:
            sentence += (
                f". {_capitalised(metric_name(closed[0].metric))} is tested first; without a "
                "difference there, no other one can be established"
            )
        sentences.append(f"{sentence}.")
    if too_few:
        sentences.append(too_few_targets_sentence(too_few))
    primary = next((each for each in contrast if each.role == "primary"), None)
    if any(each.reason is None for each in contrast) and (primary is None or primary.reason):
        name = "the primary metric" if primary is None else metric_name(primary.metric)
        sentences.append(
            f"{_capitalised(name)} could not be tested for {first} and {second}, so the other "
            "metrics were tested without it."
        )
    return sentences


def too_few_targets_sentence(contrast: Sequence[Comparison]) -> str:
    """Return how many targets are needed to compare two encoders or modes by these metrics.

    `contrast` contains only comparisons of the same two, for which no test could be made.
    """
    first, second = compared_names(contrast[0])
    return (
        f"{first} and {second} have too few targets with different values to establish a "
        f"difference in {', '.join(map(_metric_and_different_n, contrast))}. At least "
        f"{_fewest_targets(contrast[0].family_n)} targets with different values are needed."
    )


def _exploratory_sentences(family: Sequence[Comparison]) -> list[str]:
    """Return one sentence about the exploratory comparisons with a small p, or no sentence."""
    small = [
        each
        for each in family
        if each.role == "exploratory"
        and each.p_adjusted is not None
        and each.p_adjusted < SIGNIFICANCE_LEVEL
    ]
    if not small:
        return []
    named = [_exploratory_difference(each) for each in small]
    return [f"Exploratory, which means not established: {'; '.join(named)}."]


def _exploratory_difference(comparison: Comparison) -> str:
    first, second = compared_names(comparison)
    higher, lower = (first, second) if (comparison.mean_difference or 0) > 0 else (second, first)
    return f"{higher} is higher than {lower} in {_metric_and_n(comparison)}"


def _fewest_targets(contrasts_n: int) -> int:
    """Return the smallest n at which equal signs for all targets establish a difference.

    With n targets, the smallest possible p-value is 2^(1 − n). It is multiplied by the number of
    declared contrasts.
    """
    return next(n for n in count(1) if contrasts_n * 2.0 ** (1 - n) < SIGNIFICANCE_LEVEL)


def _metric_and_different_n(comparison: Comparison) -> str:
    """Return the metric, and how many targets have different values, which alone are tested."""
    name = metric_name(comparison.metric)
    if comparison.equal_n is None:
        return name
    different_n = comparison.n - comparison.equal_n
    return f"{name} ({different_n:,} of {counted(comparison.n, 'target')})"


def _metric_and_n(comparison: Comparison) -> str:
    return f"{metric_name(comparison.metric)} (n = {comparison.n})"


def _capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]


def mode_name(mode: str, guidance: float | None) -> str:
    """Return the mode, followed by its guidance if it has one."""
    return mode if guidance is None else f"{mode} ({guidance:g})"


def _signed(number: float) -> str:
    """Return the number with three decimals, and with a minus sign instead of a hyphen."""
    return number_text(number, ".3f")


def _with_relation(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
