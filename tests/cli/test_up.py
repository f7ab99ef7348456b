"""Tests for the options and signals of `mirpipe up`. The e2e tests run it with all servers."""

import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli import up
from mirpipe.cli.main import app
from mirpipe.errors import ConfigurationError
from mirpipe.settings import Settings, settings


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Return a list to which `mirpipe up` appends its settings, instead of starting servers."""
    received: list[Settings] = []
    monkeypatch.setattr(up, "_run", lambda settings, **_: bool(received.append(settings)))
    return received


def test_without_folders_the_error_names_the_options(chosen: list[Settings]) -> None:
    result = CliRunner().invoke(app, ["up", "--once", "--references", "somewhere"])
    assert result.exit_code == 2
    assert "--targets" in result.output
    assert chosen == []


def test_options_replace_settings_and_become_absolute(
    chosen: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIRPIPE_TARGETS", "/from/settings")
    monkeypatch.setenv("MIRPIPE_REFERENCES", "/from/settings")
    settings.cache_clear()
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["up", "--references", "a", "--references", "b"]).exit_code == 0
    assert chosen[0].references == [tmp_path / "a", tmp_path / "b"]
    assert chosen[0].targets == [Path("/from/settings")]


def test_a_missing_folder_or_manifest_is_named_before_the_servers_start(
    chosen: list[Settings], tmp_path: Path
) -> None:
    folders = ["--references", str(tmp_path), "--targets", "s3://bucket/targets"]
    assert "does not exist" not in CliRunner().invoke(app, ["up", *folders]).output
    missing = ["--targets", "/no-such-folder", "--manifest", "/no-such-file.csv"]
    result = CliRunner().invoke(app, ["up", *folders, *missing])
    assert "/no-such-folder does not exist" in result.output
    assert "/no-such-file.csv does not exist" in result.output
    assert len(chosen) == 2, "the other folders are processed"


def test_a_dashboard_without_a_login_is_refused_before_the_work_starts(
    chosen: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MIRPIPE_BIND", "0.0.0.0")
    settings.cache_clear()
    folders = ["up", "--references", "/a", "--targets", "/b"]
    with pytest.raises(ConfigurationError, match="without logging in"):
        CliRunner().invoke(app, folders, catch_exceptions=False)
    assert chosen == []
    assert CliRunner().invoke(app, [*folders, "--once"]).exit_code == 0, "--once has no dashboard"
    assert len(chosen) == 1


def test_the_first_signal_stops_it_and_later_signals_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped: list[str] = []

    def run(_settings: Settings, *, once: bool) -> bool:
        assert once
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            stopped.append("all")
        return False

    monkeypatch.setattr(up, "_run", run)
    result = CliRunner().invoke(app, ["up", "--once", "--references", "/a", "--targets", "/b"])
    assert (result.exit_code, stopped) == (130, ["all"])
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
