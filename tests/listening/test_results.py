"""The results of listening tests, from simulated listeners with known preferences."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.db.queries.listening_votes import Vote, metrics_of_pairs
from mirpipe.db.store import embeddings
from mirpipe.listening.controls import count_votes
from mirpipe.listening.result_sentences import (
    STRENGTHS_REMARK,
    agreement_sentence,
    choice_sentences,
    listener_sentences,
    listening_answer,
    verdict_words,
)
from mirpipe.listening.results import (
    CriterionResult,
    ListeningResults,
    MetricResult,
    agreement_of,
)
from mirpipe.listening.subject_results import SubjectComparison
from mirpipe.statistics.listener_agreement import Agreement
from mirpipe.statistics.vote_prediction import VotePrediction
from tests.dashboard.example_clips import unit_vector
from tests.listening.conftest import remove_matches
from tests.listening.voters import vote_all
from tests.support.databases import Database

_RANDOM = "SET spec = spec || jsonb_build_object('is_random', true)"

STRENGTHS = {"clap": 1.2, "musicnn": 0.0, "signal": -1.2}


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["listening", *arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def results(name: str = "answers-run1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("results", name, "--json").stdout)
    return found


def links(name: str, count: int) -> list[str]:
    printed = run("link", name, "--count", str(count)).stdout.split()
    return [link.rpartition("/")[2] for link in printed]


def _write_vectors(connection: Connection, encoder: str) -> None:
    random = np.random.default_rng(1)
    query = "SELECT encoder_id FROM mirpipe.encoder WHERE name = :name"
    encoder_id = connection.execute(text(query), {"name": encoder}).scalar_one()
    tracks = "SELECT track_id FROM mirpipe.track WHERE collection = 'reference'"
    vectors = {track: unit_vector(random) for track in connection.execute(text(tracks)).scalars()}
    embeddings.write(connection, encoder_id, vectors, device="cpu", versions={}, seconds=1.0)


def _write_axis(connection: Connection, name: str, *, sign: int, is_random: bool = False) -> None:
    """Write a score axis that agrees with STRENGTHS if the sign is 1, and contradicts it if −1."""
    connection.execute(
        text(
            "WITH m AS (INSERT INTO mirpipe.metric (name, revision, spec) "
            "VALUES (:name, '1', jsonb_build_object('axis', 'x', 'is_random', :is_random)) "
            "RETURNING metric_id) "
            "INSERT INTO mirpipe.track_score (metric_id, track_id, value) "
            "SELECT metric_id, t.track_id, :sign * coalesce(b.level, 0) "
            "FROM m, mirpipe.track t LEFT JOIN (SELECT reference_id, avg(CASE encoder "
            "WHEN 'clap' THEN 1 WHEN 'signal' THEN -1 ELSE 0 END) AS level "
            "FROM mirpipe.best_match GROUP BY 1) b ON b.reference_id = t.track_id"
        ),
        {"name": name, "sign": sign, "is_random": is_random},
    )


def test_the_true_order_is_found_and_the_careless_are_left_out(library: Database) -> None:
    run("create", "--questions", "12")
    for number, token in enumerate(links("answers-run1", 16)):
        vote_all(library, token, STRENGTHS, seed=number, careless=number in (3, 7))
    found = results()
    assert (found["listeners_n"], found["left_out_n"], found["order"]) == (16, 2, "balanced")
    assert found["repeats_equal_n"] <= found["repeats_n"] == 14 * 3
    assert found["controls_passed_n"] >= 14 * 3
    assert 0.35 < found["left_share"] < 0.65
    (criterion,) = found["criteria"]
    assert criterion["votes_n"] == 14 * 12
    assert [s["subject"] for s in criterion["subjects"]] == ["clap", "musicnn", "signal"]
    clap, _, signal = criterion["subjects"]
    assert clap["low"] > signal["high"]
    assert sum(s["log_strength"] for s in criterion["subjects"]) == pytest.approx(0)
    pairs = {(c["first"], c["second"]): c for c in criterion["comparisons"]}
    best = pairs["clap", "signal"]
    assert best["established"]
    assert 0.5 < best["low"] < best["win_rate"] < best["high"] <= 1
    assert 0 < criterion["agreement"]["alpha"] < 1


def test_every_pair_has_equally_many_votes(library: Database) -> None:
    run("create", "--questions", "9")
    for number, token in enumerate(links("answers-run1", 8)):
        vote_all(library, token, STRENGTHS, seed=number)
    subjects = results()["criteria"][0]["subjects"]
    assert {s["wins_n"] + s["losses_n"] + s["ties_n"] for s in subjects} == {8 * 6}


def test_a_metric_that_agrees_with_the_listeners_predicts_their_votes(library: Database) -> None:
    run("create", "--questions", "12")
    for number, token in enumerate(links("answers-run1", 10)):
        vote_all(library, token, STRENGTHS, seed=number)
    with library.owner.begin() as connection:
        for name, sign in (("right", 1), ("wrong", -1)):
            _write_axis(connection, name, sign=sign)
        _write_vectors(connection, "clap")
    metrics = {m["metric"]: m["prediction"] for m in results()["criteria"][0]["metrics"]}
    right, wrong = metrics["right"], metrics["wrong"]
    assert right["low"] > 0.5 > wrong["high"]
    assert right["accuracy"] == pytest.approx(1 - wrong["accuracy"])
    assert right["correlation"] == pytest.approx(-wrong["correlation"])
    assert metrics.keys() == {"right", "wrong", "cosine clap", "melody_accuracy"}
    printed = run("results", "answers-run1").stdout
    assert "How well metrics predict the votes" in printed
    assert (
        "To make right the primary metric, set MIRPIPE_PRIMARY_RETRIEVAL_METRIC=right. If you "
        "choose the primary metric by this table, the choice is good for later runs only"
    ) in " ".join(printed.split())


def test_clips_are_compared_by_both_criteria(library: Database) -> None:
    run("create", "--kind", "clips", "--questions", "12")
    modes = {"model simple 3": -1.0, "model medium 3": 0.5, "model strong 5": 1.0}
    for number, token in enumerate(links("clips-run1", 8)):
        vote_all(library, token, modes, seed=number)
    found = results("clips-run1")
    assert [c["criterion"] for c in found["criteria"]] == ["similarity", "quality"]
    assert all(c["subjects"][-1]["subject"] == "model simple 3" for c in found["criteria"])
    assert "melody_accuracy" in {m["metric"] for m in found["criteria"][0]["metrics"]}


def test_ratings_become_choices_so_that_a_listener_who_rates_high_changes_nothing(
    library: Database,
) -> None:
    run("create", "--kind", "rating", "--subject", "clap", "--subject", "signal")
    for number, token in enumerate(links("rating-run1", 6)):
        vote_all(library, token, STRENGTHS, seed=number)
    (before,) = results("rating-run1")["criteria"]
    first, second = before["subjects"]
    assert (first["subject"], second["subject"]) == ("clap", "signal")
    assert first["mean_rating"] > second["mean_rating"]
    assert first["wins_n"] + first["losses_n"] + first["ties_n"] == 6 * 12
    assert before["comparisons"][0]["established"]
    # The first listener now uses only the values 1 to 3, in the same order.
    with library.app.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.vote v SET answer = CASE WHEN answer < 3 THEN 1 "
                "WHEN answer = 3 THEN 2 ELSE 3 END FROM mirpipe.listening_question q "
                "WHERE q.question_id = v.question_id AND q.control IS NULL AND listener_id = 1"
            )
        )
    (after,) = results("rating-run1")["criteria"]
    assert after["subjects"][0]["mean_rating"] < first["mean_rating"]
    assert after["subjects"][0]["losses_n"] <= first["losses_n"]
    assert after["subjects"][0]["wins_n"] <= first["wins_n"]


def test_a_test_without_votes_has_results_without_values(library: Database) -> None:
    run("create")
    found = results()
    assert (found["listeners_n"], found["left_share"]) == (0, None)
    (criterion,) = found["criteria"]
    assert (criterion["subjects"], criterion["comparisons"], criterion["metrics"]) == ([], [], [])
    assert criterion["agreement"]["reason"] == "no_question"
    assert "0 listeners" in run("results", "answers-run1").stdout


def test_few_listeners_who_stop_early_have_a_reason_instead_of_an_interval(
    library: Database,
) -> None:
    run("create", "--controls", "0")
    for number, token in enumerate(links("answers-run1", 2)):
        vote_all(library, token, STRENGTHS, seed=number, stop_after=3)
    (criterion,) = results()["criteria"]
    assert {s["reason"] for s in criterion["subjects"]} == {"too_few_listeners"}
    assert {s["low"] for s in criterion["subjects"]} == {None}
    assert {c["reason"] for c in criterion["comparisons"]} == {"too_few_listeners"}
    assert "too few listeners" in " ".join(run("results", "answers-run1").stdout.split())


@pytest.mark.parametrize(("listeners", "is_tested"), [(1, False), (4, False), (5, True)])
def test_fewer_than_five_listeners_establish_no_preference(
    library: Database, listeners: int, is_tested: bool
) -> None:
    run("create", "--subject", "clap", "--subject", "signal", "--controls", "0")
    for number, token in enumerate(links("answers-run1", listeners)):
        vote_all(library, token, {"clap": 9.0, "signal": -9.0}, seed=number)
    (comparison,) = results()["criteria"][0]["comparisons"]
    assert comparison["win_rate"] > 0.95
    assert comparison["established"] == is_tested
    assert comparison["reason"] == (None if is_tested else "too_few_listeners")
    assert (comparison["p_adjusted"] is not None) == is_tested
    printed = " ".join(run("results", "answers-run1").stdout.split())
    if is_tested:
        assert "The listeners of this test prefer clap to signal" in printed
    else:
        assert "fewer than 5 listeners compared the same pair" in printed
        assert "mirpipe listening link answers-run1" in printed


def test_targets_that_do_not_fill_the_last_sheet_help_to_reach_a_verdict(
    library: Database,
) -> None:
    remove_matches(library, "clap", but=7)
    run("create", "--questions", "4", "--subject", "clap", "--subject", "signal")
    for number, token in enumerate(links("answers-run1", 6)):
        vote_all(library, token, {"clap": 9.0, "signal": -9.0}, seed=number)
    (criterion,) = results()["criteria"]
    (comparison,) = criterion["comparisons"]
    assert (comparison["n"], comparison["established"]) == (7, True)
    assert criterion["agreement"]["questions_n"] == 7


def test_listeners_who_failed_their_controls_do_not_help_to_reach_five(library: Database) -> None:
    run("create", "--subject", "clap", "--subject", "signal")
    for number, token in enumerate(links("answers-run1", 6)):
        strengths = {"clap": 9.0, "signal": -9.0}
        vote_all(library, token, strengths, seed=number, careless=number > 3)
    found = results()
    assert found["left_out_n"] == 2
    assert found["criteria"][0]["comparisons"][0]["reason"] == "too_few_listeners"


@pytest.mark.parametrize("kind", ["answers", "clips"])
@pytest.mark.parametrize("order", ["balanced", "adaptive"])
def test_listeners_who_always_choose_the_left_track_are_left_out(
    library: Database, kind: str, order: str
) -> None:
    run("create", "--kind", kind, "--order", order, "--questions", "6")
    for number, token in enumerate(links(f"{kind}-run1", 6)):
        vote_all(library, token, {}, seed=number, always_left=True)
    found = results(f"{kind}-run1")
    assert (found["listeners_n"], found["left_out_n"]) == (6, 6)
    assert {c["votes_n"] for c in found["criteria"]} == {0}


def test_random_weights_get_no_verdict_and_are_named(library: Database) -> None:
    run("create", "--questions", "12")
    for number, token in enumerate(links("answers-run1", 8)):
        vote_all(library, token, {"clap": 9.0, "musicnn": 0.0, "signal": -9.0}, seed=number)
    with library.owner.begin() as connection:
        connection.execute(text(f"UPDATE mirpipe.encoder {_RANDOM} WHERE name = 'clap'"))
        for name, is_random in (("honest", False), ("standin", True)):
            _write_axis(connection, name, sign=1, is_random=is_random)
    (criterion,) = results()["criteria"]
    subjects = {s["subject"]: s["is_random"] for s in criterion["subjects"]}
    assert subjects == {"clap": True, "musicnn": False, "signal": False}
    pairs = {(c["first"], c["second"]): c for c in criterion["comparisons"]}
    for other in ("musicnn", "signal"):
        assert pairs["clap", other]["reason"] == "random_weights"
        assert not pairs["clap", other]["established"]
    assert pairs["musicnn", "signal"]["established"]
    metrics = {m["metric"]: m["is_random"] for m in criterion["metrics"]}
    assert metrics["standin"]
    assert not metrics["honest"]
    printed = " ".join(run("results", "answers-run1").stdout.split())
    assert "prefer musicnn to signal" in printed
    assert "prefer clap" not in printed
    assert "standin has the highest accuracy" not in printed
    assert "honest has the highest accuracy" in printed
    assert "With random weights: clap, standin. " in printed
    assert "clap (random)" in printed
    assert "standin (random)" in printed
    with library.reader.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT subject FROM mirpipe.v_listening_strength WHERE random UNION ALL "
                "SELECT metric FROM mirpipe.v_listening_metric WHERE random ORDER BY 1"
            )
        )
        assert list(rows.scalars()) == ["clap", "standin"]


def test_a_mode_of_a_random_generator_gets_no_verdict(library: Database) -> None:
    run("create", "--kind", "clips", "--questions", "12")
    modes = {"model simple 3": -9.0, "model medium 3": 0.0, "model strong 5": 9.0}
    for number, token in enumerate(links("clips-run1", 8)):
        vote_all(library, token, modes, seed=number)
    with library.owner.begin() as connection:
        connection.execute(text(f"UPDATE mirpipe.generator {_RANDOM}"))
    for criterion in results("clips-run1")["criteria"]:
        assert {c["reason"] for c in criterion["comparisons"]} == {"random_weights"}
        assert all(s["is_random"] for s in criterion["subjects"])


def test_clips_that_are_no_longer_shown_keep_their_scores(library: Database) -> None:
    run("create", "--kind", "clips", "--questions", "12")
    modes = {"model simple 3": -1.0, "model medium 3": 0.5, "model strong 5": 1.0}
    for number, token in enumerate(links("clips-run1", 8)):
        vote_all(library, token, modes, seed=number)
    before = [criterion["metrics"] for criterion in results("clips-run1")["criteria"]]
    with library.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.generation_wish WHERE mode = 'medium'"))
    assert [criterion["metrics"] for criterion in results("clips-run1")["criteria"]] == before
    assert {m["metric"] for m in before[0]} >= {"melody_accuracy", "cosine clap"}


def test_metrics_of_shown_clips_are_those_of_the_view(library: Database) -> None:
    query = (
        "SELECT metric, target_id, track_id, value FROM mirpipe.v_generation_score "
        "WHERE value IS NOT NULL"
    )
    with library.app.connect() as connection:
        shown = {
            (r.metric, r.target_id, r.track_id): r.value for r in connection.execute(text(query))
        }
    found = {
        (metric.name, *pair): value
        for metric in metrics_of_pairs((target, track) for _, target, track in shown)
        for pair, value in metric.values.items()
    }
    assert len(shown) > 100
    assert found == pytest.approx(shown)


def test_the_answer_has_a_sentence_about_metrics_for_each_criterion(library: Database) -> None:
    run("create", "--kind", "clips", "--questions", "12")
    for number, token in enumerate(links("clips-run1", 6)):
        modes = {"model simple 3": -1.0, "model medium 3": 0.5, "model strong 5": 1.0}
        vote_all(library, token, modes, seed=number)
    printed = " ".join(run("results", "clips-run1").stdout.split())
    for criterion in ("similarity", "quality"):
        assert f"the votes on {criterion} better than chance" in printed


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("no_question", "No two listeners who count answered the same question"),
        ("equal_values", "All answers are equal"),
    ],
)
def test_missing_agreement_is_explained_by_its_own_reason(reason: str, sentence: str) -> None:
    found = Agreement(3, None, None, None, reason)
    criterion = CriterionResult("similarity", 7, [], [], found, [], [])
    assert sentence in agreement_sentence(criterion)
    few = replace(criterion, agreement=Agreement(3, 0.5, None, None, "too_few_questions"))
    assert "0.50 (too few questions for an interval), on 3 questions" in agreement_sentence(few)


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        (0, "Nobody is left out: everyone passed at least 70% of their controls."),
        (1, "1 listener is left out, because they passed less than 70% of their controls."),
        (4, "All 4 listeners are left out, because they passed less than 70% of their controls."),
    ],
)
def test_listeners_who_are_left_out_are_counted(left_out: int, sentence: str) -> None:
    criterion = criterion_with([])
    found = replace(results_with(criterion), listeners_n=4, left_out_n=left_out)
    assert f"6 of 6 controls were passed. {sentence}" in list(listener_sentences(found))
    nothing = replace(found, criteria=[replace(criterion, votes_n=0)])
    answer = listening_answer(nothing)
    assert answer == ([f"No vote counts. {sentence}"] if left_out == 4 else ["No vote counts yet."])


@pytest.mark.parametrize(
    ("reasons", "targets_n", "sentence"),
    [
        (["too_few_targets"], 2, "only 2 targets were compared. A verdict needs at least 6."),
        (["too_few_targets"], 1, "only 1 target was compared. A verdict needs at least 6."),
        (
            ["too_few_targets"] * 3,
            6,
            "no pair was compared on more than 6 targets. A verdict needs",
        ),
        (
            ["too_few_targets"],
            8,
            "the votes prefer one of the two on 5 of 8 targets only. A verdict needs at least 6.",
        ),
        (
            ["too_few_targets"] * 3,
            8,
            "the votes prefer one of the two on 5 of 8 targets at most. A verdict needs at least "
            "7.",
        ),
        (["random_weights", "too_few_targets"], 2, "only 2 targets were compared."),
        (["random_weights"], 9, "each pair has a subject with random weights."),
        (["too_few_listeners"], 9, "Ask more people: `mirpipe listening link 'a test'`."),
        (
            ["too_few_listeners"] * 10,
            5,
            "fewer than 5 listeners compared the same pair, and no pair was compared on more than "
            "5 targets. A verdict needs at least 5 listeners and 9 targets. Ask more people: "
            "`mirpipe listening link 'a test'`. If the test has fewer targets, create one with "
            "more.",
        ),
        (["too_few_listeners", "too_few_targets"], 2, "at least 5 listeners and 7 targets."),
        (["too_few_listeners"], 2, "and only 2 targets were compared. A verdict needs"),
        (["too_few_listeners", "random_weights"], 6, "compared the same pair. Ask more people: "),
        ([], 0, "nobody compared two subjects on the same target yet."),
    ],
)
def test_an_answer_without_a_tested_preference_says_why(
    reasons: list[str], targets_n: int, sentence: str
) -> None:
    compared = [comparison(reason=reason, n=targets_n) for reason in reasons]
    (answer, _) = listening_answer(results_with(criterion_with(compared)))
    assert "No preference is tested, because" in answer
    assert sentence in answer


def test_the_targets_of_pairs_with_random_weights_do_not_count() -> None:
    few = comparison(reason="too_few_listeners", n=2)
    random = comparison(reason="random_weights", n=9)
    (answer, _) = listening_answer(results_with(criterion_with([few, random])))
    assert "only 2 targets were compared. A verdict needs at least 5 listeners and 6" in answer


def test_tested_comparisons_without_a_preference_are_counted() -> None:
    compared = [comparison(), comparison(reason="too_few_targets", n=2)]
    (answer, _) = listening_answer(results_with(criterion_with(compared)))
    assert "No preference of the listeners is established in 1 tested comparison." in answer


def test_a_win_rate_is_not_called_a_share_of_the_votes() -> None:
    preferred = criterion_with([comparison(established=True, win_rate=0.1)])
    found = results_with(preferred, replace(preferred, criterion="quality"))
    first, second, explanation, *_ = listening_answer(found)
    for sentence in (first, second):
        assert "prefer b to a (win rate 90%)." in sentence
        assert "of the votes" not in sentence
    assert explanation == (
        "A win rate is the share of votes, with half of the votes for neither, as a mean over "
        "targets."
    )


@pytest.mark.parametrize(
    ("low", "printed"),
    [
        (0.6, "74% [60%, 93%]"),
        (0.505001, "74% [51%, 93%]"),
        (0.503, "74.0% [50.3%, 92.9%]"),
        (0.5001, "74.00% [50.01%, 92.90%]"),
    ],
)
def test_a_limit_above_chance_is_not_rounded_to_chance(low: float, printed: str) -> None:
    prediction = VotePrediction(9, 9, 0.74, low, 0.929, None, None, None, None)
    criterion = replace(criterion_with([]), metrics=[MetricResult("m", prediction, False)])
    answer = listening_answer(results_with(criterion))[-1]
    assert "1 of 1 metric predicts the votes better than chance" in answer
    assert f"in {printed} of the votes." in answer


def test_metrics_of_equal_accuracy_are_all_named() -> None:
    better = VotePrediction(9, 9, 0.74, 0.6, 0.9, None, None, None, None)
    chance = VotePrediction(12, 9, 0.6, 0.4, 0.7, None, None, None, None)
    metrics = [
        MetricResult("aligned_melody", better, False),
        MetricResult("melody_accuracy", replace(better, questions_n=12), False),
        MetricResult("z", chance, False),
    ]
    criterion = replace(criterion_with([]), metrics=metrics)
    answer = listening_answer(results_with(criterion))[-1]
    assert (
        "aligned melody and melody accuracy of all pairs have the same, highest accuracy" in answer
    )
    assert answer.endswith("The metrics have values for different questions.")
    how = choice_sentences(results_with(criterion), criterion)
    assert how.startswith(
        "To make aligned melody or melody accuracy of all pairs the primary metric, set "
    )
    unproven = replace(criterion, metrics=metrics[2:])
    assert "set" not in choice_sentences(results_with(unproven), unproven)


def test_a_setting_with_a_space_is_quoted_for_the_shell() -> None:
    prediction = VotePrediction(9, 9, 0.74, 0.6, 0.9, None, None, None, None)
    metrics = [MetricResult("cosine musicnn", prediction, False)]
    criterion = replace(criterion_with([]), metrics=metrics)
    sentences = choice_sentences(replace(results_with(criterion), kind="clips"), criterion)
    assert "set MIRPIPE_PRIMARY_GENERATION_METRIC='cosine musicnn'." in sentences


@pytest.mark.parametrize(("rate", "printed"), [(0.504, "50.4%"), (0.4962, "50.4%"), (0.6, "60%")])
def test_a_preferred_win_rate_is_not_rounded_to_chance(rate: float, printed: str) -> None:
    preferred = criterion_with([comparison(established=True, win_rate=rate)])
    assert f"(win rate {printed})" in listening_answer(results_with(preferred))[0]


def test_the_remark_says_over_what_each_interval_is_and_why_one_is_missing() -> None:
    strength, rating = STRENGTHS_REMARK.split("; ")
    assert "interval over listeners, from 5 listeners on" in strength
    assert "mean rating" in rating
    assert "interval over targets" in rating
    assert "missing with fewer than 5 targets, or if the mean is the same" in rating


def comparison(**changes: Any) -> SubjectComparison:
    fields: dict[str, Any] = {"n": 9, "preferred_n": 5, "win_rate": 0.5, "low": None, "high": None}
    fields |= {"p_adjusted": None, "reason": None, "established": False}
    return SubjectComparison("a", "b", **(fields | changes))


def test_the_table_says_on_how_many_targets_the_votes_prefer_one_of_the_two() -> None:
    few = comparison(n=6, preferred_n=4, reason="too_few_targets")
    assert verdict_words(few) == "too few targets with a preference (4 of 6)"
    assert verdict_words(replace(few, reason="too_few_listeners")) == "too few listeners"


def criterion_with(comparisons: list[SubjectComparison]) -> CriterionResult:
    agreement = Agreement(0, None, None, None, "no_question")
    return CriterionResult("similarity", 7, [], comparisons, agreement, [], [])


def results_with(*criteria: CriterionResult) -> ListeningResults:
    numbers = {"listeners_n": 4, "left_out_n": 0, "controls_n": 6, "controls_passed_n": 6}
    return ListeningResults(
        name="a test",
        kind="clips" if len(criteria) > 1 else "answers",
        run_id=1,
        order="balanced",
        min_controls=0.7,
        repeats_n=0,
        repeats_equal_n=0,
        left_share=None,
        criteria=list(criteria),
        **numbers,
    )


def test_one_vote_does_not_connect_three_subjects(library: Database) -> None:
    run("create", "--controls", "0")
    (token,) = links("answers-run1", 1)
    vote_all(library, token, STRENGTHS, seed=1, stop_after=1)
    (criterion,) = results()["criteria"]
    assert len(criterion["subjects"]) == 2
    assert {s["reason"] for s in criterion["subjects"]} == {"too_few_listeners"}


def vote(listener: int, answer: int, **changes: Any) -> Vote:
    fields: dict[str, Any] = {
        "question_id": 1,
        "criterion": "similarity",
        "control": None,
        "target_id": 1,
        "first_id": 1,
        "second_id": 2,
        "first_subject": None,
        "second_subject": None,
        "is_swapped": False,
        "is_repeat": False,
    }
    return Vote(listener=listener, answer=answer, **(fields | changes))


@pytest.mark.parametrize("best", ["a", "m", "z"])
def test_agreement_does_not_depend_on_the_names_of_the_subjects(best: str) -> None:
    random = np.random.default_rng(1)
    votes = []
    for question, other in enumerate(["b", "n"] * 20):
        answers = random.choice([1, 0], p=[0.9, 0.1], size=6).tolist()
        sign = 1 if best < other else -1  # The first subject is the first one in the alphabet.
        votes += [
            vote(who, sign * each, question_id=question, target_id=question)
            for who, each in enumerate(answers)
        ]
    found = agreement_of(votes)
    assert found.alpha == pytest.approx(0.88, abs=0.03)
    assert agreement_of([replace(each, answer=1) for each in votes]).alpha == 1.0


def test_a_question_on_two_sheets_is_one_question_for_the_agreement() -> None:
    votes = [vote(who, 1 if who < 3 else -1, question_id=who % 2) for who in range(4)]
    together = [replace(each, question_id=1) for each in votes]
    assert agreement_of(votes) == agreement_of(together)
    assert agreement_of(votes).questions_n == 1


@pytest.mark.parametrize(
    ("control", "second_id", "answer", "counts"),
    [
        ("copy", 2, 1, True),
        ("copy", 2, 0, False),
        ("copy", 2, -1, False),
        ("copy", None, 4, True),
        ("copy", None, 3, False),
        ("random", None, 3, True),
        ("random", None, 4, False),
    ],
)
def test_a_listener_counts_only_with_the_expected_answers_to_controls(
    control: str, second_id: int | None, answer: int, counts: bool
) -> None:
    votes = [vote(1, 1), vote(1, answer, question_id=2, control=control, second_id=second_id)]
    found = count_votes(votes, 0.7)
    assert (len(found.first_answers), found.left_out_n) == ((1, 0) if counts else (0, 1))
    assert count_votes(votes[:1], 0.7).left_out_n == 0
