"""Comparison families: roles, exploratory corrections, and comparisons that are left out."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from mirpipe.statistics.comparison_family import PairedMetric, correct


def paired(
    sources: str,
    metric: str,
    mean: float,
    *,
    n: int = 9,
    declared: bool = True,
    random: bool = False,
) -> PairedMetric:
    values = mean + 0.2 * np.random.default_rng(len(metric)).normal(size=n)
    return PairedMetric(sources, metric, dict(enumerate(values.tolist())), declared, random)


def test_declared_comparisons_are_primary_or_secondary() -> None:
    verdicts = correct([paired("ab", "main", 1), paired("ab", "other", 1)], "main")
    assert [verdict.role for verdict in verdicts] == ["primary", "secondary"]
    assert [verdict.p_adjusted for verdict in verdicts] == [2**-8, 2**-8]
    assert [verdict.family_n for verdict in verdicts] == [1, 1]


def test_exploratory_comparisons_are_corrected_together_and_do_not_change_declared_ones() -> None:
    declared = paired("ab", "main", 1)
    exploratory = [
        paired("ac", name, mean, declared=False) for name, mean in [("x", 0.1), ("yy", 0.3)]
    ]
    verdicts = correct([declared, *exploratory], "main")
    assert verdicts[0] == correct([declared], "main")[0]
    _, expected, _, _ = multipletests([each.p for each in verdicts[1:]], method="fdr_bh")
    assert [each.p_adjusted for each in verdicts[1:]] == pytest.approx(expected.tolist())
    assert {each.role for each in verdicts[1:]} == {"exploratory"}


def test_random_weights_have_a_reason_and_are_not_counted() -> None:
    trained = paired("ab", "main", 1)
    verdicts = correct([trained, paired("ac", "main", 1, random=True)], "main")
    assert verdicts[0] == correct([trained], "main")[0]
    assert (verdicts[1].role, verdicts[1].p, verdicts[1].p_adjusted, verdicts[1].reason) == (
        *("random", 2**-8, None, "random_weights"),
    )


@pytest.mark.parametrize(
    ("n", "reason", "has_p"), [(0, "no_target", False), (4, "too_few_targets", True)]
)
def test_comparisons_without_enough_targets_have_a_reason(n: int, reason: str, has_p: bool) -> None:
    [verdict] = correct([paired("ab", "main", 1, n=n)], "main")
    assert (verdict.p_adjusted, verdict.reason) == (None, reason)
    assert (verdict.p is not None) == has_p


def test_sources_with_different_targets_are_aligned_by_target() -> None:
    first = paired("ab", "main", 1)
    second = paired("ab", "other", 1)
    reversed_order = dict(reversed(second.differences.items()))
    shuffled = PairedMetric("ab", "other", reversed_order, is_declared=True)
    assert correct([first, second], "main") == correct([first, shuffled], "main")
