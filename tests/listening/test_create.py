"""Creating listening tests and links: what is stored, and that commands can be repeated."""

import json
import shlex
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.db.store import listening_tests as store
from mirpipe.db.store.shown_clips import publish_clips
from tests.listening.conftest import TARGETS, remove_matches
from tests.support.databases import Database


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["listening", *arguments])


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.app.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def tables(database: Database) -> list[list[tuple[Any, ...]]]:
    return [
        rows(database, f"TABLE mirpipe.{table}")
        for table in ("listening_test", "listening_question", "listener", "vote")
    ]


def test_a_test_of_answers_compares_the_best_matches_of_the_run(library: Database) -> None:
    result = run("create", "--questions", "6")
    assert result.exit_code == 0, result.output
    assert "answers-run1: 6 questions, 3 controls and 3 repeats for each person" in result.stdout
    questions = rows(
        library,
        "SELECT q.first_id = a.reference_id AND q.second_id = b.reference_id "
        "FROM mirpipe.listening_question q "
        "JOIN mirpipe.best_match a ON (a.encoder, a.target_id) = (first_subject, q.target_id) "
        "JOIN mirpipe.best_match b ON (b.encoder, b.target_id) = (second_subject, q.target_id)",
    )
    main = rows(library, "TABLE mirpipe.listening_question")
    assert questions
    assert set(questions) == {(True,)}
    assert len(questions) == sum(row[5] is None for row in main)


def test_a_control_compares_the_target_with_a_reference_that_is_no_match(
    library: Database,
) -> None:
    run("create", "--controls", "2")
    controls = rows(
        library,
        "SELECT q.first_id = q.target_id, r.collection, EXISTS (SELECT FROM "
        "mirpipe.served_neighbour n WHERE (n.target_id, reference_id) = (q.target_id, second_id)) "
        "FROM mirpipe.listening_question q JOIN mirpipe.track r ON r.track_id = q.second_id "
        "WHERE q.control IS NOT NULL AND sheet = 0",
    )
    assert controls == [(True, "reference", False)] * 2


def test_a_control_of_an_earlier_run_is_no_match_of_that_run(library: Database) -> None:
    with library.owner.begin() as connection:
        _add_run(connection)
        # No match of run 1 is one of run 2, and each reference that is left is one now.
        connection.execute(text("UPDATE mirpipe.served_neighbour SET to_run = 2"))
        connection.execute(
            text(
                "INSERT INTO mirpipe.served_neighbour (encoder_id, target_id, rank, counted_rank, "
                "reference_id, cosine, from_run) SELECT e.encoder_id, t.track_id, "
                "1000 + r.track_id, 1000 + r.track_id, r.track_id, 0, 2 "
                "FROM (SELECT min(encoder_id) AS encoder_id FROM mirpipe.encoder) e, "
                "mirpipe.track t, mirpipe.track r WHERE t.collection = 'target' "
                "AND r.collection = 'reference' AND NOT EXISTS (SELECT "
                "FROM mirpipe.served_neighbour n WHERE (n.target_id, n.reference_id) "
                "= (t.track_id, r.track_id))"
            )
        )
    assert run("create", "1", "--controls", str(TARGETS)).exit_code == 0
    controls = rows(
        library,
        "SELECT DISTINCT target_id, EXISTS (SELECT FROM mirpipe.served_neighbour n WHERE "
        "(n.target_id, n.reference_id, from_run) = (q.target_id, second_id, 1)) "
        "FROM mirpipe.listening_question q WHERE control IS NOT NULL",
    )
    assert [is_match for _, is_match in controls] == [False] * TARGETS


def _match_everything(library: Database, *, but: int) -> None:
    """Make all references matches of all targets but some."""
    with library.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.served_neighbour (encoder_id, target_id, rank, counted_rank, "
                "reference_id, cosine, from_run) "
                "SELECT e.encoder_id, t.track_id, 1000 + r.track_id, 1000 + r.track_id, "
                "r.track_id, 0, 1 "
                "FROM (SELECT min(encoder_id) AS encoder_id FROM mirpipe.encoder) e, "
                "(SELECT track_id FROM mirpipe.track WHERE collection = 'target' "
                "ORDER BY track_id LIMIT :n) t, mirpipe.track r WHERE r.collection = 'reference'"
            ),
            {"n": TARGETS - but},
        )


