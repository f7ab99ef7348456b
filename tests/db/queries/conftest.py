"""A small library for the query tests."""

import os
from pathlib import Path

import pytest

from tests.dashboard.example_library import Model, Piece, fill
from tests.support.databases import Database

PIECES = (
    Piece("target", "t"),
    Piece("reference", "near", Path(os.fsdecode(b"/music/caf\xe9.wav")), format="WAV"),
    Piece("reference", "far"),
)
MODELS = (Model("aaa", 0.5, 0.1), Model("zzz", 0.5, 0.1))


@pytest.fixture
def filled(fresh_database: Database) -> Database:
    """Return a database with one target, two references, two encoders and one run."""
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database
