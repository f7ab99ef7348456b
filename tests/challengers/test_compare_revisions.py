"""A challenger is better, not worse, worse, or cannot be told apart from the old revision."""

import json

import pytest

from mirpipe.challengers.compare_revisions import RevisionComparison, compare_revisions
from mirpipe.challengers.find_revision import find_revision
from mirpipe.db import queries
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store.stored_revisions import stored_revisions
from mirpipe.errors import ConfigurationError
from mirpipe.stages.retrieve import retrieve
from tests.operations.gate.judged_library import BAD, GOOD, TARGETS, JudgedLibrary
from tests.support.databases import Database


@pytest.fixture
def library(fresh_database: Database) -> JudgedLibrary:
    return JudgedLibrary(fresh_database)


def compare(*, same_recording_counts: bool = False, **margins: float) -> RevisionComparison:
    with open_snapshot("app") as connection:
        revisions = stored_revisions(connection)
        return compare_revisions(
            connection,
            find_revision("made_up@old", revisions),
            find_revision("made_up@new", revisions),
            margins=margins or {"aligned_melody": 0.0},
            primary_metric="aligned_melody",
            same_recording_counts=same_recording_counts,
        )


def test_a_challenger_that_finds_better_matches_is_better(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=TARGETS, new_at_bad=0)
    comparison = compare()
    [melody] = [each for each in comparison.metrics if each.metric == "aligned_melody"]
    assert comparison.verdict == melody.verdict == "better"
    assert (melody.n, melody.reason) == (TARGETS, None)
    assert melody.old_mean == pytest.approx(0.21)
    assert melody.new_mean == pytest.approx(0.81)
    assert melody.difference == pytest.approx(0.6)
    assert melody.p_adjusted == pytest.approx(2 / 2**TARGETS)
    assert (comparison.changed_n, comparison.compared_n) == (TARGETS, TARGETS)


def test_a_challenger_that_finds_worse_matches_is_worse(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=0, new_at_bad=TARGETS)
    assert compare(aligned_melody=0.5).verdict == "worse"
    assert compare(aligned_melody=0.7).verdict == "not worse"


def test_a_challenger_with_few_changes_cannot_be_told_apart(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=0, new_at_bad=1)
    comparison = compare(aligned_melody=0.2)
    assert comparison.verdict == "undecided"
    [melody] = [each for each in comparison.metrics if each.metric == "aligned_melody"]
    assert melody.low is not None
    assert melody.difference is not None
    assert melody.low < -0.2 < melody.difference


def test_a_challenger_with_the_same_matches_is_not_worse(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=2, new_at_bad=2)
    comparison = compare()
    assert (comparison.verdict, comparison.changed_n, comparison.common) == ("not worse", 0, 1)
    assert comparison.changed == []


def test_one_worse_metric_is_enough_for_the_verdict_worse(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=TARGETS, new_at_bad=0)
    library.execute("""
        INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value)
        SELECT m.metric_id, p.target_id, p.reference_id, 1 - p.value
        FROM mirpipe.pair_score p, mirpipe.metric m WHERE m.name = 'melody_accuracy'
    """)
    assert compare(aligned_melody=0).verdict == "better"
    assert compare(aligned_melody=0, melody_accuracy=0.1).verdict == "worse"


def test_references_of_only_one_revision_do_not_count(library: JudgedLibrary) -> None:
    library.publish()
    library.new_model("old", targets_at_bad=0)
    library.publish()
    library.add_reference("better", GOOD)  # embedded by `old`, which finds it, too
    library.new_model("new", targets_at_bad=0)
    library.execute(
        "DELETE FROM mirpipe.embedding v USING mirpipe.encoder e WHERE v.encoder_id = e.encoder_id "
        "AND e.revision = 'old' AND v.track_id = :better",
        better=library.references["better"],
    )
    library.set_vector(library.references["good"], (1, 0.1, 0))
    library.publish()
    comparison = compare()
    assert (comparison.references_n, comparison.targets_n) == (2, TARGETS)
    assert (comparison.changed_n, comparison.verdict) == (0, "not worse")


def test_matches_that_are_the_same_recording_do_not_count(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=0, new_at_bad=TARGETS)
    for target in library.targets:
        library.add_same_recording(target, library.references["good"])
    assert compare().changed_n == 0
    assert compare(same_recording_counts=True).changed_n == TARGETS


