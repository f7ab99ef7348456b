"""Views are replaced from their files. Users' objects are never dropped or changed."""

from pathlib import Path

import pytest
from sqlalchemy.exc import NotSupportedError

from mirpipe.db.migrate import current, downgrade, migrate
from mirpipe.db.schema_files import view_files
from mirpipe.errors import DatabaseError
from tests.migrations.catalogue import catalogue
from tests.migrations.queries import execute, rows
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

_GRANTS = """
    SELECT c.relname, grant_::text FROM pg_class c, unnest(c.relacl) grant_
    WHERE c.oid = 'mirpipe.{0}'::regclass
    UNION ALL
    SELECT a.attname, grant_::text FROM pg_attribute a, unnest(a.attacl) grant_
    WHERE a.attrelid = 'mirpipe.{0}'::regclass
    ORDER BY 1, 2
"""
_FUNCTION_GRANTS = """
    SELECT grant_::text FROM pg_proc p, unnest(p.proacl) grant_
    WHERE p.pronamespace = 'mirpipe'::regnamespace AND p.proname = 'run_at' ORDER BY 1
"""


def change(folder: Path, view: str, old: str, new: str) -> None:
    """Replace a text that occurs exactly once in a view file."""
    file = folder / "views" / f"{view}.sql"
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))


def columns(database: Database, view: str) -> list[str]:
    query = (
        "SELECT attname FROM pg_attribute "
        f"WHERE attrelid = 'mirpipe.{view}'::regclass AND attnum > 0 ORDER BY attnum"
    )
    return [name for (name,) in rows(database, query)]


def description(database: Database, view: str, column: str) -> str:
    query = (
        "SELECT col_description(attrelid, attnum) FROM pg_attribute "
        f"WHERE attrelid = 'mirpipe.{view}'::regclass AND attname = '{column}'"
    )
    return rows(database, query)[0][0]


def without_labels(folder: Path) -> None:
    """Remove a column from v_library, which CREATE OR REPLACE VIEW does not allow."""
    change(folder, "v_library", "t.state, t.reason, t.labels,", "t.state, t.reason,")


def test_a_view_gains_a_column_under_a_view_of_a_user(
    fresh_database: Database, folder: Path
) -> None:
    execute(fresh_database, "CREATE VIEW public.mine AS SELECT title FROM mirpipe.v_library")
    last = "t.sounding_rms_dbfs\n"
    change(folder, "v_library", last, "t.sounding_rms_dbfs, t.track_id AS reference_id\n")
    change(folder, "v_library", "files with this content", "copies")
    migrate(folder=folder)
    assert columns(fresh_database, "v_library")[-1] == "reference_id"
    assert rows(fresh_database, "SELECT * FROM public.mine") == []
    assert description(fresh_database, "v_library", "files") == "Number of copies."
    reference_id = description(fresh_database, "v_library", "reference_id")
    assert reference_id == "Reference; key in the table track."


def test_a_view_that_loses_a_column_keeps_its_privileges(
    fresh_database: Database, folder: Path
) -> None:
    execute(
        fresh_database,
        "GRANT SELECT ON mirpipe.v_library TO airflow WITH GRANT OPTION",
        "GRANT SELECT (title, labels) ON mirpipe.v_library TO PUBLIC",
        "REVOKE SELECT ON mirpipe.v_library FROM mirpipe_app",
        "GRANT EXECUTE ON FUNCTION mirpipe.run_at TO airflow",
    )
    before = rows(fresh_database, _GRANTS.format("v_library"))
    function = rows(fresh_database, _FUNCTION_GRANTS)
    without_labels(folder)
    change(folder, "run_at", "run_at(moment timestamptz)", "run_at(at timestamptz)")
    change(folder, "run_at", "<= moment", "<= at")
    migrate(folder=folder)
    assert "labels" not in columns(fresh_database, "v_library")
    after = rows(fresh_database, _GRANTS.format("v_library"))
    assert after == [grant for grant in before if grant[0] != "labels"]
    assert rows(fresh_database, _FUNCTION_GRANTS) == function
    assert rows(fresh_database, "SELECT mirpipe.run_at(at => now())") == [(None,)]


