"""A library with three encoders, and a generator with three modes, for listening tests."""

from pathlib import Path

import pytest

from tests.dashboard import example_clips, example_library
from tests.dashboard.example_library import Model, Piece
from tests.support.databases import Database

TARGETS, REFERENCES = 12, 30


@pytest.fixture
def library(fresh_database: Database, tmp_path: Path) -> Database:
    """Yield a library with a run. Its files do not exist."""
    pieces = [Piece("target", f"t{n}", Path(f"/t{n}")) for n in range(TARGETS)]
    pieces += [Piece("reference", f"r{n}", Path(f"/r{n}")) for n in range(REFERENCES)]
    models = [Model(name, 0.5, 0.1) for name in ("clap", "musicnn", "signal")]
    sound = tmp_path / "a.flac"
    sound.touch()
    with fresh_database.owner.begin() as connection:
        example_library.fill(connection, pieces, models)
        example_clips.describe(connection)
        maker = example_clips.Maker("model", seeds=2)
        example_clips.make(connection, [maker], tmp_path, sound)
    return fresh_database
