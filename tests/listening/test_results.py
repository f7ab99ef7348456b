"""The results of listening tests, from simulated listeners with known preferences."""

import json
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.db.queries.listening_votes import Vote
from mirpipe.db.store import embeddings
from mirpipe.listening.controls import count_votes
from tests.dashboard.example_clips import unit_vector
from tests.listening.voters import vote_all
from tests.support.databases import Database

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
            connection.execute(
                text(
                    "WITH m AS (INSERT INTO mirpipe.metric (name, revision, spec) "
                    "VALUES (:name, '1', '{\"axis\": \"x\"}') RETURNING metric_id) "
                    "INSERT INTO mirpipe.track_score (metric_id, track_id, value) "
                    "SELECT metric_id, t.track_id, :sign * coalesce(b.level, 0) "
                    "FROM m, mirpipe.track t LEFT JOIN (SELECT reference_id, avg(CASE encoder "
                    "WHEN 'clap' THEN 1 WHEN 'signal' THEN -1 ELSE 0 END) AS level "
                    "FROM mirpipe.best_match GROUP BY 1) b ON b.reference_id = t.track_id"
                ),
                {"name": name, "sign": sign},
            )
        _write_vectors(connection, "clap")
    metrics = {m["metric"]: m["prediction"] for m in results()["criteria"][0]["metrics"]}
    right, wrong = metrics["right"], metrics["wrong"]
    assert right["low"] > 0.5 > wrong["high"]
    assert right["accuracy"] == pytest.approx(1 - wrong["accuracy"])
    assert right["correlation"] == pytest.approx(-wrong["correlation"])
    assert metrics.keys() == {"right", "wrong", "cosine clap", "melody_accuracy"}
    printed = run("results", "answers-run1").stdout
    assert "How well metrics predict the votes" in printed
    assert "later runs only" in " ".join(printed.split())


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
    assert {c["reason"] for c in criterion["comparisons"]} == {"too_few_targets"}
    assert "too few listeners" in " ".join(run("results", "answers-run1").stdout.split())


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
