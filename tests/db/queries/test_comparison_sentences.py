"""What is said of a comparison: never more than it establishes."""

from dataclasses import replace

from mirpipe.db.queries import Delta
from mirpipe.db.queries.comparison_sentences import findings, sentence
from mirpipe.db.queries.encoder_comparison import Comparison

M2L = Comparison(
    *("music2latent", "clap", "clap_similarity", 9, -0.130, -0.201, -0.062, 1, 0.012),
    *(True, False),
)
STRONG = Delta(
    *("model", "clap_similarity", "strong", 5.0, "medium", 3.0, 9, 0.043, 0.08, 5, False),
    *(-0.012, 0.101, 0.66, False),
)


def test_an_established_difference_names_the_higher_side_first() -> None:
    assert sentence(M2L) == (
        "clap is higher than music2latent in CLAP similarity by 0.130 over 9 targets "
        "(95 % interval 0.062 to 0.201, corrected p 0.012): established."
    )


def test_a_difference_that_may_be_chance_is_said_to_be_so() -> None:
    assert sentence(STRONG) == (
        "model strong (5) is higher than model medium (3) in CLAP similarity by 0.043 over "
        "9 targets (95 % interval -0.012 to 0.101, corrected p 0.660): not established."
    )


def test_what_cannot_be_compared_is_not_compared() -> None:
    none = replace(M2L, n=0, mean_difference=None, low=None, high=None, p_holm=None)
    assert sentence(none).endswith("no target has it of both.")
    one = replace(M2L, n=1, low=None, high=None, p_holm=1.0, established=False)
    assert "over 1 target (no interval, corrected p 1.000): not established" in sentence(one)


def test_findings_are_the_established_then_what_is_not() -> None:
    said = findings([M2L, replace(M2L, metric="z", established=False, p_holm=0.2)])
    assert said == [
        sentence(M2L),
        "Between music2latent and clap no difference is established in z (n = 9).",
    ]


def test_too_few_targets_for_any_finding_are_named_as_the_cause() -> None:
    few = [replace(M2L, metric=name, n=4, p_holm=1.0, established=False) for name in "abc"]
    assert findings(few)[-1] == (
        "With 4 targets and 3 tests none could be: the smallest possible p is 0.125, "
        "and 0.375 after the correction."
    )


def test_one_target_and_one_test_are_not_several() -> None:
    alone = replace(M2L, n=1, p_holm=1.0, established=False)
    assert findings([alone])[-1].startswith("With 1 target and 1 test none could be: ")


def test_melody_accuracy_says_whether_unpitched_pairs_take_part() -> None:
    assert "in melody accuracy of all pairs by" in sentence(replace(M2L, metric="melody_accuracy"))
    gated = sentence(replace(M2L, metric="melody_accuracy_melodic"))
    assert "in melody accuracy of pitched pairs by" in gated


def test_random_weights_establish_nothing() -> None:
    assert findings([replace(M2L, random=True)]) == [
        "1 comparison with random weights is left out: they say nothing about music."
    ]


def test_each_generator_and_the_encoders_are_families_of_their_own() -> None:
    other = replace(STRONG, generator="other", n=1, p_holm=1.0)
    assert len(findings([STRONG, other])) == 3  # the second one has a target too few
