"""One excerpt of a target is captioned, conditions its clips, and is compared with its clips."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe import registry
from mirpipe.db.store import excerpts
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption, embed
from mirpipe.stages import generate as stage
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import SAMPLE_RATE, ingest_folder, tone
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_echo_and_beep", "_tiny_encoder")

SECTION_SECONDS = 2
SECTIONS = (440.0, 1046.5, 659.26)
"""Frequency in Hz of each section of the target. The second section is the excerpt."""


@pytest.fixture
def database(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A target with three sections, of which the second is the excerpt, and a reference.

    The generator returns its conditioning audio, and without conditioning audio the excerpt's tone.
    """
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    monkeypatch.setenv("MIRPIPE_GENERATE_SECONDS", str(SECTION_SECONDS))
    monkeypatch.setenv("MIRPIPE_ENCODERS", "tiny")
    settings.cache_clear()
    spec = registry.GENERATORS.declared("beep")
    monkeypatch.setitem(spec.__dict__, "longest_seconds", 10.0)
    monkeypatch.setattr(
        type(registry.GENERATORS.load("beep")),
        "generate",
        lambda _self, requests: [
            sine(SECTIONS[1]) if request.conditioning is None else request.conditioning.samples
            for request in requests
        ],
    )
    (tmp_path / "targets").mkdir()
    target = np.concatenate([sine(hertz) for hertz in SECTIONS])
    soundfile.write(tmp_path / "targets/song.wav", target, SAMPLE_RATE)
    tone(tmp_path / "references/a.wav", 500.0)
    ingest_folder(tmp_path / "targets", "target")
    ingest_folder(tmp_path / "references", "reference")
    return fresh_database


def sine(hertz: float) -> np.ndarray:
    """Return a section of the target with one frequency, which also determines its level."""
    time = np.arange(SECTION_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    return (hertz / 2000 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def make_and_compare() -> None:
    analyse.analyse()
    caption.caption("echo")
    stage.generate("beep")
    embed.embed(["tiny"], batch_tracks=8)
    analyse.analyse()
    retrieve()
    evaluate()
    report(trigger="test")


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize(
    ("before", "after", "start_seconds"), [(10, 0, 11.0), (0, 10, 1.0), (1, 1, 2.0), (3, 9, 4.0)]
)
def test_the_excerpt_of_a_target_with_silence_is_the_middle_of_its_sound(
    database: Database, tmp_path: Path, before: int, after: int, start_seconds: float
) -> None:
    """The sound lasts four seconds, and an excerpt two seconds."""
    sound = np.tile(sine(SECTIONS[0]), 2)
    zeros = np.zeros(SAMPLE_RATE, np.float32)
    padded = np.concatenate([np.tile(zeros, before), sound, np.tile(zeros, after)])
    soundfile.write(tmp_path / "targets/song.wav", padded, SAMPLE_RATE)
    ingest_folder(tmp_path / "targets", "target")
    for _ in range(2):
        with database.app.begin() as connection:
            excerpts.choose(connection, SECTION_SECONDS)
        chosen = rows(
            database, "SELECT x.start_seconds, x.seconds FROM mirpipe.excerpt x WHERE x.wanted"
        )
        assert chosen == [(start_seconds, 2.0)]


def scores(database: Database, metric: str) -> list[float]:
    """Return the scores of all clips by this metric."""
    query = f"SELECT value FROM mirpipe.v_generation_score WHERE metric = '{metric}'"
    return [float(str(value)) for (value,) in rows(database, query)]


def test_caption_conditioning_melody_and_vectors_use_the_same_excerpt(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []
    monkeypatch.setattr(
        type(registry.CAPTIONERS.load("echo")),
        "caption",
        lambda _self, inputs: [heard.extend(inputs) or "a sentence"],
    )
    make_and_compare()

    assert (
        rows(database, "SELECT excerpt_start_seconds, excerpt_seconds FROM mirpipe.v_generation")
        == [(2.0, 2.0)] * 3
    )
    assert rows(database, "SELECT window_start_seconds, window_seconds FROM mirpipe.v_caption") == [
        (2.5, 1.0)
    ]  # The captioner's window of 1 s is in the middle of the excerpt.
    spectrum = np.abs(np.fft.rfft(heard[0].segment.samples))
    assert np.argmax(spectrum) == pytest.approx(SECTIONS[1], abs=1)
    # Clips are compared with the excerpt. The complete target would give at most a third.
    assert min(scores(database, "melody_accuracy")) > 0.9
    assert min(scores(database, "cosine tiny")) == pytest.approx(1.0, abs=1e-3)


def test_the_vector_of_the_excerpt_is_that_of_its_audio_alone(
    database: Database, tmp_path: Path
) -> None:
    make_and_compare()
    soundfile.write(tmp_path / "alone.wav", sine(SECTIONS[1]), SAMPLE_RATE)
    [(vector,)] = rows(database, "SELECT embedding::text FROM mirpipe.excerpt_embedding")
    stored = np.array([float(part) for part in str(vector)[1:-1].split(",")])
    np.testing.assert_allclose(stored, embed.embed_file("tiny", tmp_path / "alone.wav"), atol=1e-3)


def test_a_finished_excerpt_is_not_pending_again(database: Database) -> None:
    make_and_compare()
    assert rows(database, "SELECT * FROM mirpipe.v_pending") == []
    make_and_compare()
    assert rows(database, "SELECT count(*) FROM mirpipe.generation") == [(3,)]


def test_another_excerpt_gives_new_captions_clips_and_scores(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_and_compare()
    monkeypatch.setenv("MIRPIPE_GENERATE_SECONDS", "6")
    settings.cache_clear()
    monkeypatch.setattr(
        type(registry.GENERATORS.load("beep")),
        "generate",
        lambda _self, requests: [
            np.concatenate([sine(hertz) for hertz in SECTIONS]) for _ in requests
        ],
    )
    make_and_compare()
    assert rows(
        database,
        "SELECT wanted, excerpt_start_seconds, count(*) FROM mirpipe.v_generation "
        "GROUP BY 1, 2 ORDER BY 1",
    ) == [(False, 2.0, 3), (True, 0.0, 3)]
    # The excerpt is now the complete target, whose vector is already stored.
    assert rows(database, "SELECT count(*) FROM mirpipe.excerpt_embedding") == [(1,)]
    assert min(scores(database, "melody_accuracy")) > 0.9
    assert min(scores(database, "cosine tiny")) == pytest.approx(1.0, abs=1e-3)
