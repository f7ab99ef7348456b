"""An update of many tracks takes time that grows with their number, not with its square."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg2 import extensions

from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database

TRACKS = 500
_INSERT = """
    INSERT INTO mirpipe.track (collection, content_sha256, title, state, seconds, rms_dbfs, labels)
    SELECT 'reference', sha256(CAST(CAST(i AS text) AS bytea)), i, 'ok', 1, -20, '{}'
    FROM generate_series(1, %s) i
"""
_LOG_PLANS = """
    LOAD 'auto_explain';
    SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_analyze = on;
    SET client_min_messages = log;
"""


@pytest.fixture
def superuser(embedded: EmbeddedPostgres, fresh_database: Database) -> Iterator[extensions.cursor]:
    """Yield a cursor that can log the plans of statements in triggers, with some tracks stored."""
    with closing(embedded.connect(fresh_database.name)) as connection, connection.cursor() as sql:
        sql.execute(_INSERT, (TRACKS,))
        sql.execute(_LOG_PLANS)
        yield sql


@pytest.mark.parametrize(
    "change",
    [
        'labels = \'{"genre": "waltz"}\'',
        "state = 'gone'",
        "content_sha256 = sha256(content_sha256)",
    ],
)
def test_no_track_is_compared_with_each_other_one(
    superuser: extensions.cursor, change: str
) -> None:
    # Postgres keeps the plans of the first update, which fit a single track.
    superuser.execute(f"UPDATE mirpipe.track SET {change} WHERE title = '1'")
    superuser.connection.notices.clear()
    superuser.execute(f"UPDATE mirpipe.track SET {change} WHERE title <> '1'")
    plans = "\n".join(superuser.connection.notices)
    assert "before b" in plans
    discarded = re.findall(r"Rows Removed by Join Filter: (\d+)", plans)
    assert sum(map(int, discarded)) <= TRACKS


def test_tracks_that_become_usable_again_are_noted(superuser: extensions.cursor) -> None:
    superuser.execute("UPDATE mirpipe.track SET state = 'gone'")
    superuser.execute("DELETE FROM mirpipe.unsettled_track")
    superuser.execute("UPDATE mirpipe.track SET state = 'ok' WHERE title <> '1'")
    superuser.execute("SELECT count(*) FROM mirpipe.unsettled_track")
    assert superuser.fetchone() == (TRACKS - 1,)
