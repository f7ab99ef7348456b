"""A change is computed on the targets and references of both runs, and tested by a margin."""

from datetime import UTC, datetime

import pytest

from mirpipe.db import queries
from mirpipe.operations.gate.changes import judge_change
from mirpipe.operations.gate.gate_file import Change
from mirpipe.operations.gate.verdicts import RuleVerdict
from tests.operations.gate.judged_library import GOOD, JudgedLibrary
from tests.support.databases import Database


@pytest.fixture
def library(fresh_database: Database) -> JudgedLibrary:
    """A library with one run."""
    library = JudgedLibrary(fresh_database)
    library.publish()
    return library


def judge(
    *, margin: float = 0.05, since: object = "previous", metric: str = "aligned_melody"
) -> RuleVerdict:
    rule = Change.model_validate(
        {
            **{"name": "melody", "check": "change", "metric": metric},
            **{"encoder": "made_up", "since": since, "margin": margin},
        }
    )
    run = queries.latest_run()
    assert run is not None
    return judge_change(rule, run)


def delete_scores_at(library: JudgedLibrary, reference: str, *, of_target: int) -> None:
    library.execute(
        "DELETE FROM mirpipe.pair_score WHERE (target_id, reference_id) = (:target, :reference)",
        target=of_target,
        reference=library.references[reference],
    )


def test_new_references_do_not_change_the_verdict(library: JudgedLibrary) -> None:
    # Every target now has a better match, which the earlier run could not find.
    library.add_reference("better", GOOD)
    library.set_vector(library.references["good"], (1, 0.1, 0))
    library.publish()
    verdict = judge()
    assert (verdict.verdict, verdict.value, verdict.n) == ("passed", 0, 6)
    assert "share 2 references (of 2 then and 3 now) and 6 targets (of 6 and 6)" in verdict.detail
    assert "With all tracks of each run, the mean changed by +0.1500" in verdict.detail
    assert "The encoder is the same." in verdict.detail


def test_a_reference_that_was_embedded_later_is_not_shared(fresh_database: Database) -> None:
    library = JudgedLibrary(fresh_database)
    library.set_vector(library.references["good"], (1, 0.1, 0))
    better = library.add("reference", "better")
    library.publish()
    library.register("r1")  # a new batch of the same revision
    library.set_vector(better, GOOD)
    library.publish()
    verdict = judge()
    assert (verdict.verdict, verdict.value) == ("passed", 0)
    assert "share 2 references (of 2 then and 3 now)" in verdict.detail
    assert "the mean changed by +0.1500" in verdict.detail


def test_a_removed_reference_does_not_change_the_verdict(library: JudgedLibrary) -> None:
    library.set_state(library.references["good"], "gone")
    library.publish()
    verdict = judge()
    assert (verdict.verdict, verdict.value, verdict.n) == ("passed", 0, 6)
    assert "the mean changed by -0.6000" in verdict.detail


def test_a_model_that_finds_worse_matches_fails(library: JudgedLibrary) -> None:
    library.new_model("r2", targets_at_bad=6)
    library.publish()
    verdict = judge()
    assert verdict.verdict == "failed"
    assert verdict.value == pytest.approx(-0.6)
    assert verdict.at_least == -0.05
    assert "The encoder has a new revision." in verdict.detail


def test_an_interval_that_contains_the_margin_is_undecided(library: JudgedLibrary) -> None:
    library.new_model("r2", targets_at_bad=1)
    library.publish()
    assert f"{judge(margin=0).at_least:g}" == "0"
    verdict = judge(margin=0.2)
    assert verdict.verdict == "undecided"
    assert verdict.value == pytest.approx(-0.1)
    assert verdict.low is not None
    assert verdict.low < -0.2 < verdict.value
    assert judge(margin=1).verdict == "passed"


def test_too_few_shared_targets_are_undecided(library: JudgedLibrary) -> None:
    for track_id in library.targets[:2]:
        library.set_state(track_id, "gone")
    library.new_model("r2", targets_at_bad=6)
    library.publish()
    verdict = judge()
    assert (verdict.verdict, verdict.value) == ("undecided", None)
    assert "Only 4 shared targets can be compared" in verdict.detail


def test_a_former_match_without_a_score_by_the_metric_revision_is_undecided(
    library: JudgedLibrary,
) -> None:
    library.new_model("r2", targets_at_bad=1)
    library.publish()
    delete_scores_at(library, "good", of_target=library.targets[0])
    verdict = judge()
    assert (verdict.verdict, verdict.value) == ("undecided", None)
    assert verdict.detail == (
        "A match has no score by the current revision of aligned_melody for 1 shared target."
    )


def test_a_score_axis_needs_the_scores_of_the_matches_themselves(library: JudgedLibrary) -> None:
    library.new_model("r2", targets_at_bad=6)
    library.publish()
    library.execute(
        'UPDATE mirpipe.metric SET spec = spec || \'{"axis": "quality"}\' '
        "WHERE name = 'aligned_melody'"
    )
    assert judge().detail.endswith(" for 6 shared targets.")
    for name, value in (("good", 0.9), ("bad", 0.4)):
        library.execute(
            "INSERT INTO mirpipe.track_score (metric_id, track_id, value) SELECT metric_id, :id, "
            ":value FROM mirpipe.metric WHERE name = 'aligned_melody'",
            id=library.references[name],
            value=value,
        )
    assert (judge().verdict, judge().value) == ("failed", pytest.approx(-0.5))


def test_a_target_with_an_undefined_score_is_left_out(library: JudgedLibrary) -> None:
    library.new_model("r2", targets_at_bad=1)
    library.publish()
    library.execute(
        "UPDATE mirpipe.pair_score SET value = NULL, reason = 'too short' WHERE target_id = :id",
        id=library.targets[0],
    )
    assert (judge().verdict, judge().n) == ("passed", 5)


def test_a_run_is_found_by_its_number_and_by_a_time(library: JudgedLibrary) -> None:
    library.new_model("r2", targets_at_bad=6)
    second = library.publish()
    library.new_model("r3", targets_at_bad=0)
    library.publish()
    assert judge().value == pytest.approx(0.6)
    assert judge(since=second).value == pytest.approx(0.6)
    assert judge(since=second - 1).value == 0
    run = queries.last_runs()[-1]
    assert judge(since=run.finished_at).value == 0
    long_ago = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
    assert judge(since=long_ago).detail == "No run was published by 2001-02-03 04:05 UTC."
    assert judge(since=9999).detail == f"There is no run 9999 before run {second + 1}."


def test_the_first_run_has_no_change(library: JudgedLibrary) -> None:
    verdict = judge()
    assert (verdict.verdict, verdict.detail) == ("undecided", "There is no run before run 1.")


def test_random_weights_are_undecided(library: JudgedLibrary) -> None:
    library.add_reference("better", GOOD)
    library.publish()
    library.execute("UPDATE mirpipe.encoder SET spec = '{\"is_random\": true}'")
    assert judge().detail == "Random weights were used."


def test_an_unknown_metric_is_named(library: JudgedLibrary) -> None:
    library.new_model("r2", targets_at_bad=0)
    library.publish()
    verdict = judge(metric="nonsense")
    assert verdict.verdict == "undecided"
    assert verdict.detail == (
        "The latest run has no metric nonsense. The view v_retrieval_summary lists the metrics."
    )
