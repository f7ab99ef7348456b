"""Declared contrasts: gatekeeping, the number of contrasts, and metrics with too few targets."""

import numpy as np

from mirpipe.statistics.declared_contrasts import (
    Contrast,
    can_be_established,
    correct_contrasts,
)
from mirpipe.statistics.paired_sign_flip_test import sign_flip_p_values


def differences(*means: float, targets: int = 9, seed: int = 0) -> np.ndarray:
    return np.array(means) + 0.2 * np.random.default_rng(seed).normal(size=(targets, len(means)))


def test_every_contrast_multiplies_the_p_values() -> None:
    contrast = Contrast(differences(1, 1), primary=0)
    one = correct_contrasts([contrast])[0]
    assert one.corrected.tolist() == [2**-8, 2**-8]
    three = correct_contrasts([contrast] * 3)[0]
    assert three.corrected.tolist() == [3 * 2**-8, 3 * 2**-8]
    assert three.p.tolist() == one.p.tolist()


def test_other_metrics_need_the_primary_one() -> None:
    [open_gate] = correct_contrasts([Contrast(differences(0, 1), primary=1)])
    assert open_gate.corrected[1] == 2**-8
    [closed_gate] = correct_contrasts([Contrast(differences(0, 1), primary=0)])
    assert closed_gate.corrected[1] == closed_gate.corrected[0] == closed_gate.p[0] > 0.05


def test_without_a_primary_metric_all_metrics_are_corrected_together() -> None:
    [both] = correct_contrasts([Contrast(differences(0, 1), primary=None)])
    assert 2**-8 < both.corrected[1] < 0.05 < both.corrected[0]


def test_a_metric_with_too_few_targets_is_not_tested_and_costs_nothing() -> None:
    values = differences(1, 1, 1)
    values[4:, 0] = np.nan
    [corrected] = correct_contrasts([Contrast(values, primary=0)])
    assert np.isnan(corrected.corrected).tolist() == [True, False, False]
    assert np.isnan(corrected.p).tolist() == [True, False, False]
    assert corrected.corrected[1] == 2**-8


def test_targets_without_a_difference_do_not_count() -> None:
    values = differences(1, 1, targets=8)
    values[:3, 1] = 0
    assert can_be_established(values, 1).tolist() == [True, False]
    assert can_be_established(values, 7).tolist() == [False, False]


def test_no_contrasts() -> None:
    assert correct_contrasts([]) == []


def test_a_metric_with_few_targets_stays_exact_beside_one_with_many() -> None:
    values = differences(0.1, 0.1, 0.1, targets=30)
    values[15:, 0] = np.nan
    values[12:, 1] = np.nan
    [corrected] = correct_contrasts([Contrast(values, primary=0)], flips=500)
    assert corrected.is_exact.tolist() == [True, False, False]
    assert corrected.p[0] == sign_flip_p_values([values[:15, 0]])[0]
