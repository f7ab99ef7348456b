"""Writes a small listening test with one listener to the tables."""

from hashlib import sha256

from sqlalchemy import text

from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

TOKEN = "token of the first listener"
OTHER_TOKEN = "token of the second listener"

_ROWS = """
    INSERT INTO run (run_id, trigger, state_digest, library) OVERRIDING SYSTEM VALUE
    VALUES (1, 'test', '', '{}');
    INSERT INTO listening_test (listening_test_id, name, kind, run_id, seed, options, sheets,
        excerpt_seconds, min_controls, consent) OVERRIDING SYSTEM VALUE
    VALUES (1, 'first', 'answers', 1, 0, '{}', 1, 0.5, 0.5, 'Do you agree?');
    INSERT INTO listening_question (question_id, listening_test_id, sheet, number, criterion,
        target_id, first_id, second_id, first_subject, second_subject) OVERRIDING SYSTEM VALUE
    SELECT q.id, 1, 0, q.id, q.criterion, t.track_id, a.track_id, b.track_id, 'one',
        CASE WHEN b.track_id IS NOT NULL THEN 'two' END
    FROM (VALUES (1, 'similarity', 'r2'), (2, 'quality', 'r2'), (3, 'similarity', NULL))
        q (id, criterion, second)
    JOIN track t ON t.title = 't1' JOIN track a ON a.title = 'r1'
    LEFT JOIN track b ON b.title = q.second;
"""
_LISTENER = text("""
    WITH listener AS (
        INSERT INTO mirpipe.listener (listening_test_id, number, token_sha256)
        VALUES (1, :number, :hash) RETURNING listener_id)
    INSERT INTO mirpipe.vote (listener_id, position, question_id, is_swapped)
    SELECT listener_id, position, question_id, is_swapped
    FROM listener, (VALUES (0, 1, false), (1, 1, true), (2, 2, false), (3, 3, false))
        q (position, question_id, is_swapped)
""")


def add_listening_test(database: Database) -> None:
    """Write a test with two listeners, who get the same four questions.

    The questions are: two tracks by similarity, the same again with other sides, two tracks by
    quality, and one track to rate.
    """
    library = SyntheticLibrary(database.app)
    for collection, name in (("target", "t1"), ("reference", "r1"), ("reference", "r2")):
        library.add(collection, name)
    for statement in _ROWS.split(";")[:-1]:
        library.execute(statement)
    with database.app.begin() as connection:
        for number, token in enumerate((TOKEN, OTHER_TOKEN)):
            values = {"number": number, "hash": sha256(token.encode()).digest()}
            connection.execute(_LISTENER, values)