def test_precision_by_label_counts_targets_that_share_a_value_with_a_reference(
    library: JudgedLibrary,
) -> None:
    label = (
        "UPDATE mirpipe.track SET labels = labels || CAST(:label AS jsonb) "
        "WHERE track_id = ANY(:ids)"
    )
    lutes = [library.add("reference", f"lute {n}") for n in range(10)]
    harps = [library.add("reference", f"harp {n}") for n in range(10)]
    sackbut, *others = library.targets
    for instrument, ids in (
        ("lute", [*lutes, *others]),
        ("harp", harps),
        ("sackbut", [sackbut]),  # no reference has it
    ):
        library.execute(label, label=json.dumps({"instrument": instrument}), ids=ids)
    for revision, near in (("old", lutes[:3]), ("new", lutes)):
        library.new_model(revision, targets_at_bad=0)
        for track_id in (*lutes, *harps):
            far = (1, 0, 0.2) if track_id in harps else (0, 0, 1)
            library.set_vector(track_id, (1, 0, 0.1) if track_id in near else far)
        library.publish()
    comparison = compare(instrument_p_at_10=0)
    [precision] = [each for each in comparison.metrics if each.margin is not None]
    # The reference `good`, which has no label, is the best match in both lists.
    assert precision.old_mean == pytest.approx(0.3)
    assert precision.new_mean == pytest.approx(0.9)
    assert (precision.n, precision.verdict) == (TARGETS - 1, "better")
    [published] = [
        each
        for each in queries.label_rankings()
        if (each.queries, each.label, each.metric) == ("targets", "instrument", "p_at_10")
        and each.rerank == "cosine"
    ]
    assert (published.n, published.mean) == (precision.n, pytest.approx(precision.new_mean))
    assert "genre_p_at_10" not in {each.metric for each in comparison.metrics}


def test_the_targets_that_change_most_come_first(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=0, new_at_bad=2)
    library.execute(
        "UPDATE mirpipe.pair_score SET value = 0.5 WHERE target_id = :target "
        "AND reference_id = :bad",
        target=library.targets[0],
        bad=library.references["bad"],
    )
    changed = compare().changed
    assert [(each.target, each.old_title, each.new_title) for each in changed] == [
        ("t1", "good", "bad"),
        ("t0", "good", "bad"),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE mirpipe.encoder SET spec = spec || '{\"is_random\": true}'", "random_weights"),
        (
            'UPDATE mirpipe.metric SET spec = spec || \'{"encoder": "made_up"}\' '
            "WHERE name = 'aligned_melody'",
            "own_vectors",
        ),
        (
            "DELETE FROM mirpipe.pair_score WHERE target_id = (SELECT min(track_id) "
            "FROM mirpipe.track WHERE collection = 'target')",
            "not_measured",
        ),
        (
            "UPDATE mirpipe.track SET state = 'gone' WHERE title IN ('t0', 't1')",
            "too_few_targets",
        ),
    ],
)
def test_a_metric_that_cannot_judge_the_revisions_is_undecided(
    library: JudgedLibrary, change: str, reason: str
) -> None:
    library.challenge(old_at_bad=TARGETS, new_at_bad=0)
    library.execute(change)
    retrieve()
    comparison = compare()
    assert comparison.verdict == "undecided"
    assert [each.reason for each in comparison.metrics if each.margin is not None] == [reason]


def test_vectors_that_are_not_searched_yet_leave_the_verdict_undecided(
    library: JudgedLibrary,
) -> None:
    library.challenge(old_at_bad=TARGETS, new_at_bad=0)
    library.set_vector(library.targets[0], BAD)
    assert compare().verdict == "undecided"
    retrieve()
    assert compare(aligned_melody=0).metrics[0].reason is None


def test_a_metric_without_scores_is_undecided(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=TARGETS, new_at_bad=0)
    comparison = compare(aligned_melody=0, no_such_metric=1)
    assert comparison.verdict == "undecided"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other", "No revision of a plug-in 'other' is stored. Plug-ins: made_up."),
        (
            "made_up@x",
            "Revisions of made_up: made_up@new (active, configured), made_up@old (replaced)",
        ),
        ("made_up@x", "'made_up@x' does not name a revision."),
        ("made_up@r", "'made_up@r' names several revisions."),
    ],
)
def test_an_unknown_revision_is_named_with_those_that_exist(
    library: JudgedLibrary, text: str, message: str
) -> None:
    library.register("r2")
    library.challenge(old_at_bad=0, new_at_bad=0)
    with open_snapshot("app") as connection:
        revisions = stored_revisions(connection)
    assert find_revision("made_up", revisions).revision == "new"
    assert find_revision("made_up@ol", revisions).revision == "old"
    with pytest.raises(ConfigurationError) as caught:
        find_revision(text, revisions)
    assert message in str(caught.value)
