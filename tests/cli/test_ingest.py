"""Tests for `mirpipe ingest`: output and exit codes."""

import json
from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from typer.testing import CliRunner, Result

from mirpipe.cli.ingest import ingest
from mirpipe.settings import settings
from mirpipe.stages.ingest import IngestResult
from tests.support import encoded_audio
from tests.support.audio_files import tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder with one usable file."""
    folder = tmp_path / "-library"
    folder.mkdir()
    (folder / "good.wav").write_bytes(encoded_audio.encode("WAV"))
    return folder


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(ingest)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_folder_of_usable_files_gives_exit_code_0_and_a_summary(library: Path) -> None:
    result = run("--collection", "reference", library)
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["1", "seen"],
        ["1", "added"],
    ]
    assert "1 of 1" in result.stderr


def test_an_unusable_file_gives_exit_code_3_in_every_run(library: Path) -> None:
    (library / "bad.wav").write_bytes(b"")
    for _ in range(2):
        result = run("--collection", "target", "--json", library)
        assert result.exit_code == 3
        assert json.loads(result.stdout)["rejected"] == 1


def test_an_error_outside_the_file_gives_exit_code_1(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_error(_path: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr("mirpipe.library.ingested_file.read_facts", raise_error)
    assert run("--collection", "reference", library).exit_code == 1


def test_json_output_has_every_count(library: Path) -> None:
    result = run("--collection", "reference", "--json", library)
    assert set(json.loads(result.stdout)) == set(IngestResult.__dataclass_fields__)


@pytest.mark.parametrize("arguments", [[], ["--collection", "generated"], ["--collection", "x"]])
def test_the_collection_must_be_reference_or_target(library: Path, arguments: list[str]) -> None:
    result = run(*arguments, library)
    assert result.exit_code == 2
    assert "--collection" in result.stderr


def test_manifest_rows_without_a_file_are_listed(library: Path) -> None:
    manifest = library / "labels.csv"
    rows = [f"lost {number:02}.wav" for number in range(12)]
    manifest.write_text("\n".join(["path", "good.wav", *rows]))
    result = run("--collection", "reference", "--manifest", manifest, library)
    assert result.exit_code == 0
    listed = [line.strip() for line in result.stderr.splitlines() if "lost" in line]
    assert listed == [f"line {number + 3}: {row}" for number, row in enumerate(rows[:10])]
    assert "and 2 more" in result.stderr
    assert "good.wav" not in result.stderr


def test_the_manifest_of_the_settings_is_the_default(
    library: Path, monkeypatch: pytest.MonkeyPatch, fresh_database: Database
) -> None:
    manifest = library / "labels.csv"
    manifest.write_text("path,title\ngood.wav,A title\n")
    monkeypatch.setenv("MIRPIPE_MANIFEST", str(manifest))
    settings.cache_clear()
    run("--collection", "reference", library)
    with fresh_database.app.connect() as connection:
        titles = connection.execute(text("SELECT title FROM mirpipe.track")).scalars().all()
    assert titles == ["A title"]


def test_for_a_folder_without_audio_the_known_suffixes_are_listed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    result = run("--collection", "reference", tmp_path)
    assert result.exit_code == 0
    assert f"No audio file in {tmp_path}." in result.stderr
    assert {".flac", ".mp3", ".wav"} < set(result.stderr.split())
    assert run("--collection", "reference", "--allow-removal", tmp_path).stderr == ""


def test_many_files_that_vanish_at_once_give_exit_code_1_and_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    tones(folder / "share", [200 + 10 * number for number in range(20)])
    tones(folder, [900])
    assert run("--collection", "reference", folder).exit_code == 0
    (folder / "share").rename(tmp_path / "offline")
    result = run("--collection", "reference", "--json", folder)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["withheld"] == 20
    assert f"{folder}: 20 of 21 files are missing" in result.stderr
    assert "add --allow-removal" in result.stderr
    result = run("--collection", "reference", "--allow-removal", "--json", folder)
    assert (result.exit_code, json.loads(result.stdout)["gone"]) == (0, 20)
