"""Revision 0049: runs of older versions get the primary metrics that their comparisons say."""

from mirpipe.db.migrate import downgrade, migrate
from tests.migrations.queries import execute, rows
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

RUN = "INSERT INTO mirpipe.run (trigger, state_digest, library) VALUES ('test', 'x', '{}')"
COMPARISON = (
    "INSERT INTO mirpipe.run_comparison (run_id, kind, encoder_id, than_encoder_id, metric, n, "
    "mean_difference, sd, higher_n, p, p_adjusted, method, family_n, licence_weights, random, "
    "role, interval_reason) SELECT 1, 'retrieval', max(encoder_id), min(encoder_id), '%s', 1, "
    "0.5, 0, 1, 1, 1, 'exact', 1, '', false, '%s', 'one_target' FROM mirpipe.encoder"
)
GATE = (
    "INSERT INTO mirpipe.gate_verdict (gate, run_id, judgement, rule, number, kind, verdict, "
    "value, detail) SELECT 'weekly', 1, n, 'age', 1, 'age', 'failed', n, '' "
    "FROM generate_series(1, 3) n"
)


def test_runs_of_older_versions_say_their_primary_metrics(fresh_database: Database) -> None:
    for name in ("a", "b"):
        SyntheticLibrary(fresh_database.app, name=name)
    downgrade("0048")
    execute(fresh_database, RUN, RUN)
    execute(
        fresh_database,
        COMPARISON % ("z", "primary"),
        COMPARISON % ("aligned_melody", "secondary"),
    )
    migrate()
    query = "SELECT primary_retrieval_metric, primary_generation_metric FROM mirpipe.run"
    assert rows(fresh_database, f"{query} ORDER BY run_id") == [("z", None), (None, None)]


def test_an_older_version_keeps_the_last_judgement_of_a_run(fresh_database: Database) -> None:
    execute(fresh_database, RUN, GATE)
    downgrade("0048")
    assert rows(fresh_database, "SELECT value FROM mirpipe.gate_verdict") == [(3,)]
    migrate()
    assert rows(fresh_database, "SELECT value, judgement FROM mirpipe.gate_verdict") == [(3, 1)]
