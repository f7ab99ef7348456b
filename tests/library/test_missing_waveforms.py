"""Waveforms come with the tracks, and to those that were there before."""

from pathlib import Path

import numpy as np
from sqlalchemy import text

from mirpipe.stages.ingest import ingest
from tests.support.audio_files import tones
from tests.support.databases import Database


def peaks(database: Database) -> dict[str, bytes]:
    query = "SELECT title, peaks FROM mirpipe.waveform JOIN mirpipe.track USING (track_id)"
    with database.reader.connect() as connection:
        return {row.title: bytes(row.peaks) for row in connection.execute(text(query))}


def change(database: Database, statement: str) -> None:
    with database.app.begin() as connection:
        connection.execute(text(statement))


def test_ingest_draws_every_track(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path / "music", [200, 400])
    ingest([tmp_path / "music"], collection="reference")
    drawn = peaks(fresh_database)
    assert len(drawn) == 2
    columns = np.frombuffer(drawn["200 Hz"], np.int8).reshape(400, 2)
    assert columns[:, 0].min() < -20
    assert columns[:, 1].max() > 20


def test_the_next_ingest_draws_tracks_that_had_no_waveform(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200, 400])
    ingest([tmp_path / "music"], collection="reference")
    before = peaks(fresh_database)
    change(fresh_database, "DELETE FROM mirpipe.waveform")
    ingest([tmp_path / "music"], collection="reference")
    assert peaks(fresh_database) == before


def test_content_that_another_collection_holds_is_drawn_in_both(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200])
    for collection in ("reference", "target"):
        ingest([tmp_path / "music"], collection=collection)
    with fresh_database.reader.connect() as connection:
        query = "SELECT count(*) FROM mirpipe.waveform"
        assert connection.execute(text(query)).scalar_one() == 2


def test_a_track_that_cannot_be_drawn_any_more_keeps_no_other_from_it(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200, 400])
    ingest([tmp_path / "music"], collection="reference")
    change(fresh_database, "DELETE FROM mirpipe.waveform")
    change(
        fresh_database,
        "UPDATE mirpipe.track SET content_sha256 = sha256('other') WHERE title = '200 Hz'",
    )
    ingest([tmp_path / "music"], collection="reference")
    assert list(peaks(fresh_database)) == ["400 Hz"]
    with fresh_database.reader.connect() as connection:
        query = "SELECT title, message, retry FROM mirpipe.v_failure WHERE stage = 'draw'"
        [(title, message, retry)] = connection.execute(text(query))
    assert (title, retry) == ("200 Hz", True)
    assert "changed on disk" in message
