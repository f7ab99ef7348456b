"""Tests of which addresses need a login, and of the start command."""

from pathlib import Path

import pytest

from mirpipe.errors import ConfigurationError
from mirpipe.orchestration.dashboard_login import (
    has_openid_connect,
    is_local,
    login_problem,
    require_login,
)
from mirpipe.orchestration.dashboard_server import start_dashboard
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let Streamlit's secrets be in an empty home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "unix:///s"])
def test_an_address_of_this_machine_alone_needs_no_login(address: str) -> None:
    assert is_local(address)
    assert login_problem(Settings(), address=address, openid_connect=False) is None


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.5", "music.example"])
def test_other_addresses_need_one_of_three_settings(address: str | None) -> None:
    problem = login_problem(Settings(), address=address, openid_connect=False)
    assert problem is not None
    for remedy in ("[auth]", "MIRPIPE_DASHBOARD_USER_HEADER", "MIRPIPE_DASHBOARD_WITHOUT_LOGIN"):
        assert remedy in problem
    header = Settings(dashboard_user_header="X-User")
    assert login_problem(header, address=address, openid_connect=False) is None
    is_open = Settings(dashboard_without_login=True)
    assert login_problem(is_open, address=address, openid_connect=False) is None
    assert login_problem(Settings(), address=address, openid_connect=True) is None


def test_the_start_command_refuses_an_address_without_a_login(tmp_path: Path) -> None:
    settings = Settings(bind="0.0.0.0", home=tmp_path)
    servers = Servers(tmp_path, logs=tmp_path / "logs", stop_order=())
    with pytest.raises(ConfigurationError, match="where others can reach it without"):
        start_dashboard(settings, servers)
    assert not (tmp_path / "logs").exists()


def test_the_start_command_finds_a_login_in_streamlits_secrets(home: Path) -> None:
    settings = Settings(bind="0.0.0.0")
    secrets = home / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text("[database]\n")
    assert not has_openid_connect()
    with pytest.raises(ConfigurationError):
        require_login(settings)
    secrets.write_text("[auth]\n")
    assert has_openid_connect()
    require_login(settings)
    secrets.write_text("[auth")
    with pytest.raises(ConfigurationError, match=r"Cannot read .*secrets\.toml"):
        require_login(settings)
