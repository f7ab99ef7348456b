"""`mirpipe evaluate`: what it does, prints and exits with."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mirpipe.cli import evaluate as command
from mirpipe.errors import RejectedInput
from mirpipe.stages import evaluate as stage
from tests.conftest import Database
from tests.library import ingest_folder, tones


@pytest.fixture(autouse=True)
def _two_tracks(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path / "music", [220, 330])
    ingest_folder(tmp_path / "music", "reference")


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(command.evaluate)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def counts(kind: str, *, measured: int = 0, **others: int) -> dict[str, int]:
    every = {"measured": measured, "undefined": 0, "rejected": 0, "failed": 0} | others
    return {f"{kind}_{name}": value for name, value in every.items()}


def test_both_kinds_are_evaluated_and_the_second_time_nothing() -> None:
    first, second = run("--json"), run("--json")

    assert json.loads(first.stdout) == counts("tracks", measured=2) | counts("pairs")
    assert json.loads(second.stdout) == counts("tracks") | counts("pairs")
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_without_json_a_sentence_a_kind() -> None:
    assert run().stdout.splitlines() == [
        "tracks: measured 2, undefined 0, rejected 0, failed 0",
        "pairs: measured 0, undefined 0, rejected 0, failed 0",
    ]


@pytest.mark.parametrize("only", ["tracks", "pairs"])
def test_only_one_kind_on_demand(only: str) -> None:
    found = json.loads(run("--only", only, "--json").stdout)
    assert {name.split("_")[0] for name in found} == {only}


def test_only_tracks_of_the_manifest(tmp_path: Path) -> None:
    ((track_id,), _) = stage.plan_tracks(batch_tracks=1)
    (tmp_path / "ids.json").write_text(json.dumps([track_id]))

    found = run("--only", "tracks", "--manifest", tmp_path / "ids.json", "--json")

    assert json.loads(found.stdout) == counts("tracks", measured=1)
    assert track_id not in stage.plan_tracks(batch_tracks=1)[0]


@pytest.mark.parametrize(
    ("problem", "name", "exit_code"),
    [(OSError("disk"), "failed", 1), (RejectedInput("truncated", "breaks off"), "rejected", 3)],
)
def test_exit_code_tells_failures_from_bad_input(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, name: str, exit_code: int
) -> None:
    def load(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(stage.audio, "load_mono", load)

    found = run("--json")

    assert found.exit_code == exit_code
    assert json.loads(found.stdout) == counts("tracks", **{name: 2}) | counts("pairs")
