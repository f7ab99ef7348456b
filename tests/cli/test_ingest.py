"""`mirpipe ingest`: what it prints and how it ends."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mirpipe.cli.ingest import ingest
from mirpipe.stages.ingest import IngestResult
from tests import hostile

pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """One usable file."""
    folder = tmp_path / "-library"
    folder.mkdir()
    (folder / "good.wav").write_bytes(hostile.encode("WAV"))
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

    monkeypatch.setattr("mirpipe.reading.inspect", explode)
    assert run("--collection", "reference", library).exit_code == 1


def test_json_holds_every_count(library: Path) -> None:
    ended = run("--collection", "reference", "--json", library)
    assert set(json.loads(ended.stdout)) == set(IngestResult.__dataclass_fields__)


@pytest.mark.parametrize("arguments", [[], ["--collection", "generated"], ["--collection", "x"]])
def test_only_references_and_targets_come_from_folders(library: Path, arguments: list[str]) -> None:
    ended = run(*arguments, library)
    assert ended.exit_code == 2
    assert "--collection" in ended.stderr