@pytest.mark.parametrize(("left", "controls_n"), [(4, 3), (2, 2), (0, 0)])
def test_targets_that_cannot_be_controls_are_replaced_and_missing_controls_are_named(
    library: Database, left: int, controls_n: int
) -> None:
    _match_everything(library, but=left)
    result = run("create", "--questions", "6", "--controls", "3")
    assert result.exit_code == 0, result.output
    query = (
        "SELECT count(DISTINCT target_id) FROM mirpipe.listening_question "
        "WHERE control IS NOT NULL AND sheet = 0"
    )
    assert rows(library, query) == [(controls_n,)]
    assert f"{controls_n} controls and" in result.stdout
    warned = " ".join(result.stderr.split())
    assert (f"Only {controls_n} of 3 controls" in warned) == (left < 3)
    assert ("nobody is left out" in warned) == (left == 0)


@pytest.mark.parametrize("kind", ["answers", "rating"])
def test_too_few_controls_to_detect_a_habit_of_one_side_are_named(
    library: Database, kind: str
) -> None:
    for controls in range(3):
        chosen = ("--name", str(controls), "--controls", str(controls), "--questions", "6")
        warned = run("create", "--kind", kind, *chosen).stderr
        is_named = "always choose the same side" in warned
        assert is_named == (kind == "answers" and controls < 2)
        assert ("Use at least 2 --controls." in warned) == is_named
    _match_everything(library, but=1)
    warned = run("create", "--kind", kind, "--name", "few", "--questions", "6").stderr
    assert "Only 1 of 3 controls could be made" in warned
    assert ("always choose the same side" in warned) == (kind == "answers")
    assert "Use at least" not in warned


@pytest.mark.parametrize("kind", ["answers", "rating"])
def test_each_target_has_one_control_so_more_need_more_targets(
    library: Database, kind: str
) -> None:
    warned = run("create", "--kind", kind, "--questions", "6", "--controls", "20").stderr
    assert (
        f"Only {TARGETS} of 20 controls could be made, one for each of the {TARGETS} targets with "
        "answers. To get more, add targets and run again." in warned
    )
    assert "reference" not in warned
    assert "questions could be made" not in warned


def test_references_and_targets_can_both_be_too_few_for_the_controls(library: Database) -> None:
    _match_everything(library, but=4)
    warned = run("create", "--questions", "6", "--controls", "20").stderr
    assert "Only 4 of 20 controls" in warned
    assert "every reference is a match of the other targets" in warned
    assert "Use a library with more references and targets." in warned


def _give_equal_matches(library: Database, first: str, second: str, *, but: int) -> None:
    """Give an encoder the best matches of another one for all targets but some."""
    changed = (
        "n.encoder_id = (SELECT encoder_id FROM mirpipe.encoder WHERE name = :first) "
        "AND n.target_id IN (SELECT track_id FROM mirpipe.track WHERE collection = 'target' "
        "ORDER BY track_id LIMIT :n)"
    )
    queries = (
        "DELETE FROM mirpipe.served_neighbour n WHERE n.counted_rank <> 1 AND ",
        "UPDATE mirpipe.served_neighbour n SET reference_id = o.reference_id "
        "FROM mirpipe.served_neighbour o JOIN mirpipe.encoder e USING (encoder_id) "
        "WHERE e.name = :second AND o.counted_rank = 1 AND o.target_id = n.target_id AND ",
    )
    values = {"first": first, "second": second, "n": TARGETS - but}
    with library.owner.begin() as connection:
        for query in queries:
            connection.execute(text(query + changed), values)


