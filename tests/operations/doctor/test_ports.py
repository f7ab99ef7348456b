"""Tests for the port check: free ports, ports in use, and ports after a killed `mirpipe up`."""

import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.operations.doctor import ports
from mirpipe.settings import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    settings.cache_clear()
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_of_another_program_is_reported(
    home: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_DASHBOARD_PORT", str(taken))
    settings.cache_clear()
    findings = {finding.message: finding for finding in ports.check()}
    finding = findings[f"{taken} is used by another program"]
    assert "MIRPIPE_DASHBOARD_PORT" in finding.remedy


def test_a_running_up_and_a_killed_up_are_distinguished(home: Path) -> None:
    (home / "up.json").write_text("{}")
    with (home / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (running,) = ports.check()
    assert (running.level, running.message[:12]) == ("ok", "`mirpipe up`")
    killed = next(iter(ports.check()))
    assert (killed.level, "was killed" in killed.message) == ("warning", True)
