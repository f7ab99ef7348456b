"""Revision 0014 turns keys of plug-in revisions into integers and keeps all content."""

import pytest
from sqlalchemy.exc import DBAPIError

from mirpipe import registry
from mirpipe.db.migrate import current, downgrade, head, migrate
from mirpipe.db.store.plugin_revisions import (
    register_captioner,
    register_encoder,
    register_generator,
    register_metric,
)
from mirpipe.music.metrics.melody_accuracy import ACCURACY
from tests.migrations.queries import execute, rows
from tests.support.databases import Database

LARGEST_SMALLINT = 32_767
VIEWS = ("mine", "encoders")
_TABLES = ("encoder", "metric", "captioner", "generator")
_KEYS = [
    *(f"{table}_id" for table in _TABLES),
    *("than_encoder_id", "other_id", "features_id"),
]
_KEY_TYPES = f"""
    SELECT DISTINCT atttypid::regtype::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
        AND attname = ANY(ARRAY{_KEYS}) AND c.relname <> 'same_recording'
"""
"""In same_recording, other_id is the key of a track."""
_SEQUENCE_TYPES = f"""
    SELECT DISTINCT data_type::text FROM pg_sequences
    WHERE sequencename = ANY(ARRAY{[f"{table}_{table}_id_seq" for table in _TABLES]})
"""


def register_new_revisions(database: Database) -> list[int]:
    """Register a revision of each kind that is not stored yet, and return the new ids."""
    with database.app.begin() as app:
        return [
            register_encoder(app, registry.ENCODERS.spec("signal"), "new"),
            register_metric(app, ACCURACY, "new"),
            register_captioner(app, registry.CAPTIONERS.spec("features"), "new"),
            register_generator(app, registry.GENERATORS.spec("resynth"), "new"),
        ]


def test_a_database_whose_sequences_are_used_up_can_register_again(demo: Database) -> None:
    for table in _TABLES:
        execute(demo, f"SELECT setval('mirpipe.{table}_{table}_id_seq', {LARGEST_SMALLINT}, true)")
    migrate()
    assert register_new_revisions(demo) == [LARGEST_SMALLINT + 1] * 4
    assert rows(demo, "SELECT count(*) FROM mirpipe.embedding_32768") == [(0,)]


def test_views_of_users_are_created_again_with_the_new_types(demo: Database) -> None:
    execute(
        demo,
        "CREATE VIEW public.mine AS SELECT encoder, rank FROM mirpipe.v_retrieval",
        "CREATE VIEW public.encoders AS SELECT encoder_id, name FROM mirpipe.encoder",
        "CREATE VIEW public.above AS SELECT max(encoder_id) AS last_id FROM public.encoders",
    )
    before = [rows(demo, f"SELECT * FROM public.{name} ORDER BY 1, 2") for name in VIEWS]
    migrate()
    assert [rows(demo, f"SELECT * FROM public.{name} ORDER BY 1, 2") for name in VIEWS] == before
    assert rows(demo, "SELECT pg_typeof(last_id)::text FROM public.above") == [("integer",)]


def test_no_key_stays_smallint_in_either_direction(demo: Database) -> None:
    assert rows(demo, _KEY_TYPES) == [("smallint",)]
    vectors = rows(demo, "SELECT md5(string_agg(e::text, '' ORDER BY 1)) FROM mirpipe.embedding e")
    migrate()
    assert rows(demo, _KEY_TYPES) == [("integer",)]
    assert rows(demo, _SEQUENCE_TYPES) == [("integer",)]
    downgrade("0013")
    assert rows(demo, _KEY_TYPES) == [("smallint",)]
    assert rows(demo, _SEQUENCE_TYPES) == [("smallint",)]
    assert vectors == rows(
        demo, "SELECT md5(string_agg(e::text, '' ORDER BY 1)) FROM mirpipe.embedding e"
    )
    execute(
        demo,
        "DELETE FROM mirpipe.embedding_change",
        "DELETE FROM mirpipe.embedding WHERE (encoder_id, track_id) IN "
        "(SELECT encoder_id, track_id FROM mirpipe.embedding LIMIT 1)",
    )
    assert rows(demo, "SELECT count(*) FROM mirpipe.embedding_change") == [(1,)]


def test_a_downgrade_with_a_larger_key_changes_nothing(demo: Database) -> None:
    execute(demo, f"SELECT setval('mirpipe.metric_metric_id_seq', {LARGEST_SMALLINT}, true)")
    migrate()
    register_new_revisions(demo)
    with pytest.raises(DBAPIError, match=str(LARGEST_SMALLINT)):
        downgrade("0013")
    assert current() == head()
