"""A library with three encoders, and a generator with three modes, for listening tests."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe.listening.create_links import create_tokens
from mirpipe.listening.create_test import ListeningOptions, create_test
from mirpipe.listening.design import Kind
from tests.dashboard import example_clips, example_library
from tests.dashboard.example_library import Model, Piece
from tests.support.databases import Database, DatabasePool

TARGETS, REFERENCES = 12, 30
SAMPLE_RATE = 44_100


@pytest.fixture
def library(fresh_database: Database, database_pool: DatabasePool) -> Database:
    """Return a library with a run. Its files do not exist."""
    return database_pool.fill(fresh_database, _library)


def _library(database: Database, folder: Path) -> Database:
    pieces = [Piece("target", f"t{n}", Path(f"/t{n}")) for n in range(TARGETS)]
    pieces += [Piece("reference", f"r{n}", Path(f"/r{n}")) for n in range(REFERENCES)]
    models = [Model(name, 0.5, 0.1) for name in ("clap", "musicnn", "signal")]
    sound = folder / "a.flac"
    sound.touch()
    with database.owner.begin() as connection:
        example_library.fill(connection, pieces, models)
        example_clips.describe(connection)
        maker = example_clips.Maker("model", seeds=2)
        example_clips.make(connection, [maker], folder, sound)
    return database


def remove_matches(library: Database, encoder: str, *, but: int) -> None:
    """Remove the matches of an encoder for all targets but some."""
    query = (
        "DELETE FROM mirpipe.served_neighbour WHERE (encoder_id, target_id) IN (SELECT "
        "encoder_id, track_id FROM mirpipe.encoder, mirpipe.track WHERE name = :encoder "
        "AND collection = 'target' ORDER BY track_id LIMIT :n)"
    )
    with library.owner.begin() as connection:
        connection.execute(text(query), {"encoder": encoder, "n": TARGETS - but})


TITLE = "כותרת סודית"
"""Part of the titles in the tags of `audible_library`, which a listener must never see."""


@pytest.fixture
def audible_library(fresh_database: Database, database_pool: DatabasePool) -> Database:
    """Return a library with a run, whose files are tones with titles in their tags."""
    return database_pool.fill(fresh_database, _audible_library)


def _audible_library(database: Database, folder: Path) -> Database:
    pieces = []
    for number in range(10):
        collection = "target" if number < 4 else "reference"
        path = folder / f"secret {number}.flac"
        write_tone(path, 200 + 100 * number, level=0.02 + 0.09 * number, title=f"{TITLE} {number}")
        pieces.append(Piece(collection, f"{TITLE} {number}", path, format="FLAC", seconds=4.0))
    with database.owner.begin() as connection:
        models = [Model(name, 0.5, 0.1) for name in ("clap", "signal")]
        example_library.fill(connection, pieces, models)
    return database


def write_tone(
    path: Path,
    hertz: float,
    *,
    level: float = 0.5,
    seconds: float = 4.0,
    channels: int = 2,
    title: str = "",
) -> Path:
    """Write a sine wave with the amplitude `level` and a title, and return its path."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = level * np.sin(2 * np.pi * hertz * time)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, channels, format="FLAC") as file:
        if title:
            file.title = title
        file.write(np.repeat(samples[:, np.newaxis], channels, axis=1))
    return path


def create_links(kind: Kind = "answers") -> list[str]:
    """Create a short listening test of the latest run, and return the tokens of its links."""
    options = ListeningOptions(kind, questions=4, controls=1, repeats=1, excerpt_seconds=2.0)
    return create_tokens(create_test("test", None, options, seed=1), 1)
