"""Replaces the content of the published tables, and reads scores, means and differences."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, text

Table = Literal[
    "published_retrieval",
    "published_generation",
    "published_summary",
    "published_change",
    "published_claim",
    "published_interval",
    "published_comparison",
]

# Rows are compared as text, because 0.83 and 0.830 differ in their number of printed decimals.
_DELETE = """
    DELETE FROM mirpipe.{table} t WHERE NOT EXISTS (
        SELECT FROM jsonb_populate_recordset(NULL::mirpipe.{table}, CAST(:rows AS jsonb)) g
        WHERE g::text = t::text)
"""
_INSERT = """
    INSERT INTO mirpipe.{table}
    SELECT g.* FROM jsonb_populate_recordset(NULL::mirpipe.{table}, CAST(:rows AS jsonb)) g
    WHERE NOT EXISTS (SELECT FROM mirpipe.{table} t WHERE g::text = t::text)
"""
_SCORES = text("""
    SELECT task, subject, metric, target, value FROM mirpipe.published_score
    ORDER BY task DESC, line, metric
""")
_MEANS = text("""
    SELECT encoder, metric, mean FROM mirpipe.v_retrieval_summary WHERE source = 'published'
    UNION ALL
    SELECT mode, metric, mean FROM mirpipe.v_generation_summary WHERE source = 'published'
""")
_DIFFERENCES = text("""
    SELECT encoder AS subject, than_encoder AS than_subject, metric, mean_difference, low, high,
        p, p_adjusted, NULL::double precision AS percent
    FROM mirpipe.v_retrieval_comparison WHERE source = 'published'
    UNION ALL
    SELECT mode, than_mode, metric, mean_difference, low, high, p, p_adjusted, percent
    FROM mirpipe.v_generation_delta WHERE source = 'published'
""")


class Score(NamedTuple):
    """A published number, with mirpipe's name for the metric."""

    task: str
    subject: str
    metric: str
    target: str
    value: float


def replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Replace the table content with these rows, and return the number of changed rows.

    Rows that already exist are not written again.
    """
    parameters = {"rows": json.dumps(list(rows), default=str)}
    statements = (text(statement.format(table=table)) for statement in (_DELETE, _INSERT))
    return sum(connection.execute(statement, parameters).rowcount for statement in statements)


def scores(connection: Connection) -> list[Score]:
    """Return all published numbers in source order: first retrieval, then generation."""
    return [Score(*row) for row in connection.execute(_SCORES)]


def means(connection: Connection) -> dict[tuple[str, str], float]:
    """Return the published means by encoder or mode, and by metric, as the views show them."""
    return {(subject, metric): mean for subject, metric, mean in connection.execute(_MEANS)}


def differences(connection: Connection) -> list[dict[str, Any]]:
    """Return the published comparisons between two encoders or modes, as the views show them.

    A row contains the mean difference, its interval, the p-values, and the difference in percent.
    """
    return [dict(row) for row in connection.execute(_DIFFERENCES).mappings()]
