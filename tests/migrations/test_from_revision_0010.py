"""A database at revision 0010 with the demo library keeps its content, views and grants."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db import health
from mirpipe.db.migrate import current, downgrade, head, migrate
from mirpipe.operations.backup import back_up, restore
from mirpipe.settings import settings
from tests.migrations.catalogue import catalogue
from tests.migrations.queries import execute, rows
from tests.migrations.revision_0010 import load_revision_0010
from tests.support.databases import Database

_COLUMNS_OF_VIEWS = """
    SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'v' GROUP BY c.relname
"""
_STORED_COLUMNS = """
    SELECT c.relname, quote_ident(a.attname)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT a.attisdropped AND c.relname NOT LIKE 'published%' AND c.relname <> 'schema_file'
"""
REMOVED_COLUMNS = {("run_comparison", "p_holm"), ("track", "format")}
"""Columns that have another name now, or that no longer exist."""
_GRANTS = """
    SELECT c.oid::regclass::text, a.attname, a.attacl::text,
        (SELECT array_agg(item::text ORDER BY item::text) FROM unnest(c.relacl) item)
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    WHERE c.relkind IN ('v', 'm') AND c.relnamespace::regnamespace::text IN ('mirpipe', 'mine')
    ORDER BY 1, 2
"""
NEW_CAUSES = {"first answer": "first match", "re-embedding": "new encoder revision"}
_PLUGINS = ("encoder", "metric", "captioner", "generator")


def column_hashes(database: Database) -> dict[tuple[str, str], str]:
    """Return a hash of each stored column's values, by table and column, that ignores row order."""
    query = """
        SELECT md5(coalesce(string_agg({column}::text, E'\n' ORDER BY {column}::text), ''))
        FROM mirpipe.{table}
    """
    return {
        (table, column): rows(database, query.format(table=table, column=column))[0][0]
        for table, column in rows(database, _STORED_COLUMNS)
    }


def require_equal_content(
    before: dict[tuple[str, str], str], database: Database, *, without: set[str]
) -> None:
    """Fail unless all columns that still exist have the same values as before.

    Columns with the names in `without` are not compared.
    """
    now = column_hashes(database)
    assert before.keys() - now.keys() == REMOVED_COLUMNS
    before = {key: value for key, value in before.items() if key[1] not in without}
    assert {key: now[key] for key in before.keys() & now.keys()} == {
        key: before[key] for key in before.keys() & now.keys()
    }


def view_hashes(database: Database, columns: dict[str, str]) -> dict[str, tuple]:
    """Return each view's row count, and a hash of these columns that ignores row order."""
    query = """
        SELECT count(*), md5(coalesce(string_agg(line, E'\n' ORDER BY line), ''))
        FROM (SELECT ROW({columns})::text AS line FROM mirpipe.{view}) v
    """
    return {
        view: rows(database, query.format(columns=names, view=view))[0]
        for view, names in columns.items()
    }


def without_encoders(lines: list[str]) -> list[str]:
    """Leave out encoder partitions and encoder views, because a new database has no encoders."""
    return [line for line in lines if not re.search(r"embedding_\d", line)]


def test_content_and_rows_of_every_view_stay(demo: Database) -> None:
    columns = dict(rows(demo, _COLUMNS_OF_VIEWS))
    columns["v_change"] = columns["v_change"].replace(", cause", "")
    columns = {view: names.replace(" p_holm,", "") for view, names in columns.items()}
    content, views = column_hashes(demo), view_hashes(demo, columns)
    assert sum(count > 0 for count, _ in views.values()) == 39
    migrate()
    assert current() == head()
    require_equal_content(content, demo, without={"cause"})
    # The next ingest measures the audio of every usable track.
    pending = rows(demo, "SELECT count(*) FROM mirpipe.pending_waveform")
    assert pending == rows(demo, "SELECT count(*) FROM mirpipe.track WHERE state = 'ok'")
    del columns["pending_waveform"], views["pending_waveform"]
    assert view_hashes(demo, columns) == views


def test_causes_of_changes_get_the_words_of_the_glossary(demo: Database) -> None:
    count = "SELECT cause, count(*)::integer FROM mirpipe.v_change GROUP BY cause"
    causes = dict(rows(demo, count))
    assert causes["first answer"] > 0
    migrate()
    assert dict(rows(demo, count)) == {
        NEW_CAUSES.get(cause, cause): n for cause, n in causes.items()
    }
    downgrade("0010")
    stored = rows(demo, "SELECT DISTINCT cause FROM mirpipe.neighbour_change")
    assert {cause for (cause,) in stored} == set(causes)


