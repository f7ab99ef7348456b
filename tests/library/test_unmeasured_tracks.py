"""Every track has a waveform and silent parts, which are measured at ingest or later."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe.stages.ingest import ingest
from tests.support.audio_files import tones
from tests.support.databases import Database


def peaks(database: Database) -> dict[str, bytes]:
    """Return the packed waveform of each track, by title."""
    query = "SELECT title, peaks FROM mirpipe.waveform JOIN mirpipe.track USING (track_id)"
    with database.reader.connect() as connection:
        return {row.title: bytes(row.peaks) for row in connection.execute(text(query))}


def silence(database: Database) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return the silent share, the silent parts and the level, by collection and title."""
    columns = "collection, title, silent_share, silent_parts, sounding_rms_dbfs"
    with database.reader.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM mirpipe.v_library"))
        return {(row.collection, row.title): tuple(row[2:]) for row in rows}


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
    assert "changed since it was ingested" in message


def test_silent_parts_are_stored_at_ingest_and_measured_later_if_they_are_missing(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path / "music", [200])
    samples, rate = soundfile.read(tmp_path / "music/200 Hz.wav")
    padded = np.concatenate([np.zeros(4 * rate), samples, np.zeros(2 * rate)])
    soundfile.write(tmp_path / "music/padded.wav", padded, rate)
    ingest([tmp_path / "music"], collection="reference")
    level = pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    expected = {
        ("reference", "200 Hz"): (0.0, [], level),
        ("reference", "padded"): (0.75, [0.0, 4.0, 6.0, 8.0], level),
    }
    assert silence(fresh_database) == expected
    execute(
        fresh_database,
        "UPDATE mirpipe.track "
        "SET silent_share = NULL, silent_parts = NULL, sounding_rms_dbfs = NULL",
    )
    # The tracks of another collection are copies, whose facts would be copied if they were known.
    ingest([tmp_path / "music"], collection="target")
    ingest([tmp_path / "music"], collection="reference")
    targets = {("target", title): values for (_, title), values in expected.items()}
    assert silence(fresh_database) == expected | targets
    ingest([tmp_path / "music"], collection="reference")
    with fresh_database.reader.connect() as connection:
        query = "SELECT count(*) FROM mirpipe.pending_waveform"
        assert connection.execute(text(query)).scalar_one() == 0
