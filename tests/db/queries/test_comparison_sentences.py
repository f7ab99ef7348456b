"""Sentences about comparisons claim only established differences."""

from dataclasses import replace

import pytest

from mirpipe.db.queries import EncoderComparison, ModeComparison
from mirpipe.db.queries.comparison_sentences import comparison_sentence, summary_sentences

MUSIC2LATENT = EncoderComparison(
    *("music2latent", "clap", "clap_similarity", 9, -0.130, -0.201, -0.062, 1, 0.012),
    *(True, False, "primary"),
)
STRONG = ModeComparison(
    *("model", "clap_similarity", "strong", 5.0, "medium", 3.0, 9, 0.043, 0.08, 5, False),
    *(-0.012, 0.101, 0.66, False),
)


def test_an_established_difference_names_the_higher_encoder_first() -> None:
    assert comparison_sentence(MUSIC2LATENT) == (
        "clap is higher than music2latent in CLAP similarity by 0.130 on average over 9 targets "
        "(95% interval 0.062 to 0.201, corrected p = 0.012): established."
    )


def test_a_difference_that_may_be_chance_is_not_established() -> None:
    assert comparison_sentence(STRONG) == (
        "model strong (5) is higher than model medium (3) in CLAP similarity by 0.043 on average "
        "over 9 targets (95% interval −0.012 to 0.101, corrected p = 0.660): not established."
    )


def test_without_a_common_target_there_is_no_comparison() -> None:
    empty = replace(MUSIC2LATENT, n=0, mean_difference=None, low=None, high=None, p_adjusted=None)
    assert comparison_sentence(empty) == (
        "music2latent and clap cannot be compared in CLAP similarity: no target has a value for "
        "both."
    )


def test_one_target_has_no_interval() -> None:
    single = replace(MUSIC2LATENT, n=1, low=None, high=None, p_adjusted=1.0, established=False)
    sentence = comparison_sentence(single)
    assert "over 1 target (no interval, corrected p = 1.000): not established" in sentence


def test_a_very_small_p_is_given_as_a_bound() -> None:
    assert "corrected p < 0.001" in comparison_sentence(replace(MUSIC2LATENT, p_adjusted=0.0004))


def test_established_differences_come_before_the_others() -> None:
    other = replace(MUSIC2LATENT, metric="z", role="secondary", established=False, p_adjusted=0.2)
    sentences = summary_sentences([MUSIC2LATENT, other])
    assert sentences == [
        comparison_sentence(MUSIC2LATENT),
        "No difference is established between music2latent and clap in z (n = 9).",
    ]


def test_metrics_with_too_few_targets_say_how_many_are_needed() -> None:
    few = replace(
        MUSIC2LATENT, n=9, p_adjusted=None, established=False, reason="too_few_targets", family_n=2
    )
    few = replace(few, equal_n=4)
    old = replace(few, metric="percentile", equal_n=None)
    assert summary_sentences([few, replace(few, metric="z", n=1, equal_n=1), old]) == [
        "music2latent and clap have too few targets with different values to establish a "
        "difference in CLAP similarity (5 of 9 targets), z (0 of 1 target), percentile. At least "
        "7 targets with different values are needed."
    ]


def test_a_primary_metric_without_a_difference_explains_why_the_others_are_not_established() -> (
    None
):
    primary = replace(
        MUSIC2LATENT, metric="melody_accuracy", role="primary", p_adjusted=0.3, established=False
    )
    other = replace(MUSIC2LATENT, p_adjusted=0.3, established=False)
    assert summary_sentences([primary, other]) == [
        "No difference is established between music2latent and clap in melody accuracy of all "
        "pairs (n = 9), CLAP similarity (n = 9). Melody accuracy of all pairs is tested first; "
        "without a difference there, no other one can be established."
    ]


@pytest.mark.parametrize(("reason", "n"), [("too_few_targets", 4), ("no_target", 0)])
def test_a_primary_metric_that_could_not_be_tested_is_named(reason: str, n: int) -> None:
    primary = replace(
        MUSIC2LATENT, metric="melody_accuracy", role="primary", reason=reason, n=n,
        p_adjusted=None, established=False,
    )  # fmt: skip
    assert summary_sentences([primary, MUSIC2LATENT])[-1] == (
        "Melody accuracy of all pairs could not be tested for music2latent and clap, so the other "
        "metrics were tested without it."
    )


def test_a_family_without_a_declared_contrast_says_so() -> None:
    [sentence] = summary_sentences(
        [replace(MUSIC2LATENT, role="exploratory", established=False, p_adjusted=0.3)]
    )
    assert "no pair with results is a declared contrast" in sentence


def test_equal_means_have_no_winner() -> None:
    equal = replace(MUSIC2LATENT, mean_difference=0.0, established=False)
    assert comparison_sentence(equal) == (
        "music2latent and clap do not differ on average in CLAP similarity: not established."
    )


def test_exploratory_differences_are_called_exploratory() -> None:
    z = replace(MUSIC2LATENT, metric="z", role="exploratory", established=False)
    large = replace(z, metric="percentile", p_adjusted=0.2)
    assert comparison_sentence(z).endswith("corrected p = 0.012): exploratory.")
    assert summary_sentences([z, large])[1:] == [
        "Exploratory, which means not established: clap is higher than music2latent in z (n = 9)."
    ]


def test_melody_accuracy_says_whether_unpitched_pairs_are_included() -> None:
    all_pairs = comparison_sentence(replace(MUSIC2LATENT, metric="melody_accuracy"))
    assert "in melody accuracy of all pairs by" in all_pairs
    pitched_pairs = comparison_sentence(replace(MUSIC2LATENT, metric="melody_accuracy_melodic"))
    assert "in melody accuracy of pitched pairs by" in pitched_pairs


def test_random_weights_establish_nothing() -> None:
    assert summary_sentences([replace(MUSIC2LATENT, random=True, role="random")]) == [
        "1 comparison with random weights is left out, because results with random weights say "
        "nothing about music."
    ]


def test_generators_are_summarised_separately() -> None:
    other = replace(STRONG, generator="other")
    sentences = summary_sentences([STRONG, other])
    assert ["other strong" in sentence for sentence in sentences] == [False, False, True, True]
