"""The history views: the change since the previous run, and the cost of reading a few runs."""

import json

import pytest
from sqlalchemy import Connection, text

from tests.support.databases import Database

RUNS = 40
VIEWS = {
    "v_retrieval_summary_history": "run_summary",
    "v_generation_summary_history": "run_generation_summary",
}
LAG = {
    "v_retrieval_summary_history": "encoder, metric",
    "v_generation_summary_history": "generator, mode, guidance, metric, averaged_over",
}

FILL = f"""
    INSERT INTO encoder (name, revision, wanted, dimension, spec)
    VALUES ('first', '1', false, 3, '{{}}'), ('first', '2', true, 3, '{{}}'),
        ('second', '1', true, 3, '{{}}');
    INSERT INTO generator (name, revision, wanted, spec)
    VALUES ('first', '1', false, '{{}}'), ('first', '2', true, '{{}}'),
        ('second', '1', true, '{{}}');
    INSERT INTO run (trigger, state_digest, library)
    SELECT 'test', i::text, '{{}}' FROM generate_series(1, {RUNS}) i;
    -- The first encoder has a new revision from run 12 on. A metric is missing in some runs, and
    -- undefined in others.
    INSERT INTO run_summary (run_id, encoder_id, metric, n, undefined_n, mean, sd, interval_reason)
    SELECT run_id, encoder_id, metric, CASE WHEN run_id % 5 = 0 THEN 0 ELSE 3 END, 0,
        CASE WHEN run_id % 5 > 0 THEN sqrt(run_id * encoder_id) END,
        CASE WHEN run_id % 5 > 0 THEN 0 END, 'few_values'
    FROM run, encoder, unnest(ARRAY['a', 'b']) metric
    WHERE (name = 'second' OR (revision = '1') = (run_id <= 11))
      AND NOT (metric = 'b' AND run_id % 3 = 0);
    INSERT INTO run_generation_summary (run_id, generator_id, mode, guidance, metric, n,
        undefined_n, mean, sd, interval_reason, targets_n, averaged_over)
    SELECT run_id, generator_id, mode, guidance, metric,
        CASE WHEN run_id % 5 = 0 THEN 0 ELSE 3 END, 0,
        CASE WHEN run_id % 5 > 0 THEN sqrt(run_id * generator_id) END,
        CASE WHEN run_id % 5 > 0 THEN 0 END, 'few_values', 3,
        CASE WHEN run_id < 20 THEN 'clips' ELSE 'targets' END
    FROM run, generator, unnest(ARRAY['a', 'b']) metric,
        (VALUES ('simple', NULL), ('simple', 3.0), ('strong', 5.0)) setting (mode, guidance)
    WHERE (name = 'second' OR (revision = '1') = (run_id <= 11))
      AND NOT (metric = 'b' AND run_id % 3 = 0);
"""


@pytest.fixture
def history(fresh_database: Database) -> Database:
    with fresh_database.app.begin() as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
    return fresh_database


@pytest.mark.parametrize("view", VIEWS)
def test_the_change_is_the_difference_from_the_previous_row(history: Database, view: str) -> None:
    with history.reader.connect() as connection:
        rows = connection.execute(
            text(
                f"SELECT mean_change, mean - lag(mean) OVER (PARTITION BY {LAG[view]} "
                f"ORDER BY run_id), run_id FROM mirpipe.{view}"
            )
        ).all()
    assert len(rows) > RUNS
    assert [row[0] for row in rows] == [row[1] for row in rows]
    assert {row.run_id for row in rows if row[0] is not None} >= {2, 12, 22}


@pytest.mark.parametrize(("view", "table"), VIEWS.items())
def test_reading_a_run_does_not_read_the_other_runs(
    history: Database, view: str, table: str
) -> None:
    query = (
        f"SELECT run_id, metric, mean FROM mirpipe.{view} WHERE run_id = ANY(ARRAY[{RUNS}::bigint])"
    )
    with history.reader.connect() as connection:
        shown = len(connection.execute(text(query)).all())
        assert rows_read(connection, query, table) == shown > 0


def rows_read(connection: Connection, query: str, table: str) -> int:
    """Return how many rows of the table the query's plan passes on."""
    explained = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")).scalar_one()
    plans = explained if isinstance(explained, list) else json.loads(explained)
    nodes, rows = [plans[0]["Plan"]], 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == table:
            rows += int(node["Actual Rows"] * node["Actual Loops"])
    return rows
