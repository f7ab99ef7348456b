"""The listening tests, and how many people have answered them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.errors import ConfigurationError


@dataclass(frozen=True)
class ListeningTest:
    """A listening test, with the number of its listeners and votes."""

    listening_test_id: int
    name: str
    kind: str
    """answers, clips or rating."""
    run_id: int
    seed: int
    options: dict[str, Any]
    """Options of the command that created the test."""
    sheets: int
    """Number of sheets. A listener gets the questions of one sheet."""
    excerpt_seconds: float
    min_controls: float
    """Share of the answered controls that a listener must pass for the votes to count."""
    consent: str
    created_at: datetime
    questions_n: int
    """Number of questions on a sheet, without controls."""
    controls_n: int
    """Number of controls on a sheet."""
    links_n: int
    """Number of listeners who have a link and have not withdrawn."""
    listeners_n: int
    """Number of listeners who have consented."""
    complete_n: int
    """Number of listeners who have answered all questions."""
    votes_n: int
    asked_n: int
    """Number of votes that all listeners with a link can give."""


_TESTS = text("""
    SELECT t.*, q.*, coalesce(links_n, 0) AS links_n, coalesce(listeners_n, 0) AS listeners_n,
        coalesce(complete_n, 0) AS complete_n, coalesce(votes_n, 0) AS votes_n,
        coalesce(asked_n, 0) AS asked_n
    FROM mirpipe.listening_test t
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE control IS NULL) AS questions_n, count(control) AS controls_n
        FROM mirpipe.listening_question q
        WHERE q.listening_test_id = t.listening_test_id AND q.sheet = 0) q
    LEFT JOIN (
        SELECT listening_test_id, count(*) AS links_n, count(consented_at) AS listeners_n,
            count(*) FILTER (WHERE votes_n = asked_n) AS complete_n,
            CAST(sum(votes_n) AS bigint) AS votes_n, CAST(sum(asked_n) AS bigint) AS asked_n
        FROM mirpipe.listener
        JOIN (SELECT listener_id, count(answer) AS votes_n, count(*) AS asked_n
            FROM mirpipe.vote GROUP BY listener_id) v USING (listener_id)
        GROUP BY listening_test_id) l USING (listening_test_id)
    WHERE CAST(:name AS text) IS NULL OR t.name = :name
    ORDER BY t.listening_test_id DESC
""")


def listening_tests() -> list[ListeningTest]:
    """Return all listening tests, newest first."""
    return read_rows(ListeningTest, _TESTS, name=None)


def listening_test(name: str) -> ListeningTest:
    """Return the listening test with this name. Raises ConfigurationError if there is none."""
    for test in read_rows(ListeningTest, _TESTS, name=name):
        return test
    raise ConfigurationError(
        f"There is no listening test {name!r}. `mirpipe listening list` shows all tests."
    )
