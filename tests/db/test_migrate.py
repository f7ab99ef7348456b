"""Migrations: from nothing to head and back, by one process at a time."""

import multiprocessing
from contextlib import closing

import pytest
from sqlalchemy import text

from mirpipe.db.engine import engine
from mirpipe.db.migrate import current, downgrade, migrate
from mirpipe.db.store import plugin_revisions
from mirpipe.errors import DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database

# relations, functions and types outside the system's own and the extension's
OBJECTS = text(
    "SELECT count(*) FROM (SELECT oid, 'pg_class'::regclass AS of, relnamespace AS schema "
    "FROM pg_class UNION ALL SELECT oid, 'pg_proc'::regclass, pronamespace FROM pg_proc "
    "UNION ALL SELECT oid, 'pg_type'::regclass, typnamespace FROM pg_type) o "
    "JOIN pg_namespace n ON n.oid = o.schema "
    "WHERE n.nspname !~ '^pg_|^information_schema$' AND NOT EXISTS (SELECT FROM pg_depend d "
    "WHERE d.classid = o.of AND d.objid = o.oid AND d.deptype = 'e')"
)


def test_a_database_goes_down_to_nothing_and_up_again(fresh_database: Database) -> None:
    def objects() -> int:
        with fresh_database.owner.connect() as link:
            return int(link.execute(OBJECTS).scalar_one())

    head, full = current(), objects()
    assert head is not None
    downgrade("base")
    assert current() is None
    # the version table and its index and types stay
    assert objects() <= 4
    migrate()
    assert (current(), objects()) == (head, full)


def test_each_step_goes_down_and_up(fresh_database: Database) -> None:
    head = current()
    downgrade("-1")
    assert current() != head
    migrate()
    assert current() == head


def test_migrations_at_once_wait_for_each_other(fresh_database: Database) -> None:
    downgrade("base")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=migrate) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert current() is not None


def test_the_pipeline_may_not_migrate(fresh_database: Database, embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect(fresh_database.name)) as link, link.cursor() as sql:
        sql.execute(
            "SELECT bool_or(has_table_privilege(r, 'schema_version', 'INSERT, UPDATE, DELETE')) "
            "FROM unnest(ARRAY['mirpipe_app', 'mirpipe_read', 'airflow']) r"
        )
        assert sql.fetchone() == (False,)


def test_stage_on_a_database_without_tables_names_the_remedy(fresh_database: Database) -> None:
    downgrade("base")
    with (
        engine("app").connect() as connection,
        pytest.raises(DatabaseError, match=r"does not exist\).*`mirpipe db migrate`"),
    ):
        plugin_revisions.want_only(connection, [])