def test_catalogue_becomes_that_of_a_new_database(fresh_database: Database) -> None:
    new = catalogue(fresh_database)
    load_revision_0010(fresh_database)
    assert without_encoders(catalogue(fresh_database)) != new
    migrate()
    assert without_encoders(catalogue(fresh_database)) == new


def test_grants_and_views_of_users_stay(demo: Database) -> None:
    execute(
        demo,
        "CREATE SCHEMA mine",
        "CREATE VIEW mine.matches AS SELECT encoder, target, random FROM mirpipe.v_retrieval",
        "CREATE VIEW mine.best AS SELECT DISTINCT target FROM mine.matches WHERE NOT random",
        "CREATE VIEW mine.own AS SELECT 1 AS number",
        "GRANT SELECT ON mine.own TO mirpipe_read",
        "GRANT SELECT ON mirpipe.v_library TO airflow WITH GRANT OPTION",
        "GRANT SELECT (encoder) ON mirpipe.v_retrieval_summary TO airflow",
        "REVOKE SELECT ON mirpipe.v_hubs FROM mirpipe_read",
    )
    best = rows(demo, "SELECT target FROM mine.best ORDER BY target")
    # The two views are created again, so Postgres then lists the owner's own privileges.
    grants = [row for row in rows(demo, _GRANTS) if row[0] not in ("mine.best", "mine.matches")]
    existing = {relation for relation, *_ in grants}
    migrate()
    assert best == rows(demo, "SELECT target FROM mine.best ORDER BY target") != []
    assert [row for row in rows(demo, _GRANTS) if row[0] in existing] == grants


def test_means_over_clips_of_earlier_runs_are_marked(demo: Database) -> None:
    execute(demo, "UPDATE mirpipe.run_generation_summary SET n = 2 * n WHERE mode = 'strong'")
    migrate()
    assert rows(
        demo,
        "SELECT DISTINCT mode, averaged_over FROM mirpipe.v_generation_summary_history "
        "WHERE n > 0 ORDER BY mode",
    ) == [("medium", "targets"), ("simple", "targets"), ("strong", "clips")]


def test_only_conditioned_clips_of_long_targets_become_pending(demo: Database) -> None:
    long_target = "(SELECT min(target_id) FROM mirpipe.generation)"
    requested = "(SELECT max(longest_seconds) FROM mirpipe.generation_wish)"
    execute(
        demo,
        f"UPDATE mirpipe.track SET seconds = 100 WHERE track_id = {long_target}",
        f"UPDATE mirpipe.generation SET seconds = {requested} WHERE target_id = {long_target}",
        f"UPDATE mirpipe.caption SET window_seconds = 10, window_start_seconds = 45 "
        f"WHERE track_id = {long_target}",
    )
    migrate()
    assert rows(demo, "SELECT count(*) FROM mirpipe.pending_caption") == [(0,)]
    pending = rows(
        demo,
        "SELECT mode, is_conditioned, count(*) FROM mirpipe.pending_generation GROUP BY 1, 2 "
        "ORDER BY 1",
    )
    assert pending == [("medium", True, 1), ("strong", True, 1)]
    count = "SELECT count(*) FROM mirpipe.generation"
    clips = rows(demo, count)
    downgrade("0013")
    assert rows(demo, count) == clips


def test_existing_random_weights_are_marked_by_their_checkpoint(demo: Database) -> None:
    for table in _PLUGINS:
        execute(
            demo,
            f"UPDATE mirpipe.{table} SET spec = spec || jsonb_build_object('checkpoint', "
            f"CASE {table}_id WHEN 1 THEN 'weights (random)' ELSE 'random_forest.onnx' END)",
        )
    migrate()
    for table in _PLUGINS:
        random = rows(demo, f"SELECT {table}_id FROM mirpipe.{table} WHERE is_random")
        assert random == [(1,)], table
    encoders = rows(demo, "SELECT encoder, random FROM mirpipe.v_encoder ORDER BY encoder")
    assert encoders == [("musicnn", True), ("signal", False)]


def test_backup_of_revision_0010_is_restored_and_migrated(
    demo: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    content = column_hashes(demo)
    back_up(tmp_path / "backup")
    downgrade("base")
    migrate()
    new = catalogue(demo)
    restore(tmp_path / "backup")
    assert current() == head()
    # The restored database records the clips at their new paths.
    require_equal_content(content, demo, without={"cause", "path", "path_text"})
    assert without_encoders(catalogue(demo)) == new
    with demo.owner.connect() as owner:
        assert health.wrong_grants(owner) == []
        owner.execute(text("TABLE mirpipe.v_embedding_1"))
