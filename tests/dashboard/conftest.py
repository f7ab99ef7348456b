"""Fixtures for the page tests: a filled database, and an empty cache for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import Engine, event
from streamlit import config

from mirpipe.published.load_tables import load
from tests.dashboard.example_clips import Maker, describe, make
from tests.dashboard.example_library import fail, fill, write_gate
from tests.dashboard.example_maps import write_maps
from tests.dashboard.example_rankings import write_rankings
from tests.dashboard.open_page import MODELS, PIECES
from tests.support.databases import Database, DatabasePool


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Empty the cache, so that no test sees results from the database of another test."""
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def _local_address() -> Iterator[None]:
    """Tell the app that its server listens on this machine only, because AppTest has no server."""
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", None)


@pytest.fixture
def filled(fresh_database: Database) -> Database:
    """Return a database that contains the example library with matches but without clips."""
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The statements that are sent to databases."""
    sent: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    yield sent
    event.remove(Engine, "before_cursor_execute", record)


@pytest.fixture
def complete(fresh_database: Database, database_pool: DatabasePool) -> Database:
    """The example library with results for every page."""
    return database_pool.fill(fresh_database, _complete)


def _complete(database: Database, folder: Path) -> Database:
    with database.owner.begin() as connection:
        fill(connection, PIECES, MODELS)
        describe(connection)
        make(connection, [Maker("model")], folder, PIECES[0].path)
        write_maps(connection)
        write_rankings(connection)
        write_gate(connection)
        row = {"stage": "ingest", "subject": "/x.wav", "reason": "silent", "retry": False}
        fail(connection, message="silent", **row)
    load()
    return database
