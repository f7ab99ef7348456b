"""Servers are reached at the address on which they listen, and ports are probed there."""

import socket
from pathlib import Path

import httpx
import pytest

from mirpipe.errors import ConfigurationError
from mirpipe.orchestration.dashboard_server import DASHBOARD, start_dashboard
from mirpipe.orchestration.server_address import is_port_free, local_url
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import Settings, settings


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("127.0.0.2", "http://127.0.0.2:8501"),
        ("192.0.2.5", "http://192.0.2.5:8501"),
        ("0.0.0.0", "http://127.0.0.1:8501"),
        ("::", "http://[::1]:8501"),
        ("2001:db8::5", "http://[2001:db8::5]:8501"),
    ],
)
def test_a_server_is_reached_where_it_listens(bind: str, url: str) -> None:
    assert local_url(bind, 8501) == url


def test_a_port_is_probed_on_the_address_of_the_server() -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_port_free("127.0.0.2", port)
        assert not is_port_free("0.0.0.0", port)
        assert is_port_free("127.0.0.3", port)


def test_an_address_of_another_machine_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1 .*MIRPIPE_BIND"):
        is_port_free("192.0.2.1", 8501)


@pytest.mark.parametrize("bind", ["", "localhost", "unix:///tmp/socket", "music.example"])
def test_only_an_ip_address_is_accepted(bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_BIND", bind)
    with pytest.raises(ConfigurationError, match="MIRPIPE_BIND"):
        settings()


def test_the_dashboard_starts_on_another_address_of_this_machine(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, bind="127.0.0.2")
    with Servers(tmp_path, logs=tmp_path / "logs", stop_order=[[DASHBOARD]]) as servers:
        url = start_dashboard(chosen, servers)
        assert url.startswith("http://127.0.0.2:")
        assert httpx.get(f"{url}/_stcore/health", trust_env=False).text == "ok"
