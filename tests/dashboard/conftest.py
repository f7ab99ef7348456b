"""What tests of pages share: a filled database, and caches that hold nothing."""

import pytest
import streamlit as st

from tests.dashboard.filled import fill
from tests.dashboard.pages import MODELS, PIECES
from tests.support.databases import Database


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """No test sees what another one's database answered."""
    st.cache_data.clear()


@pytest.fixture
def filled(fresh_database: Database) -> Database:
    """A library with answers, and no clips."""
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database
