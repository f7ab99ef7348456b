"""Answers in sentences: the order of the means, verdicts, and what is left out."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mirpipe.db import queries
from mirpipe.db.queries.answers import (
    generation_answer,
    hubs_answer,
    library_answer,
    retrieval_answer,
    run_answer,
    similarity_answer,
)
from mirpipe.db.queries.page_answers import clips_answer, quality_answer

METRIC = "aligned_melody"


def summary(
    encoder: str, mean: float | None, n: int = 11, *, random: bool = False
) -> queries.RetrievalSummary:
    return queries.RetrievalSummary(encoder, METRIC, n, 0, mean, mean and 0.1, "none", random)


def comparison(*, established: bool, role: str = "primary") -> queries.EncoderComparison:
    return queries.EncoderComparison(
        *("a", "b", METRIC, 11, 0.125, 0.05, 0.2, 9, 0.01 if established else 0.3),
        *(established, False, role),
    )


def test_the_highest_mean_comes_first_and_n_is_named_where_it_differs() -> None:
    summaries = [summary("a", 0.25), summary("b", 0.5), summary("c", None), summary("d", 0.125, 7)]
    assert retrieval_answer(summaries, [], primary_metric=METRIC) == [
        "The best matches by b have the highest aligned melody: 0.500 on average over 11 targets, "
        "followed by a with 0.250 and d with 0.125 over 7."
    ]


def test_a_primary_metric_without_any_value_is_named_with_the_metrics_that_have_some() -> None:
    summaries = [replace(summary("a", 0.5), metric=name) for name in ("z", "percentile", "cosine")]
    assert retrieval_answer(summaries, [], primary_metric=METRIC) == [
        "No best match has a value of aligned melody, the primary metric. These metrics have "
        "values: percentile, z. To choose one of them, set MIRPIPE_PRIMARY_RETRIEVAL_METRIC."
    ]
    unmeasured = [replace(each, mean=None) for each in summaries]
    assert retrieval_answer(unmeasured, [], primary_metric=METRIC) == []


def test_equal_means_are_not_ordered() -> None:
    summaries = [summary("a", 0.44801), summary("b", 0.44799)]
    same = "The best matches by a and b have the same aligned melody: 0.448 on average over 11 "
    assert retrieval_answer(summaries, [], primary_metric=METRIC) == [same + "targets."]
    summaries += [summary("c", 0.25), summary("d", 0.448, 7)]
    assert retrieval_answer(summaries, [], primary_metric=METRIC) == [
        "The best matches by a and b have the highest aligned melody: 0.448 on average over 11 "
        "targets, followed by d with 0.448 over 7 and c with 0.250."
    ]


@pytest.mark.parametrize(
    ("comparisons", "verdict"),
    [
        (
            [comparison(established=True), comparison(established=False)],
            "a is higher than b in aligned melody by 0.125 on average over 11 targets (95% "
            "interval 0.050 to 0.200, corrected p = 0.010): established.",
        ),
        (
            [comparison(established=False)],
            "No difference between the encoders in aligned melody is established.",
        ),
    ],
)
def test_the_verdict_follows(comparisons: list[queries.EncoderComparison], verdict: str) -> None:
    answer = retrieval_answer([summary("a", 0.5)], comparisons, primary_metric=METRIC)
    assert answer == [
        "The best matches by a have a mean aligned melody of 0.500 over 11 targets.",
        verdict,
    ]


def test_too_few_targets_for_any_test_are_named_instead_of_a_verdict() -> None:
    few = replace(comparison(established=False), n=6, p_adjusted=None, reason="too_few_targets")
    few = replace(few, equal_n=2)
    answer = retrieval_answer([summary("a", 0.5)], [few], primary_metric=METRIC)
    assert answer[1:] == [
        "a and b have too few targets with different values to establish a difference in aligned "
        "melody (4 of 6 targets). At least 6 targets with different values are needed."
    ]
    tested = retrieval_answer(
        [summary("a", 0.5)], [few, comparison(established=False)], primary_metric=METRIC
    )
    assert tested[1:] == ["No difference between the encoders in aligned melody is established."]


def test_exploratory_and_random_comparisons_give_no_verdict() -> None:
    comparisons = [comparison(established=True, role=role) for role in ("exploratory", "random")]
    assert len(retrieval_answer([summary("a", 0.5)], comparisons, primary_metric=METRIC)) == 1


def test_random_weights_give_no_answer() -> None:
    assert retrieval_answer([summary("a", 0.5, random=True)], [], primary_metric=METRIC) == []


def test_a_metric_without_a_value_is_named() -> None:
    assert retrieval_answer([summary("a", None, 0)], [], primary_metric=METRIC) == [
        "The aligned melody of any best match could not be computed."
    ]


def test_modes_are_ordered_within_each_generator() -> None:
    def clips(generator: str, mode: str, mean: float, *, random: bool = False):
        return queries.GenerationSummary(
            *(generator, mode, 3.0 if generator == "model" else None, METRIC, 1, 1, 0, mean, 0.0),
            *("none", random, "none", False),
        )

    summaries = [
        clips("resynth", "simple", 0.25),
        clips("resynth", "strong", 0.5),
        clips("model", "simple", 0.75),
        clips("untrained", "simple", 0.9, random=True),
    ]
    assert generation_answer(summaries, [], primary_metric=METRIC) == [
        "The clips by resynth in the mode strong have the highest aligned melody: 0.500 on average "
        "over 1 target, followed by simple with 0.250.",
        "The clips by model in the mode simple (3) have a mean aligned melody of 0.750 "
        "over 1 target.",
    ]


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, "and changed no best match."),
        ({"new reference": 1}, "and changed 1 best match (new reference: 1)."),
        (
            {"new reference": 1200, "removed reference": 34},
            "and changed 1,234 best matches (new reference: 1,200, removed reference: 34).",
        ),
    ],
)
def test_a_run_is_described_with_its_changes(changes: dict[str, int], end: str) -> None:
    now = datetime.now(UTC)
    library = {"target ok": 1, "reference ok": 1000, "reference gone": 5}
    run = queries.Run(3, now, now, "command line", library, changes, {})
    assert run_answer(run) == f"Run 3 compared 1 target with 1,000 references {end}"


def test_the_first_run_changes_nothing() -> None:
    now = datetime.now(UTC)
    library = {"target ok": 11, "reference ok": 39}
    run = queries.Run(1, now, now, "command line", library, {"first match": 22}, {})
    assert run_answer(run) == (
        "Run 1 compared 11 targets with 39 references and found the first 22 best matches."
    )
    assert "changed 22 best matches (first match: 22)" in run_answer(replace(run, run_id=2))


def test_a_run_before_all_tracks_are_embedded_names_what_was_compared() -> None:
    now = datetime.now(UTC)
    vectors = {
        "signal": {"reference": 1000, "target": 20},
        "clap": {"reference": 410, "target": 20},
        "muq": {"reference": 0, "target": 1},
    }
    library = {"target ok": 20, "reference ok": 1000}
    run = queries.Run(3, now, now, "command line", library, {}, vectors)
    assert run_answer(run) == (
        "Run 3 compared 20 targets with 1,000 references and changed no best match. "
        "clap had vectors of only 410 of 1,000 references. "
        "muq had vectors of only 1 of 20 targets and 0 of 1,000 references."
    )


def hub(encoder: str, largest: int, *, random: bool = False, k: int = 5) -> queries.Hubness:
    return queries.Hubness(
        *(
            encoder,
            "targets",
            "cosine",
            k,
            0.5,
            largest,
            "康定情歌",
            1,
            0.1,
            10,
            50,
            "none",
            random,
        ),
        *(3, datetime(2026, 11, 1, tzinfo=UTC)),
    )


def agreement(encoder: str, other: str, top1: float) -> list[queries.EncoderAgreement]:
    """Return both rows of a pair."""
    pairs = ((encoder, other), (other, encoder))
    return [queries.EncoderAgreement(*pair, 0.5, top1, 10, "none", False) for pair in pairs]


def test_the_strongest_hub_and_the_agreement_of_encoders_are_named() -> None:
    hubness = [hub("a", 4), hub("b", 7), hub("c", 9, random=True), hub("d", 9, k=10)]
    strongest, agreeing = hubs_answer(hubness, agreement("a", "b", 0.25), query_kind="targets", k=5)
    assert strongest == (
        "The strongest hub is \u2068康定情歌\u2069: with b, it is among the first 5 matches of 7 "
        "of 10 targets."
    )
    assert agreeing == "a and b have the same best match for 25% of 10 targets."
    more = [*agreement("a", "b", 0.25), *agreement("b", "d", 0.5), *agreement("a", "d", 0.125)]
    assert hubs_answer([], more, query_kind="targets", k=5) == [
        "b and d agree most: they have the same best match for 50% of 10 targets. a and d agree "
        "least, with 12%."
    ]
    assert hubs_answer(hubness, [], query_kind="references", k=5) == []


def test_encoders_that_agree_are_named_together() -> None:
    def best(encoder: str, title: str, z: float | None, **values: Any) -> queries.BestReference:
        return queries.BestReference(
            encoder, title, values.get("relation"), z, values.get("random", False)
        )

    rows = [best("a", "x", 3.125), best("b", "y", -0.5), best("c", "x", None)]
    assert similarity_answer("q", [*rows, best("d", "z", 9, random=True)]) == (
        "The encoders find different references for ⁨q⁩: ⁨x⁩ by a (z = 3.12) and c; ⁨y⁩ by b (z = −0.50)."
    )
    copy = best("a", "x", 3, relation="same_recording")
    assert similarity_answer("q", [copy]) == (
        "The reference that is most similar to ⁨q⁩ is ⁨x⁩, the same recording, by a (z = 3.00)."
    )
    assert similarity_answer("q", [best("d", "z", 9, random=True)]) == ""


def test_warnings_are_named_and_other_findings_are_not() -> None:
    counts = [
        queries.FindingCount("silence", "info", 9),
        queries.FindingCount("dc_offset", "warning", 1),
        queries.FindingCount("truncated", "warning", 3),
    ]
    assert quality_answer(counts) == (
        "The most frequent warning is truncated, for 3 tracks, followed by DC offset for 1."
    )
    tie = [queries.FindingCount(kind, "warning", 1) for kind in ("clipping", "dc_offset")]
    assert quality_answer(tie) == "Warnings: clipping (1 track), DC offset (1 track)."
    assert quality_answer(counts[:1]) == "No track has a warning."


def test_the_clips_of_a_target_are_counted() -> None:
    def clip(mode: str, seed: int) -> queries.GeneratedClip:
        values = {field.name: None for field in fields(queries.GeneratedClip)}
        return queries.GeneratedClip(**{**values, "generator": "g", "mode": mode, "seed": seed})

    clips = [clip("simple", 0), clip("simple", 1), clip("strong", 0)]
    assert clips_answer(clips) == "From the target, 3 clips in 2 modes were generated."
    assert clips_answer(clips[:1]) == "From the target, 1 clip in 1 mode was generated."
    assert clips_answer([]) == ""


def test_the_tracks_of_the_library_are_counted_by_collection() -> None:
    counts = [
        queries.LibraryCount("target", "ok", 1, 60),
        queries.LibraryCount("target", "gone", 2, 60),
        queries.LibraryCount("reference", "ok", 1_200, 60),
        queries.LibraryCount("reference", "rejected", 1, 60),
        queries.LibraryCount("generated", "ok", 3, 60),
        queries.LibraryCount("generated", "gone", 2, 60),
    ]
    assert library_answer(counts) == [
        "The library contains 1,200 references, 1 target and 3 clips.",
        "1 track was rejected and the files of 4 tracks are gone.",
    ]
    assert library_answer(counts[:1]) == ["The library contains 1 target."]
    assert library_answer(counts[1:2]) == [
        "The library contains no usable tracks.",
        "The files of 2 tracks are gone.",
    ]