def test_the_pair_with_the_fewest_different_answers_is_named(library: Database) -> None:
    _give_equal_matches(library, "musicnn", "signal", but=2)
    arguments = ("create", "--controls", "0", "--subject", "musicnn", "--subject", "signal")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    expected = (
        "Only 2 of 24 questions could be made: musicnn and signal have different answers for 2 of "
        f"{TARGETS} targets only. A verdict needs at least 6 targets."
    )
    assert expected in result.stderr
    assert run(*arguments).stderr == result.stderr
    three = run("create", "--controls", "0", "--name", "three").stderr
    assert "Only 6 of 24 questions could be made: musicnn and signal have" in three
    assert "A verdict needs at least 7 targets." in three
    adaptive = run("create", "--controls", "0", "--name", "adaptive", "--order", "adaptive").stderr
    assert "Only 6 of 24 questions could be made" in adaptive


@pytest.mark.parametrize(("questions", "is_short"), [(12, False), (24, True)])
def test_enough_targets_for_a_verdict_are_not_called_too_few(
    library: Database, questions: int, is_short: bool
) -> None:
    chosen = ("--subject", "clap", "--subject", "signal")
    warned = run("create", "--questions", str(questions), *chosen).stderr
    assert (f"there are only {TARGETS} targets with answers." in warned) == is_short
    assert "A verdict needs" not in warned


@pytest.mark.parametrize("kind", ["answers", "rating"])
def test_too_few_targets_for_a_verdict_are_named_if_no_question_is_missing(
    library: Database, kind: str
) -> None:
    remove_matches(library, "clap", but=6)
    chosen = ["create", "--kind", kind, "--questions", "12"]
    chosen += ["--subject", "clap", "--subject", "signal", "--subject", "musicnn"]
    warned = run(*chosen).stderr
    assert "questions could be made" not in warned
    assert "Each pair is compared on only 6 targets: " in warned
    assert f"6 of {TARGETS} targets" in warned
    assert "A verdict needs at least 7 targets. Add targets and run again" in warned
    two = run(*chosen[:-2], "--name", "two").stderr
    assert "A verdict needs" not in two  # 6 targets are enough for one pair.


def test_the_people_that_a_verdict_needs_are_named_if_each_is_asked_about_few_targets(
    library: Database,
) -> None:
    warned = run("create", "--questions", "3").stderr
    assert (
        "Each person compares a pair on 1 target only, so a verdict needs at least 7 people, or "
        "more --questions for each." in warned
    )
    assert "people" not in run("create", "--questions", "6", "--name", "more").stderr


def test_targets_without_an_answer_of_each_subject_are_not_rated(library: Database) -> None:
    remove_matches(library, "clap", but=3)
    warned = run("create", "--kind", "rating", "--subject", "clap", "--subject", "signal").stderr
    assert (
        f"Only 6 of 24 questions could be made: only 3 of {TARGETS} targets have answers of all "
        "subjects. A verdict needs at least 6 targets." in warned
    )


@pytest.mark.parametrize("name", ["x y/../<b>", "it's", "$(touch a)"])
def test_the_next_command_can_be_pasted_into_a_shell(library: Database, name: str) -> None:
    printed = run("create", "--name", name, "--questions", "6").stderr.splitlines()[-1]
    words = shlex.split(printed.removeprefix("Next: "))
    assert words[:4] == ["mirpipe", "listening", "link", name]
    assert len(run(*words[2:]).stdout.split()) == 20


def test_a_name_that_looks_like_an_option_is_refused(library: Database) -> None:
    result = run("create", "--name", "-x")
    assert result.exit_code == 2
    assert "Choose another name" in " ".join(result.output.split())
    assert rows(library, "TABLE mirpipe.listening_test") == []


@pytest.mark.parametrize("name", ["", " \t"])
def test_an_empty_name_is_refused(library: Database, name: str) -> None:
    result = run("create", "--name", name)
    assert result.exit_code == 2
    assert "leave out --name" in " ".join(result.output.split())
    assert rows(library, "TABLE mirpipe.listening_test") == []


