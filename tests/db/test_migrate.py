"""Migrating an empty database to the newest revision and back, one process at a time."""

import multiprocessing
from contextlib import closing

import numpy as np
import pytest

from mirpipe.db.engine import engine
from mirpipe.db.migrate import current, downgrade, head, migrate
from mirpipe.db.store import plugin_revisions
from mirpipe.errors import DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.migrations.catalogue import catalogue
from tests.migrations.queries import execute, rows
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

# Relations, functions and types, except those that belong to Postgres or to the extension.
OBJECTS = (
    "SELECT count(*) FROM (SELECT oid, 'pg_class'::regclass AS of, relnamespace AS schema "
    "FROM pg_class UNION ALL SELECT oid, 'pg_proc'::regclass, pronamespace FROM pg_proc "
    "UNION ALL SELECT oid, 'pg_type'::regclass, typnamespace FROM pg_type) o "
    "JOIN pg_namespace n ON n.oid = o.schema "
    "WHERE n.nspname !~ '^pg_|^information_schema$' AND NOT EXISTS (SELECT FROM pg_depend d "
    "WHERE d.classid = o.of AND d.objid = o.oid AND d.deptype = 'e')"
)
# Every row that a migration could write.
WRITTEN = (
    "SELECT tableoid::regclass::text, ctid::text, xmin::text FROM {} t "
    "UNION ALL SELECT 'count', count(*)::text, '' FROM {}"
)
CATALOGUES = (
    *("pg_class", "pg_attribute", "pg_proc", "pg_rewrite", "pg_description", "pg_depend"),
    *("public.schema_version", "mirpipe.schema_file", "mirpipe.encoder"),
)


def test_a_database_goes_down_to_nothing_and_up_again(fresh_database: Database) -> None:
    SyntheticLibrary(fresh_database.app)
    before = rows(fresh_database, OBJECTS)
    downgrade("base")
    assert current() is None
    # The version table, with its index and types, is kept.
    assert rows(fresh_database, OBJECTS)[0][0] <= 4
    migrate()
    assert current() == head()
    SyntheticLibrary(fresh_database.app)
    assert rows(fresh_database, OBJECTS) == before


@pytest.mark.parametrize("revision", ["-1", "-2", "0010"])
def test_a_database_goes_down_some_steps_and_up_again(
    fresh_database: Database, revision: str
) -> None:
    SyntheticLibrary(fresh_database.app)
    before = catalogue(fresh_database)
    downgrade(revision)
    assert current() != head()
    migrate()
    assert (current(), catalogue(fresh_database)) == (head(), before)


def test_a_database_with_newer_results_goes_down_to_the_first_revision_and_up_again(
    fresh_database: Database,
) -> None:
    first = SyntheticLibrary(fresh_database.app, name="musicnn", dimension=4)
    second = SyntheticLibrary(fresh_database.app, name="signal", dimension=4)
    random = np.random.default_rng(1)
    for collection, count in (("target", 3), ("reference", 5)):
        for number in range(count):
            labels = {"genre": "folk"}
            name = f"{collection} {number}"
            track_id = first.add(collection, name, random.normal(size=4), labels=labels)
            second.set_vector(track_id, random.normal(size=4))
    retrieve()
    report(trigger="test")
    execute(
        fresh_database,
        "UPDATE mirpipe.run_comparison SET p_adjusted = NULL, reason = 'too_few_targets' "
        "WHERE n > 0",
    )
    without_interval = "SELECT count(*) > 0 FROM mirpipe.run_ranking WHERE low IS NULL AND n > 1"
    assert rows(fresh_database, without_interval) == [(True,)]
    comparisons = rows(fresh_database, "SELECT count(*) FROM mirpipe.run_comparison")
    downgrade("0010")
    migrate()
    assert current() == head()
    assert rows(fresh_database, "SELECT count(*) FROM mirpipe.run_comparison") == comparisons
    report(trigger="again")


