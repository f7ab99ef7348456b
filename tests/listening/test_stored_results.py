"""Stored results of listening tests: what readers see of votes, and when they are computed."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db.queries.listening_tests import ListeningTest, listening_test
from mirpipe.db.store import listening_tests as store
from mirpipe.listening.create_links import create_tokens
from mirpipe.listening.create_test import ListeningOptions, create_test
from mirpipe.listening.result_sentences import listening_answer
from mirpipe.listening.results import ListeningResults, listening_results
from mirpipe.listening.stored_results import compute_results, stored_results, update_results
from mirpipe.stages.report import report
from tests.listening.test_results import STRENGTHS
from tests.listening.voters import vote_all
from tests.support.databases import Database, require_refused

NAME = "test"


@pytest.fixture
def tokens(library: Database) -> list[str]:
    """Return the links of a listening test with eight listeners: six have voted."""
    test = create_test(NAME, None, ListeningOptions("answers", questions=12), seed=1)
    created = create_tokens(test, 8)
    for number, token in enumerate(created[:6]):
        vote_all(library, token, STRENGTHS, seed=number)
    return created


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_command_stores_what_it_prints(library: Database, tokens: list[str]) -> None:
    assert stored_results(listening_test(NAME)) is None
    printed = CliRunner().invoke(app, ["listening", "results", NAME, "--json"]).stdout
    stored = stored_results(listening_test(NAME))
    assert stored is not None
    assert json.loads(json.dumps(asdict(stored))) == json.loads(printed)


def test_a_report_computes_results_of_new_and_of_withdrawn_votes(
    library: Database, tokens: list[str]
) -> None:
    report(trigger="test")
    assert listening_test(NAME).is_current
    assert listening_test(NAME).computed_votes_n == 6 * 18
    assert update_results() == 0
    vote_all(library, tokens[6], STRENGTHS, seed=6)
    assert not listening_test(NAME).is_current
    assert update_results() == 1
    assert listening_test(NAME).is_current
    for token in tokens[:6]:
        withdraw(library, token)
    assert stored_results(listening_test(NAME)) is None
    report(trigger="test")
    results = stored_results(listening_test(NAME))
    assert results is not None
    assert results.listeners_n == 1
    withdraw(library, tokens[6])
    assert stored_results(listening_test(NAME)) is None
    report(trigger="test")
    assert stored_results(listening_test(NAME)) is None


def test_votes_that_are_withdrawn_while_results_are_computed_are_not_in_them(
    library: Database, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tokens[:2]

    def compute_slowly(test: ListeningTest) -> ListeningResults:
        results = listening_results(test)
        if left:
            withdraw(library, left.pop())
        return results

    monkeypatch.setattr("mirpipe.listening.stored_results.listening_results", compute_slowly)
    results = compute_results(listening_test(NAME))
    assert results.listeners_n == 4
    assert stored_results(listening_test(NAME)) == results
    assert listening_test(NAME).is_current


def test_a_withdrawal_during_the_storing_of_results_deletes_them(
    library: Database, tokens: list[str]
) -> None:
    with ThreadPoolExecutor(1) as other, library.app.connect() as connection:
        store.keep_out_withdrawals(connection)
        withdrawal = other.submit(withdraw, library, tokens[0])
        with pytest.raises(TimeoutError):
            withdrawal.result(timeout=1)
        store.write_results(
            connection, 1, {"criteria": []}, votes_n=1, last_vote_at=None, computed_run=1
        )
        connection.commit()
        withdrawal.result(timeout=60)
    assert rows(library, "TABLE mirpipe.listening_result") == []


def withdraw(database: Database, token: str) -> None:
    with database.listener.begin() as connection:
        connection.execute(text("SELECT mirpipe.listener_withdraw(:t)"), {"t": token})


def test_the_next_report_computes_results_that_a_killed_report_did_not(
    library: Database, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compute_results(listening_test(NAME))
    with monkeypatch.context() as killed:
        killed.setattr("mirpipe.stages.report.publish_run.update_results", lambda: sys.exit(1))
        with pytest.raises(SystemExit):
            report(trigger="test")
    old = listening_test(NAME)
    assert old.computed_run != old.latest_run
    assert not report(trigger="test").changed
    new = listening_test(NAME)
    assert new.computed_run == new.latest_run == old.latest_run
    assert update_results() == 0


def test_votes_on_targets_are_left_out_until_five_listeners_count(library: Database) -> None:
    test = create_test(NAME, None, ListeningOptions("answers", questions=12), seed=1)
    created = create_tokens(test, 5)
    for number, token in enumerate(created[:4]):
        vote_all(library, token, STRENGTHS, seed=number)
    (criterion,) = compute_results(listening_test(NAME)).criteria
    assert criterion.votes_n == 4 * 12
    assert criterion.targets == []
    vote_all(library, created[4], STRENGTHS, seed=4)
    (criterion,) = compute_results(listening_test(NAME)).criteria
    assert sum(t.first_n + t.second_n + t.neither_n for t in criterion.targets) == 5 * 12


def test_readers_see_sums_but_no_vote_and_no_token(library: Database, tokens: list[str]) -> None:
    results = compute_results(listening_test(NAME))
    for table in ("vote", "listener"):
        require_refused(library.reader, f"TABLE mirpipe.{table}")
    (counts,) = rows(
        library,
        "SELECT test, links_n, listeners_n, votes_n, is_current FROM mirpipe.v_listening_test",
    )
    assert counts == (NAME, 8, 6, 6 * 18, True)
    strengths = rows(
        library,
        "SELECT subject, wins_n, log_strength, low FROM mirpipe.v_listening_strength "
        "WHERE criterion = 'similarity' ORDER BY log_strength DESC",
    )
    subjects = results.criteria[0].subjects
    assert strengths == [(s.subject, s.wins_n, s.log_strength, s.low) for s in subjects]
    metrics = rows(library, "SELECT metric, accuracy, reason FROM mirpipe.v_listening_metric")
    assert metrics == [
        (m.metric, m.prediction.accuracy, m.prediction.reason) for m in results.criteria[0].metrics
    ]


def test_the_answer_names_established_preferences_and_the_best_metric(
    library: Database, tokens: list[str]
) -> None:
    answer = listening_answer(compute_results(listening_test(NAME)))
    assert len(answer) == 3
    assert answer[0].startswith(
        "Which is more similar to the target? The listeners of this test prefer clap to "
    )
    assert "mean over targets" in answer[1]
    assert "No metric is proven" in answer[2]
    printed = CliRunner().invoke(app, ["listening", "results", NAME]).stdout
    assert " ".join(printed.split()).startswith(" ".join(answer))


def test_results_of_another_version_count_as_missing(library: Database, tokens: list[str]) -> None:
    compute_results(listening_test(NAME))
    with library.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.listening_result SET results = '{\"a\": 1}'"))
    assert stored_results(listening_test(NAME)) is None
    report(trigger="test")
    assert stored_results(listening_test(NAME)) is not None
