"""Registering plug-ins does not read which tracks are pending: a library can have millions."""

import pytest
from sqlalchemy import text

from mirpipe.cli.configured_plugins import register_configured_plugins
from mirpipe.db.store import embeddings, excerpt_embeddings, track_scores
from mirpipe.settings import settings
from tests.support.databases import Database


def test_no_list_of_pending_tracks_is_read(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pending(*_arguments: object) -> list[int]:
        raise AssertionError("the pending tracks were read")

    for module in (embeddings, excerpt_embeddings, track_scores):
        monkeypatch.setattr(module, "pending", pending)
    register_configured_plugins()
    with fresh_database.reader.connect() as connection:
        names = connection.execute(text("SELECT name FROM mirpipe.encoder WHERE wanted")).scalars()
        assert set(names) == set(settings().encoders)