def test_more_steps_down_than_there_are_remove_the_schema(fresh_database: Database) -> None:
    downgrade("-99")
    assert current() is None
    assert rows(fresh_database, "SELECT to_regnamespace('mirpipe')") == [(None,)]


def test_a_downgrade_to_an_unknown_revision_names_the_possible_ones(
    fresh_database: Database,
) -> None:
    with pytest.raises(DatabaseError, match=r"to 0009\. Possible revisions: .*0010, base"):
        downgrade("0009")


def test_removing_the_schema_is_refused_while_objects_of_users_need_it(
    fresh_database: Database,
) -> None:
    SyntheticLibrary(fresh_database.app)
    execute(
        fresh_database,
        "CREATE VIEW public.seen AS SELECT path FROM mirpipe.track_file",
        "CREATE VIEW public.near AS SELECT embedding FROM mirpipe.v_embedding_1",
        "CREATE TABLE public.liked (id bigint CONSTRAINT liked_track REFERENCES mirpipe.track)",
        "CREATE TABLE mirpipe.noted (note text)",
        "CREATE INDEX mine ON mirpipe.track (title)",
    )
    before = catalogue(fresh_database)
    with pytest.raises(DatabaseError) as error:
        downgrade("base")
    assert str(error.value).splitlines()[1:-1] == [
        "  table constraint liked_track on public.liked needs table mirpipe.track",
        "  table mirpipe.noted needs schema mirpipe",
        "  view public.near needs view mirpipe.v_embedding_1",
        "  view public.seen needs table mirpipe.track_file",
    ]
    assert catalogue(fresh_database) == before
    execute(
        fresh_database,
        "DROP VIEW public.seen, public.near",
        "DROP TABLE public.liked, mirpipe.noted",
    )
    downgrade("base")
    assert rows(fresh_database, "SELECT to_regnamespace('mirpipe')") == [(None,)]


def test_migrations_in_parallel_take_turns(fresh_database: Database) -> None:
    before = catalogue(fresh_database)
    downgrade("base")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=migrate) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert catalogue(fresh_database) == before


def test_a_migration_without_changes_writes_nothing(fresh_database: Database) -> None:
    def written() -> list[list[tuple]]:
        tables = [rows(fresh_database, WRITTEN.format(table, table)) for table in CATALOGUES]
        return [sorted(table) for table in tables]

    SyntheticLibrary(fresh_database.app)
    migrate()
    before = written()
    migrate()
    assert written() == before


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("0004", r"revision 0004.*can upgrade from revision 0010.*0009_comments\.py.*MIRPIPE_HOME"),
        ("9999", r"at revision 9999.*newest revision that it supports is \d+\. Update mirpipe"),
    ],
)
def test_an_unknown_revision_is_refused_with_a_remedy(
    fresh_database: Database, revision: str, message: str
) -> None:
    execute(fresh_database, f"UPDATE public.schema_version SET version_num = '{revision}'")
    before = catalogue(fresh_database)
    for command in (migrate, lambda: downgrade("-1")):
        with pytest.raises(DatabaseError, match=message):
            command()
    assert (current(), catalogue(fresh_database)) == (revision, before)
    downgrade("base")
    assert current() is None


def test_the_pipeline_may_not_migrate(fresh_database: Database, embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect(fresh_database.name)) as link, link.cursor() as sql:
        sql.execute(
            "SELECT bool_or(has_table_privilege(r, t, 'INSERT, UPDATE, DELETE')) "
            "FROM unnest(ARRAY['mirpipe_app', 'mirpipe_read', 'airflow']) r, "
            "unnest(ARRAY['public.schema_version', 'mirpipe.schema_file']) t"
        )
        assert sql.fetchone() == (False,)


def test_a_stage_on_a_database_without_tables_names_the_remedy(fresh_database: Database) -> None:
    downgrade("base")
    with (
        engine("app").connect() as connection,
        pytest.raises(DatabaseError, match=r"does not exist\).*`mirpipe db migrate`"),
    ):
        plugin_revisions.unconfigure_other_encoders(connection, [])
