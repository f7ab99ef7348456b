"""The published tables: made to hold what was read, touching no row that is as it should be."""

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

# As text, so that 0.83 and 0.830, which were printed with different decimals, differ.
_REMOVE = """
    DELETE FROM mirpipe.{table} t WHERE NOT EXISTS (
        SELECT FROM jsonb_populate_recordset(NULL::mirpipe.{table}, CAST(:rows AS jsonb)) g
        WHERE g::text = t::text)
"""
_ADD = """
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
        p, p_holm, NULL::double precision AS percent
    FROM mirpipe.v_retrieval_comparison WHERE source = 'published'
    UNION ALL
    SELECT mode, than_mode, metric, mean_difference, low, high, p, p_holm, percent
    FROM mirpipe.v_generation_delta WHERE source = 'published'
""")


class Score(NamedTuple):
    """A number of a printed line, under the name that our own metric has."""

    task: str
    subject: str
    metric: str
    target: str
    value: float


def replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Makes the table hold these rows and no others; how many it had to write or remove."""
    given = {"rows": json.dumps(list(rows), default=str)}
    statements = (text(statement.format(table=table)) for statement in (_REMOVE, _ADD))
    return sum(connection.execute(statement, given).rowcount for statement in statements)


def scores(connection: Connection) -> list[Score]:
    """Every published number, retrieval first, in the order of the lines."""
    return [Score(*row) for row in connection.execute(_SCORES)]


def means(connection: Connection) -> dict[tuple[str, str], float]:
    """What the views that readers see give, by encoder or mode, and metric."""
    return {(subject, metric): mean for subject, metric, mean in connection.execute(_MEANS)}


def differences(connection: Connection) -> list[dict[str, Any]]:
    """What the views give of two encoders or modes: difference, interval, p, percent."""
    return [dict(row) for row in connection.execute(_DIFFERENCES).mappings()]
