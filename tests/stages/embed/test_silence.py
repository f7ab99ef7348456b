"""Silence has no influence on vectors, and a track with too little sound is rejected."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe.records import Float32
from mirpipe.stages import embed as stage
from mirpipe.stages.embed import embed_file
from tests.support import synthetic_music
from tests.support.audio_files import ingest_folder
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder")

RATE = 8000
BOTH = ["tiny", "mixing"]


def zeros(seconds: float) -> Float32:
    return np.zeros(round(seconds * RATE), np.float32)


def music(seconds: float, seed: int = 0) -> Float32:
    """Return music that ends at full level, so that the silence after it has a sharp edge."""
    return synthetic_music.melody(seconds + 0.1, RATE, seed=seed)[: round(seconds * RATE)]


def write(folder: Path, title: str, *parts: Float32) -> None:
    soundfile.write(folder / f"{title}.wav", np.concatenate(parts), RATE, subtype="FLOAT")


def vectors(database: Database) -> dict[tuple[str, str], Float32]:
    query = (
        "SELECT e.name, t.title, CAST(v.embedding AS text) AS digits FROM mirpipe.embedding v "
        "JOIN mirpipe.encoder e USING (encoder_id) JOIN mirpipe.track t USING (track_id)"
    )
    with database.reader.connect() as connection:
        return {
            (row.name, row.title): np.array(row.digits.strip("[]").split(","), np.float32)
            for row in connection.execute(text(query))
        }


@pytest.mark.parametrize("batch_tracks", [1, 4])
def test_silence_has_no_influence_on_vectors(
    fresh_database: Database, tmp_path: Path, batch_tracks: int
) -> None:
    samples = music(3.4)
    write(tmp_path, "plain", samples)
    write(tmp_path, "padded", zeros(5.0), samples, zeros(60.0))
    write(tmp_path, "split", samples[: 2 * RATE], zeros(7.0), samples[2 * RATE :])
    write(tmp_path, "other", music(3.4, seed=1))
    ingest_folder(tmp_path, "reference")
    assert stage.embed(BOTH, batch_tracks=batch_tracks).embedded == 8
    found = vectors(fresh_database)
    for name in BOTH:
        for title in ("padded", "split"):
            np.testing.assert_allclose(found[name, title], found[name, "plain"], rtol=1e-5)
        assert not np.allclose(found[name, "other"], found[name, "plain"], rtol=1e-3)


def test_a_track_that_is_not_measured_yet_gets_the_same_vector(
    fresh_database: Database, tmp_path: Path
) -> None:
    write(tmp_path, "padded", zeros(5.0), music(3.4), zeros(60.0))
    ingest_folder(tmp_path, "reference")
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.track "
                "SET silent_share = NULL, silent_parts = NULL, sounding_rms_dbfs = NULL"
            )
        )
    stage.embed(["tiny"], batch_tracks=1)
    file_vector = embed_file("tiny", tmp_path / "padded.wav")
    np.testing.assert_array_equal(vectors(fresh_database)["tiny", "padded"], file_vector)


def test_a_track_with_too_little_sound_is_rejected_and_the_others_are_embedded(
    fresh_database: Database, tmp_path: Path
) -> None:
    write(tmp_path, "short", zeros(5.0), music(0.3), zeros(5.0))
    write(tmp_path, "long enough", zeros(5.0), music(0.6), zeros(5.0))
    ingest_folder(tmp_path, "reference")
    result = stage.embed(BOTH, batch_tracks=4)
    assert result == stage.EmbedResult(embedded=2, rejected=2, failed=0)
    assert {title for _, title in vectors(fresh_database)} == {"long enough"}
    with fresh_database.reader.connect() as connection:
        query = "SELECT reason, message, retry FROM mirpipe.v_failure ORDER BY message"
        rows = connection.execute(text(query)).all()
    assert [(row.reason, row.retry) for row in rows] == [("too_little_sound", False)] * 2
    assert rows[0].message.startswith(
        "Without silence, this audio has only 0.30 s, but the encoder mixing needs at least 0.5 s."
    )
    assert stage.embed(BOTH, batch_tracks=4) == stage.EmbedResult()