def test_a_test_of_clips_asks_for_similarity_and_quality(library: Database) -> None:
    result = run("create", "--kind", "clips")
    assert result.exit_code == 0, result.output
    query = "SELECT criterion, first_subject FROM mirpipe.listening_question WHERE control IS NULL"
    found = Counter(rows(library, query))
    assert {criterion for criterion, _ in found} == {"similarity", "quality"}
    assert {subject for _, subject in found} == {"model medium 3", "model simple 3"}
    seeds = "SELECT DISTINCT seed FROM mirpipe.generation JOIN mirpipe.listening_question ON "
    assert rows(library, seeds + "track_id IN (first_id, second_id)") == [(0,)]


def _add_run(connection: Connection) -> None:
    connection.execute(
        text("INSERT INTO mirpipe.run (trigger, state_digest, library) VALUES ('test', '2', '{}')")
    )


def test_a_test_of_clips_can_be_about_an_earlier_run(library: Database) -> None:
    with library.app.begin() as connection:
        publish_clips(connection, 1)
        _add_run(connection)
        connection.execute(text("DELETE FROM mirpipe.generation_wish WHERE mode = 'medium'"))
        publish_clips(connection, 2)
    query = """
        SELECT DISTINCT t.run_id, unnest(ARRAY[first_subject, second_subject])
        FROM mirpipe.listening_question JOIN mirpipe.listening_test t USING (listening_test_id)
        WHERE control IS NULL ORDER BY 1, 2
    """
    for number in ("1", "2"):
        assert run("create", number, "--kind", "clips").exit_code == 0
    earlier = ["model medium 3", "model simple 3", "model strong 5"]
    later = ["model simple 3", "model strong 5"]
    assert rows(library, query) == [(1, s) for s in earlier] + [(2, s) for s in later]
    valid = "SELECT count(*), count(to_run) FROM mirpipe.shown_clip"
    assert rows(library, valid) == [(TARGETS * 3 * 2, TARGETS * 2)]


def test_clips_that_are_newer_than_the_run_are_not_its_clips(library: Database) -> None:
    with library.owner.begin() as owner:
        owner.execute(text("UPDATE mirpipe.generation SET made_at = now() + interval '1 hour'"))
    result = run("create", "--kind", "clips")
    assert "of the run's answers, none can be played" in str(result.exception)
    with library.app.begin() as connection:
        publish_clips(connection, 1)
    assert run("create", "--kind", "clips").exit_code == 0


def test_clips_of_a_run_without_a_record_cannot_be_compared(library: Database) -> None:
    with library.app.begin() as connection:
        _add_run(connection)
        publish_clips(connection, 2)
    result = run("create", "1", "--kind", "clips")
    assert "The clips of run 1 are not recorded" in str(result.exception)
    assert "a run from 2 on" in str(result.exception)
    assert run("create", "1", "--kind", "answers").exit_code == 0


def test_a_rating_covers_matches_and_clips(library: Database) -> None:
    result = run("create", "--kind", "rating", "--subject", "clap", "--subject", "model simple 3")
    assert result.exit_code == 0, result.output
    query = "SELECT first_subject, count(*) FROM mirpipe.listening_question GROUP BY 1 ORDER BY 1"
    sizes = dict(rows(library, query))
    assert sizes["clap"] == sizes["model simple 3"] == TARGETS


def test_creating_the_same_test_again_changes_nothing(library: Database) -> None:
    run("create")
    before = tables(library)
    assert run("create").exit_code == 0
    assert tables(library) == before
    again = run("create", "--seed", "2")
    assert again.exit_code == 1
    assert "Choose another name" in str(again.exception)
    assert tables(library) == before


