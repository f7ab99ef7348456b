"""Tests for `mirpipe analyse`: results, output and exit codes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mirpipe.cli import analyse as command
from mirpipe.errors import RejectedInput
from mirpipe.stages import analyse as stage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database


@pytest.fixture(autouse=True)
def _two_tracks(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path / "music", [220, 330])
    ingest_folder(tmp_path / "music", "reference")


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(command.analyse)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def counts(*, measured: int = 0, rejected: int = 0, failed: int = 0) -> dict[str, int]:
    return {"measured": measured, "rejected": rejected, "failed": failed}


def test_first_run_measures_every_track_and_second_run_none() -> None:
    first, second = run("--json"), run("--json")

    assert json.loads(first.stdout) == counts(measured=2)
    assert json.loads(second.stdout) == counts()
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_counts_are_printed_on_one_line_without_json() -> None:
    assert run().stdout.splitlines() == ["measured 2, rejected 0, failed 0"]


def test_only_tracks_of_the_manifest_are_measured(tmp_path: Path) -> None:
    track_id, other_id = stage.plan()
    (tmp_path / "ids.json").write_text(json.dumps([track_id]))

    result = run("--manifest", tmp_path / "ids.json", "--json")

    assert json.loads(result.stdout) == counts(measured=1)
    assert stage.plan() == [other_id]


@pytest.mark.parametrize(
    ("problem", "name", "exit_code"),
    [(OSError("disk"), "failed", 1), (RejectedInput("truncated", "is truncated"), "rejected", 3)],
)
def test_exit_code_is_1_after_a_failure_and_3_after_bad_input(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, name: str, exit_code: int
) -> None:
    def load(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(stage.audio, "load_sounding", load)

    result = run("--json")

    assert result.exit_code == exit_code
    assert json.loads(result.stdout) == counts(**{name: 2})
