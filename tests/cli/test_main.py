"""The top of the command line: the tour, errors as sentences, exit codes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli import main
from mirpipe.db import queries
from mirpipe.settings import settings
from tests.support.audio_files import tones
from tests.support.databases import Database

COMMANDS = [
    # in the order of the tour
    "up",
    "db",
    "ingest",
    "embed",
    "score",
    "retrieve",
    "evaluate",
    "report",
    "run",
    "search",
    "status",
    "failures",
    "encoders",
    "models",
    "verify",
    "settings",
]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILURE = queries.Failure(
    "embed", "musicnn", "target:00", "a title", "target", "truncated", "it breaks off",
    False, 1, NOW, NOW, "0123",
)  # fmt: skip


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main.app, list(arguments))
    return result.exit_code, result.stdout


def test_help_is_a_tour_that_names_every_command() -> None:
    code, said = invoke("--help")
    assert code == 0
    assert "Exit codes: 0 all done" in said
    assert [name for name in COMMANDS if f"  {name} " not in said] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    code, said = invoke(command, "--help")
    assert code == 0
    assert len(said.splitlines()) > 5


def test_unknown_command_is_wrong_usage() -> None:
    assert invoke("conquer")[0] == 2


def test_error_on_purpose_is_one_sentence_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    monkeypatch.setattr("sys.argv", ["mirpipe", "status"])
    with pytest.raises(SystemExit) as exit_:
        main.main()
    said = capsys.readouterr().err
    assert exit_.value.code == 1
    assert "mirpipe: " in said
    assert "Traceback" not in said
    assert "secret" not in said


def test_status_of_an_empty_database_says_what_to_do(fresh_database: Database) -> None:
    code, said = invoke("status")
    assert code == 0
    assert "mirpipe ingest FOLDER" in said


def test_status_as_json_is_one_object(fresh_database: Database) -> None:
    code, said = invoke("status", "--json")
    assert code == 0
    assert json.loads(said) == {
        "library": [],
        "pending": [],
        "failures": [],
        "unavailable": [],
        "last_run": None,
    }


def test_what_is_pending_is_known_right_after_an_ingest(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330])
    assert invoke("ingest", str(tmp_path), "--collection", "reference")[0] == 0
    pending = json.loads(invoke("status", "--json")[1])["pending"]
    assert {(work["stage"], work["plugin"], work["items"]) for work in pending} == {
        ("embed", "musicnn", 2),
        ("embed", "signal", 2),
        ("analyse", "features", 2),
        ("analyse", "melody", 2),
    }


def test_encoder_that_does_not_exist_does_not_stop_the_others(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "nonesuch,musicnn")
    settings.cache_clear()
    tones(tmp_path, [220, 330])
    assert invoke("ingest", str(tmp_path), "--collection", "reference")[0] == 0
    code, said = invoke("embed")
    assert code == 1
    assert "embedded 2" in said


def test_run_as_json_is_one_object_with_the_counts_of_its_parts(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "musicnn")
    settings.cache_clear()
    for collection, hertz in (("reference", [220, 330]), ("target", [440])):
        tones(tmp_path / collection, hertz)
        assert invoke("ingest", str(tmp_path / collection), "--collection", collection)[0] == 0
    code, said = invoke("run", "--json")
    parts = json.loads(said)
    assert code == 0
    assert parts["embed"] == {"embedded": 3, "rejected": 0, "failed": 0}
    assert parts["score"]["failed"] == 0
    assert parts["analyse"] == {"measured": 3, "rejected": 0, "failed": 0}
    assert [encoder["encoder"] for encoder in parts["retrieve"]["encoders"]] == ["musicnn"]
    assert parts["report"]["changed"] is True


def test_the_ledger_names_the_encoder(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.cli.failures.queries.failures", lambda **_: [FAILURE])
    code, said = invoke("failures")
    assert code == 0
    assert said.splitlines()[1].split()[:4] == ["embed", "musicnn", "truncated", "a"]


@pytest.mark.parametrize("content", [None, "no JSON", '["x"]', '{"a": 1}'])
@pytest.mark.parametrize("command", ["embed", "score", "evaluate"])
def test_manifest_that_is_no_list_of_ids_is_wrong_usage(
    command: str, content: str | None, tmp_path: Path
) -> None:
    manifest = tmp_path / "ids.json"
    if content is not None:
        manifest.write_text(content)
    assert invoke(command, "--manifest", str(manifest))[0] == 2


def test_setting_that_is_wrong_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "a secret")
    monkeypatch.setattr("sys.argv", ["mirpipe", "status"])
    with pytest.raises(SystemExit):
        main.main()
    said = capsys.readouterr().err
    assert "MIRPIPE_SLOTS" in said
    assert "a secret" not in said


def test_settings_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://me:secret@127.0.0.1/db")
    monkeypatch.setenv("MIRPIPE_AIRFLOW_ADMIN_PASSWORD", "secret")
    code, said = invoke("settings")
    assert code == 0
    assert "MIRPIPE_DATABASE_URL" in said
    assert "secret" not in said
