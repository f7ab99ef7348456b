"""`mirpipe ingest`: what it prints and how it ends."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mirpipe.cli.ingest import ingest
from mirpipe.stages.ingest import IngestResult
from tests.support import hostile_files

pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """One usable file."""
    folder = tmp_path / "-library"
    folder.mkdir()
    (folder / "good.wav").write_bytes(hostile_files.encode("WAV"))
    return folder


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(ingest)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_all_usable_ends_with_0_and_a_summary(library: Path) -> None:
    ended = run("--collection", "reference", library)
    assert ended.exit_code == 0
    assert [line.split()[:2] for line in ended.stdout.splitlines()] == [
        ["1", "seen"],
        ["1", "added"],
    ]
    assert "1 of 1" in ended.stderr


def test_unusable_files_end_with_3_newly_and_still(library: Path) -> None:
    (library / "bad.wav").write_bytes(b"")
    for _ in range(2):
        ended = run("--collection", "target", "--json", library)
        assert ended.exit_code == 3
        assert json.loads(ended.stdout)["rejected"] == 1


def test_what_is_not_the_files_fault_ends_with_1(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(_path: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr("mirpipe.library.ingested_file.inspect", explode)
    assert run("--collection", "reference", library).exit_code == 1


def test_json_holds_every_count(library: Path) -> None:
    ended = run("--collection", "reference", "--json", library)
    assert set(json.loads(ended.stdout)) == set(IngestResult.__dataclass_fields__)


@pytest.mark.parametrize("arguments", [[], ["--collection", "generated"], ["--collection", "x"]])
def test_only_references_and_targets_come_from_folders(library: Path, arguments: list[str]) -> None:
    ended = run(*arguments, library)
    assert ended.exit_code == 2
    assert "--collection" in ended.stderr


def test_rows_of_the_manifest_that_match_no_file_are_named(library: Path) -> None:
    manifest = library / "labels.csv"
    rows = [f"lost {number:02}.wav" for number in range(12)]
    manifest.write_text("\n".join(["path", "good.wav", *rows]))
    ended = run("--collection", "reference", "--manifest", manifest, library)
    assert ended.exit_code == 0
    named = [line.strip() for line in ended.stderr.splitlines() if "lost" in line]
    assert named == [f"line {number + 3}: {row}" for number, row in enumerate(rows[:10])]
    assert "and 2 more" in ended.stderr
    assert "good.wav" not in ended.stderr


def test_a_folder_without_audio_says_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    ended = run("--collection", "reference", tmp_path)
    assert ended.exit_code == 0
    assert f"nothing in {tmp_path}" in ended.stderr
    assert {".flac", ".mp3", ".wav"} < set(ended.stderr.split())
    assert run("--collection", "reference", "--allow-empty", tmp_path).stderr == ""
