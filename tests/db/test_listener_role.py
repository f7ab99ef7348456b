"""The role listener: it can answer the questions of one token, and do nothing else."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.support.databases import Database, require_refused
from tests.support.listening_tests import OTHER_TOKEN, TOKEN, add_listening_test

_FUNCTIONS = {
    "listener_audio",
    "listener_consent",
    "listener_progress",
    "listener_question",
    "listener_vote",
    "listener_votes",
    "listener_withdraw",
}


@pytest.fixture
def database(fresh_database: Database) -> Database:
    add_listening_test(fresh_database)
    return fresh_database


def call(database: Database, function: str, *arguments: object) -> list[tuple[Any, ...]]:
    """Return the rows of one of the functions, called as the listener."""
    names = [f"a{number}" for number in range(len(arguments))]
    query = f"SELECT * FROM mirpipe.{function}({', '.join(f':{name}' for name in names)})"
    with database.listener.begin() as connection:
        parameters = dict(zip(names, arguments, strict=True))
        return [tuple(row) for row in connection.execute(text(query), parameters)]


def stored_answers(database: Database) -> list[int | None]:
    """Return the answers of the first listener, by position."""
    query = """
        SELECT answer FROM mirpipe.vote JOIN mirpipe.listener USING (listener_id)
        WHERE number = 0 ORDER BY position
    """
    with database.app.connect() as connection:
        return list(connection.execute(text(query)).scalars())


@pytest.mark.parametrize(
    "statement",
    [
        "TABLE mirpipe.track",
        "TABLE mirpipe.v_library",
        "TABLE mirpipe.listener",
        "UPDATE mirpipe.vote SET answer = 1",
        "DELETE FROM mirpipe.listener",
        "CREATE TABLE mirpipe.mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE FUNCTION mirpipe.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT mirpipe.run_at(now())",
        "SET ROLE mirpipe_app",
        "SELECT pg_read_file('/etc/hosts')",
    ],
)
def test_the_listener_can_use_no_table_and_create_nothing(
    database: Database, statement: str
) -> None:
    require_refused(database.listener, statement)


def test_only_the_functions_of_the_listener_run_with_other_privileges(database: Database) -> None:
    query = """
        SELECT p.proname FROM pg_proc p
        WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN ('mirpipe', 'public')
          AND has_function_privilege('mirpipe_listener', p.oid, 'EXECUTE')
    """
    fixed_path = """
        SELECT proname FROM pg_proc WHERE proname ~ '^listener_'
          AND proconfig = ARRAY['search_path=pg_catalog, mirpipe, pg_temp']
          AND NOT has_function_privilege('mirpipe_read', oid, 'EXECUTE')
    """
    with database.owner.connect() as connection:
        assert set(connection.execute(text(query)).scalars()) == _FUNCTIONS
        assert set(connection.execute(text(fixed_path)).scalars()) == _FUNCTIONS


def test_no_question_is_shown_and_no_vote_is_taken_before_consent(database: Database) -> None:
    assert call(database, "listener_progress", TOKEN) == [("answers", "Do you agree?", False, 0, 4)]
    assert call(database, "listener_question", TOKEN) == []
    assert call(database, "listener_audio", TOKEN, 0, "left") == []
    assert call(database, "listener_vote", TOKEN, 0, 1) == [(False,)]
    assert call(database, "listener_consent", TOKEN) == [(True,)]
    assert call(database, "listener_question", TOKEN) == [(0, "similarity", False, None)]
    assert call(database, "listener_vote", TOKEN, 0, 1) == [(True,)]
    assert stored_answers(database) == [1, None, None, None]


def test_an_answer_is_stored_for_the_tracks_and_shown_for_the_sides(database: Database) -> None:
    call(database, "listener_consent", TOKEN)
    paths = {
        (position, part): bytes(rows[0][0]).decode()
        for position in range(2)
        for part in ("target", "left", "right")
        if (rows := call(database, "listener_audio", TOKEN, position, part))
    }
    assert [paths[0, part] for part in ("target", "left", "right")] == ["t1", "r1", "r2"]
    assert [paths[1, part] for part in ("target", "left", "right")] == ["t1", "r2", "r1"]
    for position in range(2):  # Each time the left one.
        call(database, "listener_vote", TOKEN, position, 1)
    assert stored_answers(database) == [1, -1, None, None]
    votes = [(row[0], row[3]) for row in call(database, "listener_votes", TOKEN)]
    assert votes == [(0, 1), (1, 1)]
    assert call(database, "listener_question", TOKEN, 1) == [(1, "similarity", False, 1)]


def test_the_target_is_not_played_for_the_quality_and_a_rating_has_one_track(
    database: Database,
) -> None:
    call(database, "listener_consent", TOKEN)
    assert call(database, "listener_audio", TOKEN, 2, "target") == []
    assert call(database, "listener_audio", TOKEN, 3, "right") == []
    ((_, _, start, seconds),) = call(database, "listener_audio", TOKEN, 3, "left")
    assert (start, seconds) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("position", "answer", "is_stored"),
    [
        (0, -1, True),
        (0, 0, True),
        (0, 2, False),
        (3, 0, False),
        (3, 5, True),
        (3, 6, False),
        (4, 1, False),
        (-1, 1, False),
    ],
)
def test_only_answers_of_the_scale_are_stored(
    database: Database, position: int, answer: int, is_stored: bool
) -> None:
    call(database, "listener_consent", TOKEN)
    assert call(database, "listener_vote", TOKEN, position, answer) == [(is_stored,)]
    assert (stored_answers(database) != [None] * 4) == is_stored


def test_a_second_vote_on_a_question_replaces_the_first(database: Database) -> None:
    call(database, "listener_consent", TOKEN)
    for answer in (1, -1, -1):
        call(database, "listener_vote", TOKEN, 0, answer)
    assert stored_answers(database)[0] == -1
    assert call(database, "listener_progress", TOKEN)[0][3:] == (1, 4)


def test_a_token_reaches_only_its_own_votes(database: Database) -> None:
    for token in (TOKEN, OTHER_TOKEN):
        call(database, "listener_consent", token)
    call(database, "listener_vote", OTHER_TOKEN, 0, 1)
    assert stored_answers(database) == [None] * 4
    assert call(database, "listener_votes", TOKEN) == []
    assert call(database, "listener_vote", "", 0, 1) == [(False,)]
    assert call(database, "listener_progress", "unknown") == []


def test_withdrawing_deletes_the_stored_results_of_this_test_only(database: Database) -> None:
    with database.app.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO mirpipe.listening_test (listening_test_id, name, kind, run_id, seed,
                options, sheets, excerpt_seconds, min_controls, consent) OVERRIDING SYSTEM VALUE
            SELECT 2, 'second', kind, run_id, seed, options, sheets, excerpt_seconds, min_controls,
                consent FROM mirpipe.listening_test
        """)
        )
        connection.execute(
            text("""
            INSERT INTO mirpipe.listening_result (listening_test_id, votes_n, computed_run, results)
            SELECT listening_test_id, 1, run_id, '{}' FROM mirpipe.listening_test
        """)
        )
    call(database, "listener_withdraw", "unknown")
    assert listening_tests_with_results(database) == [1, 2]
    call(database, "listener_withdraw", TOKEN)
    assert listening_tests_with_results(database) == [2]


def listening_tests_with_results(database: Database) -> list[int]:
    query = "SELECT listening_test_id FROM mirpipe.listening_result ORDER BY 1"
    with database.reader.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def test_withdrawing_deletes_the_votes_and_the_token(database: Database) -> None:
    for token in (TOKEN, OTHER_TOKEN):
        call(database, "listener_consent", token)
        call(database, "listener_vote", token, 0, 1)
    assert call(database, "listener_withdraw", TOKEN) == [(True,)]
    assert call(database, "listener_withdraw", TOKEN) == [(False,)]
    assert call(database, "listener_progress", TOKEN) == []
    assert stored_answers(database) == []
    assert len(call(database, "listener_votes", OTHER_TOKEN)) == 1