IN_THE_WAY = {
    "view public.mine": "CREATE VIEW public.mine AS SELECT title FROM mirpipe.v_library",
    "view public.above": "CREATE VIEW public.above AS SELECT * FROM public.mine",
    "materialized view public.stored": (
        "CREATE MATERIALIZED VIEW public.stored AS SELECT title FROM mirpipe.v_library"
    ),
    "function public.titles()": (
        "CREATE FUNCTION public.titles() RETURNS SETOF text "
        "BEGIN ATOMIC SELECT title FROM mirpipe.v_library; END"
    ),
    "function public.title_of(mirpipe.v_library)": (
        "CREATE FUNCTION public.title_of(t mirpipe.v_library) RETURNS text "
        "LANGUAGE sql AS 'SELECT t.title'"
    ),
    "function public.has_title(mirpipe.v_library,pg_catalog.text)": (
        "CREATE FUNCTION public.has_title(t mirpipe.v_library, text) RETURNS boolean "
        "LANGUAGE sql AS 'SELECT t.title = $2'"
    ),
    "table public.kept": "CREATE TABLE public.kept (row_of mirpipe.v_library)",
    "operator public.=@(mirpipe.v_library,pg_catalog.text)": (
        "CREATE OPERATOR public.=@ (FUNCTION = public.has_title, LEFTARG = mirpipe.v_library, "
        "RIGHTARG = text)"
    ),
    "policy known on public.plain": (
        "CREATE POLICY known ON public.plain USING (EXISTS (SELECT title FROM mirpipe.v_library))"
    ),
    "rule added on mirpipe.v_library": (
        "CREATE RULE added AS ON INSERT TO mirpipe.v_library DO INSTEAD NOTHING"
    ),
    "trigger written on mirpipe.v_library": (
        "CREATE TRIGGER written INSTEAD OF DELETE ON mirpipe.v_library FOR EACH ROW "
        "EXECUTE FUNCTION mirpipe.queue_state_change()"
    ),
}


def test_every_object_of_a_user_in_the_way_is_named_and_nothing_changes(
    fresh_database: Database, folder: Path
) -> None:
    execute(fresh_database, "CREATE TABLE public.plain ()", *IN_THE_WAY.values())
    before = catalogue(fresh_database)
    without_labels(folder)
    change(folder, "v_encoder", "e.is_random AS random", "e.is_random::integer AS random")
    with pytest.raises(DatabaseError) as error:
        migrate(folder=folder)
    message = str(error.value)
    for name in IN_THE_WAY:
        assert f"  {name} needs view mirpipe.v_library" in message
    assert message.count("needs view") == len(IN_THE_WAY)
    assert "Drop these objects, run `mirpipe db migrate` again" in message
    assert catalogue(fresh_database) == before
    assert rows(fresh_database, "TABLE public.above") == []


def test_an_object_is_named_with_the_view_that_it_uses(
    fresh_database: Database, folder: Path
) -> None:
    execute(
        fresh_database,
        "CREATE VIEW public.mine AS SELECT encoder FROM mirpipe.v_hubness",
        "CREATE TABLE public.noted (run_id bigint DEFAULT mirpipe.run_at(now()))",
        "CREATE VIEW public.other AS SELECT encoder FROM mirpipe.v_retrieval",
    )
    change(folder, "v_hubness_history", "e.name AS encoder, s.queries,", "s.queries,")
    change(folder, "run_at", "RETURNS bigint", "RETURNS integer")
    change(folder, "run_at", "max(n.run_id)", "max(n.run_id)::integer")
    with pytest.raises(DatabaseError) as error:
        migrate(folder=folder)
    lines = [line.strip() for line in str(error.value).splitlines() if " needs " in line]
    assert lines == [
        "default value for public.noted.run_id needs function "
        "mirpipe.run_at(timestamp with time zone)",
        "view public.mine needs view mirpipe.v_hubness",
    ]


def test_a_view_without_a_file_is_dropped_unless_a_user_needs_it(
    fresh_database: Database, folder: Path
) -> None:
    (folder / "views" / "v_hubs.sql").unlink()
    execute(fresh_database, "CREATE VIEW public.mine AS SELECT rank FROM mirpipe.v_hubs")
    with pytest.raises(DatabaseError, match=r"view public\.mine needs view mirpipe\.v_hubs"):
        migrate(folder=folder)
    execute(fresh_database, "DROP VIEW public.mine")
    execute(fresh_database, "CREATE VIEW mirpipe.v_mine AS SELECT title FROM mirpipe.track")
    migrate(folder=folder)
    views = rows(fresh_database, "SELECT viewname FROM pg_views WHERE schemaname = 'mirpipe'")
    assert ("v_hubs",) not in views
    assert ("v_mine",) in views


def test_a_view_of_a_user_with_the_name_of_a_new_view_is_not_replaced(
    fresh_database: Database, folder: Path
) -> None:
    execute(fresh_database, "CREATE VIEW mirpipe.v_new AS SELECT 1 AS mine")
    new = folder / "views" / "v_new.sql"
    new.write_text("CREATE OR REPLACE VIEW v_new AS SELECT 1 AS mine, 2 AS ours;\n")
    before = catalogue(fresh_database)
    with pytest.raises(DatabaseError, match=r"already exist: mirpipe\.v_new\. Nothing was changed"):
        migrate(folder=folder)
    assert catalogue(fresh_database) == before


