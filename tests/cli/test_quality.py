"""`mirpipe quality` and the findings that ingest stores."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db.store.tracks import usable_tracks
from mirpipe.records import MonoMix
from mirpipe.stages.ingest import ingest
from tests.support.databases import Database
from tests.support.encoded_audio import RATE, encode, music


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with an ordinary track, one with inverted channels, and one with DC."""
    sound = music(3.0)
    for name, samples in (
        ("ordinary", sound),
        ("inverted", np.hstack([sound, -sound])),
        ("offset", music(3.0, seed=1) + np.float32(0.1)),
    ):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
    return tmp_path


def quality(*options: str) -> str:
    result = CliRunner().invoke(app, ["quality", *options])
    assert result.exit_code == 0
    return result.output


def test_findings_are_listed_and_filtered(fresh_database: Database, folder: Path) -> None:
    assert quality() == "no findings\n"
    ingest([folder], collection="reference")
    rows = json.loads(quality("--json"))
    assert [(row["kind"], row["severity"], row["title"]) for row in rows] == [
        ("dc_offset", "warning", "offset"),
        ("inverted_channel", "warning", "inverted"),
    ]
    assert rows[0]["path"] == str(folder / "offset.wav")
    assert [row["title"] for row in json.loads(quality("--json", "--kind", "dc_offset"))] == [
        "offset"
    ]
    assert json.loads(quality("--json", "--collection", "target")) == []
    assert "It is removed." in quality()


def test_every_later_stage_reads_the_stored_way_to_mono(
    fresh_database: Database, folder: Path
) -> None:
    ingest([folder], collection="reference")
    with fresh_database.app.connect() as connection:
        by_title = {track.title: track.mono for track in usable_tracks(connection, range(100))}
    assert by_title["ordinary"] == MonoMix()
    assert by_title["inverted"] == MonoMix(channel=0)
    assert by_title["offset"] is not None
    assert by_title["offset"].dc_offset == pytest.approx(0.1, abs=1e-3)


def test_the_next_ingest_measures_tracks_of_an_earlier_version(
    fresh_database: Database, folder: Path
) -> None:
    ingest([folder], collection="reference")
    expected = quality("--json")
    with fresh_database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.track_audio"))
        connection.execute(text("DELETE FROM mirpipe.finding"))
        connection.execute(text("UPDATE mirpipe.track SET seconds = 1.5, rms_dbfs = -99"))
        tracks = usable_tracks(connection, range(100))
        assert {track.mono for track in tracks} == {None}
    ingest([folder], collection="reference")
    assert quality("--json") == expected
    with fresh_database.app.connect() as connection:
        tracks = usable_tracks(connection, range(100))
    assert {track.seconds for track in tracks} == {3.0}
    assert all(track.mono is not None and track.rms_dbfs > -30 for track in tracks)


def test_a_track_in_two_collections_has_its_findings_in_both(
    fresh_database: Database, folder: Path
) -> None:
    for collection in ("reference", "target"):
        ingest([folder], collection=collection)  # type: ignore[arg-type]  # each is a collection
    rows = json.loads(quality("--json", "--kind", "dc_offset"))
    assert [row["collection"] for row in rows] == ["reference", "target"]


def test_a_finding_goes_with_the_content_of_its_file(
    fresh_database: Database, folder: Path
) -> None:
    ingest([folder], collection="reference")
    (folder / "offset.wav").write_bytes(encode("WAV", music(3.0, seed=2)))
    ingest([folder], collection="reference")
    assert [row["kind"] for row in json.loads(quality("--json"))] == ["inverted_channel"]
