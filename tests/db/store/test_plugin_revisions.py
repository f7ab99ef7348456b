"""Revisions of plug-ins, made known by several at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from mirpipe import registry
from mirpipe.db.store import plugin_revisions
from mirpipe.music.metrics.melody_accuracy import MELODY
from tests.support.databases import Database
from tests.support.waiting import eventually, sessions_waiting


def metric(connection: Connection) -> int:
    return plugin_revisions.register_metric(connection, MELODY, "0123456789abcdef")


def captioner(connection: Connection) -> int:
    return plugin_revisions.register_captioner(
        connection, registry.CAPTIONERS.spec("features"), "01234567"
    )


def generator(connection: Connection) -> int:
    return plugin_revisions.register_generator(
        connection, registry.GENERATORS.spec("resynth"), "01234567"
    )


@pytest.mark.parametrize("register", [metric, captioner, generator])
def test_two_that_register_the_same_take_turns(fresh_database: Database, register) -> None:
    def other() -> int:
        with fresh_database.app.begin() as connection:
            return register(connection)

    with ThreadPoolExecutor(1) as pool:
        with fresh_database.app.begin() as connection:
            connection.execute(plugin_revisions._TAKE_TURNS)
            second = pool.submit(other)
            eventually(lambda: second.done() or sessions_waiting(fresh_database.app))
            assert not second.done()
            first = register(connection)
        assert second.result(timeout=30) == first