def test_a_view_that_somebody_dropped_is_created_again(fresh_database: Database) -> None:
    before = catalogue(fresh_database)
    execute(fresh_database, "DROP VIEW mirpipe.v_aesthetics, mirpipe.v_track_score")
    migrate()
    assert catalogue(fresh_database) == before


def test_views_may_change_which_one_uses_the_other(fresh_database: Database, folder: Path) -> None:
    history = folder / "views" / "v_hubness_history.sql"
    sql = history.read_text().replace("v_hubness_history", "v_hubness")
    latest = "WHERE s.run_id = (SELECT max(run_id) FROM run);"
    (folder / "views" / "v_hubness.sql").write_text(
        sql.replace(
            "t.track_id = s.largest_reference_id;", f"t.track_id = s.largest_reference_id {latest}"
        )
    )
    history.write_text("CREATE OR REPLACE VIEW v_hubness_history AS SELECT * FROM v_hubness;\n")
    names = list(view_files(folder))
    assert names.index("v_hubness") < names.index("v_hubness_history")
    migrate(folder=folder)
    [(definition,)] = rows(
        fresh_database, "SELECT pg_get_viewdef('mirpipe.v_hubness_history'::regclass)"
    )
    assert "FROM mirpipe.v_hubness;" in definition


def test_descriptions_of_tables_and_partitions_follow_their_files(
    fresh_database: Database, folder: Path
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    tables = folder / "versions" / "0010_tables.sql"
    old = "COMMENT ON COLUMN embedding.embedding IS 'Vector of the track:"
    assert tables.read_text().count(old) == 1
    tables.write_text(tables.read_text().replace(old, old.replace("Vector", "New vector")))
    shared = folder / "column_descriptions.toml"
    shared.write_text(
        shared.read_text().replace('"Track; key in the table track."', '"The track."')
    )
    migrate(folder=folder)
    partition = f"embedding_{library.encoder_id}"
    for relation in ("embedding", partition, f"v_{partition}"):
        assert description(fresh_database, relation, "track_id") == "The track."
        vector = description(fresh_database, relation, "embedding")
        assert vector.startswith("New vector of the track:")


def test_views_per_encoder_are_not_replaced(fresh_database: Database, folder: Path) -> None:
    library = SyntheticLibrary(fresh_database.app)
    view = f"SELECT 'mirpipe.v_embedding_{library.encoder_id}'::regclass::oid"
    oid = rows(fresh_database, view)
    without_labels(folder)
    migrate(folder=folder)
    assert rows(fresh_database, view) == oid


MIGRATION = """
from alembic import op

revision = "9999"
down_revision = "{head}"
{attribute}


def upgrade() -> None:
    op.execute("ALTER TABLE mirpipe.track ALTER channels TYPE bigint")


def downgrade() -> None:
    op.execute("ALTER TABLE mirpipe.track ALTER channels TYPE integer")
"""


def add_migration(folder: Path, attribute: str) -> None:
    file = folder / "versions" / "9999_channels.py"
    file.write_text(MIGRATION.format(head=current(), attribute=attribute))


def test_a_migration_can_change_a_column_that_views_use(
    fresh_database: Database, folder: Path
) -> None:
    execute(
        fresh_database,
        "GRANT SELECT ON mirpipe.v_library TO airflow",
        "CREATE VIEW public.mine AS SELECT encoder FROM mirpipe.v_ranking",
    )
    grants = rows(fresh_database, _GRANTS.format("v_library"))
    before = catalogue(fresh_database)
    add_migration(folder, "")
    with pytest.raises(NotSupportedError, match="cannot alter type of a column used by a view"):
        migrate(folder=folder)
    assert catalogue(fresh_database) == before
    add_migration(folder, 'DROPS_VIEWS_ON = ("track",)')
    migrate(folder=folder)
    assert current() == "9999"
    assert rows(fresh_database, _GRANTS.format("v_library")) == grants
    assert rows(fresh_database, "SELECT * FROM public.mine") == []
    with pytest.raises(DatabaseError, match=r"view public\.mine needs view mirpipe\.v_ranking"):
        downgrade("-1", folder=folder)
    execute(fresh_database, "DROP VIEW public.mine")
    downgrade("-1", folder=folder)
    migrate()
    execute(fresh_database, "GRANT SELECT ON mirpipe.v_library TO airflow")
    assert catalogue(fresh_database) == before


def test_a_migration_names_the_views_of_users_that_are_in_its_way(
    fresh_database: Database, folder: Path
) -> None:
    execute(fresh_database, "CREATE VIEW public.mine AS SELECT title FROM mirpipe.v_library")
    before = catalogue(fresh_database)
    add_migration(folder, 'DROPS_VIEWS_ON = ("track",)')
    revision = current()
    with pytest.raises(DatabaseError, match=r"view public\.mine needs view mirpipe\.v_library"):
        migrate(folder=folder)
    assert (current(), catalogue(fresh_database)) == (revision, before)
