"""`mirpipe up` before it starts anything; that it works is for the e2e tests."""

import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli import up
from mirpipe.cli.main import app
from mirpipe.settings import Settings, settings


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which everything would have been started."""
    seen: list[Settings] = []
    monkeypatch.setattr(up, "_run", lambda settings, **_: bool(seen.append(settings)))
    return seen


def test_without_folders_it_says_how_to_name_them(chosen: list[Settings]) -> None:
    result = CliRunner().invoke(app, ["up", "--once", "--references", "somewhere"])
    assert result.exit_code == 2
    assert "--targets" in result.output
    assert chosen == []


def test_options_win_over_settings_and_are_absolute(
    chosen: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIRPIPE_TARGETS", "/from/settings")
    monkeypatch.setenv("MIRPIPE_REFERENCES", "/from/settings")
    settings.cache_clear()
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["up", "--references", "a", "--references", "b"]).exit_code == 0
    assert chosen[0].references == [tmp_path / "a", tmp_path / "b"]
    assert chosen[0].targets == [Path("/from/settings")]


def test_a_signal_ends_it_in_good_order_and_later_ones_do_not_disturb_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped: list[str] = []

    def work(_settings: Settings, *, once: bool) -> bool:
        assert once
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            stopped.append("all")
        return False

    monkeypatch.setattr(up, "_run", work)
    result = CliRunner().invoke(app, ["up", "--once", "--references", "/a", "--targets", "/b"])
    assert (result.exit_code, stopped) == (130, ["all"])
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
