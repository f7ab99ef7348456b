"""Sentences about comparisons claim only established differences."""

from dataclasses import replace

from mirpipe.db.queries import EncoderComparison, ModeComparison
from mirpipe.db.queries.comparison_sentences import comparison_sentence, summary_sentences

MUSIC2LATENT = EncoderComparison(
    *("music2latent", "clap", "clap_similarity", 9, -0.130, -0.201, -0.062, 1, 0.012),
    *(True, False),
)
STRONG = ModeComparison(
    *("model", "clap_similarity", "strong", 5.0, "medium", 3.0, 9, 0.043, 0.08, 5, False),
    *(-0.012, 0.101, 0.66, False),
)


def test_an_established_difference_names_the_higher_encoder_first() -> None:
    assert comparison_sentence(MUSIC2LATENT) == (
        "clap is higher than music2latent in CLAP similarity by 0.130 on average over 9 targets "
        "(95 % interval 0.062 to 0.201, corrected p = 0.012): established."
    )


def test_a_difference_that_may_be_chance_is_not_established() -> None:
    assert comparison_sentence(STRONG) == (
        "model strong (5) is higher than model medium (3) in CLAP similarity by 0.043 on average "
        "over 9 targets (95 % interval −0.012 to 0.101, corrected p = 0.660): not established."
    )


def test_without_a_common_target_there_is_no_comparison() -> None:
    empty = replace(MUSIC2LATENT, n=0, mean_difference=None, low=None, high=None, p_holm=None)
    assert comparison_sentence(empty) == (
        "music2latent and clap cannot be compared in CLAP similarity: no target has a value for "
        "both."
    )


def test_one_target_has_no_interval() -> None:
    single = replace(MUSIC2LATENT, n=1, low=None, high=None, p_holm=1.0, established=False)
    sentence = comparison_sentence(single)
    assert "over 1 target (no interval, corrected p = 1.000): not established" in sentence


def test_a_very_small_p_is_given_as_a_bound() -> None:
    assert "corrected p < 0.001" in comparison_sentence(replace(MUSIC2LATENT, p_holm=0.0004))


def test_established_differences_come_before_the_others() -> None:
    sentences = summary_sentences(
        [MUSIC2LATENT, replace(MUSIC2LATENT, metric="z", established=False, p_holm=0.2)]
    )
    assert sentences == [
        comparison_sentence(MUSIC2LATENT),
        "No difference is established between music2latent and clap in z (n = 9).",
    ]


def test_too_few_targets_are_named_as_the_cause() -> None:
    comparisons = [
        replace(MUSIC2LATENT, metric=name, n=4, p_holm=1.0, established=False) for name in "abc"
    ]
    assert summary_sentences(comparisons)[-1] == (
        "With 4 targets and 3 tests, no difference can be established: the smallest possible p is "
        "0.125, and 0.375 after correction."
    )


def test_one_target_and_one_test_are_singular() -> None:
    single = replace(MUSIC2LATENT, n=1, p_holm=1.0, established=False)
    assert summary_sentences([single])[-1].startswith("With 1 target and 1 test, no difference")


def test_melody_accuracy_says_whether_unpitched_pairs_are_included() -> None:
    all_pairs = comparison_sentence(replace(MUSIC2LATENT, metric="melody_accuracy"))
    assert "in melody accuracy of all pairs by" in all_pairs
    pitched_pairs = comparison_sentence(replace(MUSIC2LATENT, metric="melody_accuracy_melodic"))
    assert "in melody accuracy of pitched pairs by" in pitched_pairs


def test_random_weights_establish_nothing() -> None:
    assert summary_sentences([replace(MUSIC2LATENT, random=True)]) == [
        "1 comparison with random weights is left out, because results with random weights say "
        "nothing about music."
    ]


def test_generators_are_summarised_separately() -> None:
    other = replace(STRONG, generator="other", n=1, p_holm=1.0)
    # The second generator has an additional sentence because it has too few targets.
    assert len(summary_sentences([STRONG, other])) == 3
