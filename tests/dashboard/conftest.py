"""Fixtures for the page tests: a filled database, and an empty cache for every test."""

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit import config

from tests.dashboard.example_library import fill
from tests.dashboard.open_page import MODELS, PIECES
from tests.support.databases import Database


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
