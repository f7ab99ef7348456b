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
    last_vote_at: datetime | None
    """Time of the last vote. None if there is none."""
    computed_at: datetime | None
    """Time at which the results were last computed. None if they never were."""
    computed_votes_n: int | None
    """Number of votes from which the results were last computed."""
    is_current: bool
    """Whether the results were computed from all present votes."""
    computed_run: int | None
    """Latest run when the results were last computed."""
    latest_run: int

    @property
    def order(self) -> str:
        """How the questions are ordered: balanced or adaptive."""
        return str(self.options.get("order", "balanced"))


@dataclass(frozen=True)
class _StoredResults:
    results: dict[str, Any]


_TESTS = text("""
    SELECT t.*, q.*, v.links_n, v.listeners_n, v.complete_n, v.votes_n, v.asked_n, v.last_vote_at,
        v.computed_at, v.computed_votes_n, v.is_current, r.computed_run,
        (SELECT max(run_id) FROM mirpipe.run) AS latest_run
    FROM mirpipe.listening_test t JOIN mirpipe.v_listening_test v USING (listening_test_id)
    LEFT JOIN mirpipe.listening_result r USING (listening_test_id)
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE control IS NULL) AS questions_n, count(control) AS controls_n
        FROM mirpipe.listening_question q
        WHERE q.listening_test_id = t.listening_test_id AND q.sheet = 0) q
    WHERE CAST(:name AS text) IS NULL OR t.name = :name
    ORDER BY t.listening_test_id DESC
""")
_RESULTS = text("""
    SELECT results FROM mirpipe.listening_result WHERE listening_test_id = :test_id
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


def stored_results(listening_test_id: int) -> dict[str, Any] | None:
    """Return the results of a test as they were last computed, or None if they never were."""
    for row in read_rows(_StoredResults, _RESULTS, test_id=listening_test_id):
        return row.results
    return None