def test_a_command_that_is_killed_stores_nothing_and_can_run_again(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Simulates kill -9: nothing runs after the statement that raises this exception."""

    def killed_after(function: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any, **options: Any) -> None:
            function(*arguments, **options)
            raise Killed

        return call

    for command, function in (
        (("create",), "add_test"),
        (("link", "answers-run1"), "add_listener"),
    ):
        before = tables(library)
        with monkeypatch.context() as patch:
            patch.setattr(store, function, killed_after(getattr(store, function)))
            with pytest.raises(Killed):
                CliRunner().invoke(app, ["listening", *command])
        assert tables(library) == before
        assert run(*command).exit_code == 0
        assert tables(library) != before


def test_two_databases_draw_the_same_questions(library: Database) -> None:
    run("create", "--name", "one")
    run("create", "--name", "two")
    first, second = (
        rows(
            library,
            "SELECT sheet, number, control, target_id, first_id, second_id "
            f"FROM mirpipe.listening_question WHERE listening_test_id = {number} ORDER BY 1, 2",
        )
        for number in (1, 2)
    )
    assert first == second


def test_a_link_has_a_token_of_which_only_the_hash_is_stored(library: Database) -> None:
    run("create", "--questions", "6", "--repeats", "1", "--controls", "2")
    result = run("link", "answers-run1", "--count", "3", "--address", "https://vote.example/")
    assert result.exit_code == 0, result.output
    links = result.stdout.split()
    tokens = [link.removeprefix("https://vote.example/") for link in links]
    assert len(set(tokens)) == 3
    assert min(map(len, tokens)) == 32
    stored = rows(library, "SELECT token_sha256 FROM mirpipe.listener ORDER BY number")
    assert [bytes(row[0]) for row in stored] == [sha256(t.encode()).digest() for t in tokens]
    planned = rows(library, "SELECT listener_id, count(*) FROM mirpipe.vote GROUP BY 1 ORDER BY 1")
    assert [n for _, n in planned] == [6 + 2 + 1] * 3


def test_later_links_continue_with_the_next_sheet(library: Database) -> None:
    run("create", "--questions", "3")
    for _ in range(2):
        run("link", "answers-run1", "--count", "2")
    query = (
        "SELECT l.number, array_agg(DISTINCT sheet) FROM mirpipe.listener l "
        "JOIN mirpipe.vote USING (listener_id) JOIN mirpipe.listening_question USING (question_id) "
        "GROUP BY l.number ORDER BY l.number"
    )
    assert rows(library, query) == [(n, [n]) for n in range(4)]


def test_the_list_counts_links_listeners_and_votes(library: Database) -> None:
    run("create", "--questions", "3", "--repeats", "0", "--controls", "1")
    run("link", "answers-run1", "--count", "2")
    with library.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.listener SET consented_at = now()"))
        connection.execute(
            text(
                "UPDATE mirpipe.vote SET answer = 1, answered_at = now() WHERE listener_id = 1 "
                "OR position = 0"
            )
        )
    (listed,) = json.loads(run("list", "--json").stdout)
    counts = {name: n for name, n in listed.items() if name.endswith("_n")}
    sizes = {"questions_n": 3, "controls_n": 1}
    assert counts == sizes | {
        "links_n": 2,
        "listeners_n": 2,
        "complete_n": 1,
        "votes_n": 5,
        "asked_n": 8,
        "computed_votes_n": None,
    }
    assert "answers-run1" in run("list").stdout
    assert "5 of 8" in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "7"), "no run 7"),
        (("create", "--subject", "nobody"), "no answers of nobody"),
        (("create", "--subject", "clap"), "Name at least two with --subject. Run 1 has answers"),
        (("link", "nothing"), "no listening test 'nothing'"),
    ],
)
def test_errors_name_the_cause(library: Database, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in str(result.exception)
    assert rows(library, "TABLE mirpipe.listening_test") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "contains no text"),
        (b" \n\t\n", "contains no text"),
        (b"a\0b", "contains no text"),
        (b"\xff", "Cannot read"),
    ],
)
def test_a_consent_text_that_says_nothing_is_refused(
    library: Database, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "consent.txt"
    file.write_bytes(content)
    result = run("create", "--consent", str(file))
    assert result.exit_code == 2
    assert "--consent" in result.output
    assert message in " ".join(result.output.split())
    assert rows(library, "TABLE mirpipe.listening_test") == []


def test_without_a_run_there_is_no_test(fresh_database: Database) -> None:
    assert "There is no run yet" in str(run("create").exception)
