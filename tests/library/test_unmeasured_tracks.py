"""Every track has a waveform, which is computed at ingest or later."""

from pathlib import Path

import numpy as np
from sqlalchemy import text

from mirpipe.stages.ingest import ingest
from tests.support.audio_files import tones
from tests.support.databases import Database


def peaks(database: Database) -> dict[str, bytes]:
    """Return the packed waveform of each track, by title."""
    query = "SELECT title, peaks FROM mirpipe.waveform JOIN mirpipe.track USING (track_id)"
    with database.reader.connect() as connection:
        return {row.title: bytes(row.peaks) for row in connection.execute(text(query))}


def execute(database: Database, statement: str) -> None:
    with database.app.begin() as connection:
        connection.execute(text(statement))


def test_ingest_stores_the_waveform_of_every_track(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200, 400])
    ingest([tmp_path / "music"], collection="reference")
    waveforms = peaks(fresh_database)
    assert len(waveforms) == 2
    columns = np.frombuffer(waveforms["200 Hz"], np.int8).reshape(400, 2)
    assert columns[:, 0].min() < -20
    assert columns[:, 1].max() > 20


def test_the_next_ingest_computes_missing_waveforms(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200, 400])
    ingest([tmp_path / "music"], collection="reference")
    before = peaks(fresh_database)
    execute(fresh_database, "DELETE FROM mirpipe.waveform")
    ingest([tmp_path / "music"], collection="reference")
    assert peaks(fresh_database) == before


def test_a_track_in_two_collections_has_a_waveform_in_both(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200])
    for collection in ("reference", "target"):
        ingest([tmp_path / "music"], collection=collection)
    with fresh_database.reader.connect() as connection:
        query = "SELECT count(*) FROM mirpipe.waveform"
        assert connection.execute(text(query)).scalar_one() == 2


def test_a_track_that_cannot_be_decoded_does_not_stop_the_others(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200, 400])
    ingest([tmp_path / "music"], collection="reference")
    execute(fresh_database, "DELETE FROM mirpipe.waveform")
    execute(
        fresh_database,
        "UPDATE mirpipe.track_file SET file_sha256 = sha256('other') WHERE path_text LIKE '%200%'",
    )
    ingest([tmp_path / "music"], collection="reference")
    assert list(peaks(fresh_database)) == ["400 Hz"]
    with fresh_database.reader.connect() as connection:
        query = "SELECT title, message, retry FROM mirpipe.v_failure WHERE stage = 'draw'"
        [(title, message, retry)] = connection.execute(text(query))
    assert (title, retry) == ("200 Hz", True)
    assert "changed on disk" in message
