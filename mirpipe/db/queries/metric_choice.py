"""Whether votes on the same targets may have chosen the primary metric.

Choosing a metric by votes and then testing on the same targets uses the same data twice, so the
results look better than on other targets. No table says why a metric was chosen. Only a metric that
became primary after the first votes can be chosen by them.
"""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.sentence_parts import counted
from mirpipe.records import Task

_KINDS: dict[Task, str] = {"retrieval": "answers", "generation": "clips"}
"""Kind of listening test whose results compare metrics for a task. A rating does so for both."""


@dataclass(frozen=True)
class _AskedTargets:
    """Targets of the listening tests whose votes are older than the choice of the metric."""

    tests: list[str]
    asked_n: int
    targets_n: int
    """Number of all targets in the library."""


# A run whose metric is unknown counts as one with the metric, so only a known change is a choice.
_ASKED = {
    task: text(f"""
        WITH choice AS (
            SELECT coalesce(min(finished_at), now()) AS chosen_at FROM mirpipe.run
            WHERE run_id > coalesce((
                SELECT max(run_id) FROM mirpipe.run WHERE primary_{task}_metric <> :metric), 0)
        ), target AS (
            SELECT track_id FROM mirpipe.track WHERE collection = 'target' AND state = 'ok'
        )
        SELECT array_agg(DISTINCT t.test ORDER BY t.test) AS tests,
            count(DISTINCT q.target_id) AS asked_n, (SELECT count(*) FROM target) AS targets_n
        FROM choice JOIN mirpipe.v_listening_test t ON t.first_vote_at < choice.chosen_at
        JOIN mirpipe.listening_question q USING (listening_test_id)
        JOIN target ON target.track_id = q.target_id
        WHERE t.kind IN (:kind, 'rating') AND q.control IS NULL
        HAVING count(*) > 0
    """)
    for task in _KINDS
}


def choice_sentences(task: Task, metric: str) -> list[str]:
    """Return one sentence if votes on the current targets may have chosen this primary metric.

    It was chosen before the first run since which it is the primary metric without a break, or, if
    the latest run has another one, now.
    """
    return [
        f"The primary metric, {metric_name(metric)}, was chosen after the first votes in "
        f"{_tests(row.tests)} {_asked_targets(row)}: if it was chosen by these votes, results on "
        "these targets look better than they are."
        for row in read_rows(_AskedTargets, _ASKED[task], metric=metric, kind=_KINDS[task])
    ]


def _tests(names: list[str]) -> str:
    if len(names) == 1:
        return f"the listening test {names[0]}, which asks about"
    return f"the listening tests {', '.join(names)}, which ask about"


def _asked_targets(row: _AskedTargets) -> str:
    if row.asked_n == row.targets_n:
        return "the only target" if row.asked_n == 1 else f"all {counted(row.asked_n, 'target')}"
    return f"{row.asked_n:,} of the {counted(row.targets_n, 'target')}"
