"""Tests for the command `mirpipe`: help, error messages and exit codes."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli import main
from mirpipe.db import queries
from mirpipe.db.engine import close_engines, has_schema
from mirpipe.orchestration.home_lock import hold_lock, record_file
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.audio_files import tones
from tests.support.databases import Database

COMMANDS = [
    # The commands in the order in which the help lists them.
    "up",
    "dashboard",
    "db",
    "ingest",
    "embed",
    "score",
    "analyse",
    "retrieve",
    "evaluate",
    "report",
    "run",
    "caption",
    "generate",
    "search",
    "status",
    "quality",
    "failures",
    "tags",
    "encoders",
    "models",
    "published",
    "playlist",
    "export",
    "vectors",
    "verify",
    "settings",
    "doctor",
    "backup",
    "restore",
]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILURE = queries.Failure(
    "embed", "musicnn", "target:00", "a title", 1, "target", "truncated", "it is truncated",
    False, 1, NOW, NOW, "0123",
)  # fmt: skip


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main.app, list(arguments))
    return result.exit_code, result.stdout


def test_help_names_every_command() -> None:
    code, output = invoke("--help")
    assert code == 0
    assert "Exit codes:\n\n      0  everything is done" in output
    assert [name for name in COMMANDS if f"  {name} " not in output] == []


@pytest.mark.parametrize(
    "group", [[], *([name] for name in ("db", "listening", "models", "published", "vectors"))]
)
def test_no_line_in_a_list_of_commands_is_cut_off(group: list[str]) -> None:
    result = CliRunner().invoke(main.app, [*group, "--help"], env={"COLUMNS": "80"})
    _, _, commands = result.stdout.partition("Commands:\n")
    assert commands
    assert [line for line in commands.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("module", ["mirpipe.cli.main", "mirpipe.stages.evaluate"])
def test_starting_a_command_or_planning_work_loads_no_large_library(module: str) -> None:
    """Airflow starts a process for each stage and each plan, so each second counts often."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    large = {"airflow", "librosa", "numba", "onnxruntime", "pandas", "scipy", "streamlit", "torch"}
    loaded = set(output.stdout.split())
    assert "mirpipe" in loaded
    assert not large & loaded


def test_unknown_command_is_wrong_usage() -> None:
    assert invoke("conquer")[0] == 2


def test_an_expected_error_is_one_message_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    monkeypatch.setattr("sys.argv", ["mirpipe", "status"])
    with pytest.raises(SystemExit) as exit_:
        main.main()
    errors = capsys.readouterr().err
    assert exit_.value.code == 1
    assert "mirpipe: " in errors
    assert "Traceback" not in errors
    assert "secret" not in errors


def test_status_of_an_empty_database_names_the_next_command(fresh_database: Database) -> None:
    code, output = invoke("status")
    assert code == 0
    assert "mirpipe ingest FOLDER" in output


def test_status_beside_a_running_up_names_no_command_that_does_its_work(
    fresh_database: Database,
) -> None:
    record = record_file(settings().home)
    with hold_lock(settings().home):
        record.write_text("{}")
        code, output = invoke("status")
    record.unlink()
    assert code == 0
    assert output.count("`mirpipe up` is running") == 2
    assert "run `mirpipe" not in output


def test_status_of_a_new_home_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("MIRPIPE_HOME", str(home))
    settings.cache_clear()
    code, output = invoke("status")
    assert code == 0
    assert f"home: {home}" in output
    assert "database: none yet; run `mirpipe up" in output
    assert not home.exists()


def test_status_of_a_stopped_server_does_not_start_it(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    server.down()
    monkeypatch.setenv("MIRPIPE_HOME", str(server.folder.parent))
    settings.cache_clear()
    status = json.loads(invoke("status", "--json")[1])
    assert status["home"] == str(server.folder.parent)
    assert status["database"].startswith("stopped; run `mirpipe up`")
    assert server.pid is None


def test_status_of_a_server_that_is_being_prepared_changes_nothing(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(server.folder.parent))
    settings.cache_clear()
    close_engines()
    with hold_lock(settings().home):
        record_file(settings().home).write_text("{}")
        assert "database: starting" in invoke("status")[1], "Postgres does not run yet"
        server.up()
        assert "database: starting" in invoke("status")[1], "there is no schema yet"
    record_file(settings().home).unlink()
    assert "database: running without tables; run `mirpipe db up`" in invoke("status")[1]
    assert not has_schema()
    close_engines()


def test_status_as_json_is_one_object(fresh_database: Database) -> None:
    code, output = invoke("status", "--json")
    assert code == 0
    assert json.loads(output) == {
        "home": str(settings().home),
        "database": "running",
        "library": [],
        "pending": [],
        "failures": [],
        "challengers": [],
        "unavailable": [],
        "last_run": None,
    }


def test_status_shows_pending_work_directly_after_ingest(
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


def test_an_unknown_encoder_does_not_stop_the_others(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "nonesuch,musicnn")
    settings.cache_clear()
    tones(tmp_path, [220, 330])
    assert invoke("ingest", str(tmp_path), "--collection", "reference")[0] == 0
    code, output = invoke("embed")
    assert code == 1
    assert "embedded 2" in output


def test_run_prints_the_counts_of_all_stages_as_one_json_object(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "musicnn")
    settings.cache_clear()
    for collection, hertz in (("reference", [220, 330]), ("target", [440])):
        tones(tmp_path / collection, hertz)
        assert invoke("ingest", str(tmp_path / collection), "--collection", collection)[0] == 0
    code, output = invoke("run", "--json")
    counts = json.loads(output)
    assert code == 0
    assert counts["embed"] == {"embedded": 3, "rejected": 0, "failed": 0}
    assert counts["score"]["failed"] == 0
    assert counts["analyse"] == {"measured": 3, "rejected": 0, "failed": 0}
    assert [encoder["encoder"] for encoder in counts["retrieve"]["encoders"]] == ["musicnn"]
    assert counts["report"]["changed"] is True


def test_failures_names_the_encoder(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.cli.failures.queries.failures", lambda **_: [FAILURE])
    code, output = invoke("failures")
    assert code == 0
    assert output.splitlines()[1].split()[:4] == ["embed", "musicnn", "truncated", "a"]


@pytest.mark.parametrize("content", [None, "no JSON", '["x"]', '{"a": 1}'])
@pytest.mark.parametrize("command", ["embed", "score", "evaluate"])
def test_a_manifest_without_a_list_of_ids_is_wrong_usage(
    command: str, content: str | None, tmp_path: Path
) -> None:
    manifest = tmp_path / "ids.json"
    if content is not None:
        manifest.write_text(content)
    assert invoke(command, "--manifest", str(manifest))[0] == 2


def test_the_error_about_a_wrong_setting_does_not_show_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "a secret")
    monkeypatch.setattr("sys.argv", ["mirpipe", "status"])
    with pytest.raises(SystemExit):
        main.main()
    errors = capsys.readouterr().err
    assert "MIRPIPE_SLOTS" in errors
    assert "a secret" not in errors


def test_settings_hides_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://me:secret@127.0.0.1/db")
    monkeypatch.setenv("MIRPIPE_AIRFLOW_ADMIN_PASSWORD", "secret")
    code, output = invoke("settings")
    assert code == 0
    assert "MIRPIPE_DATABASE_URL" in output
    assert "secret" not in output
