"""`mirpipe dashboard` shows a database without any other server."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.databases import Database
from tests.support.waiting import eventually


@contextmanager
def running_dashboard() -> Iterator[subprocess.Popen[str]]:
    """Start the dashboard, wait until it answers, and ask it to stop."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("mirpipe"), "dashboard", "--no-browser"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert address
        eventually(lambda: responds(f"{address[0]}/_stcore/health"), seconds=60)
        yield process
    finally:
        process.terminate()


def test_the_dashboard_runs_until_it_is_stopped(fresh_database: Database) -> None:
    with running_dashboard() as process:
        pass
    # Uvicorn stops the server, and then the signal ends the process.
    assert process.wait(20) == -signal.SIGTERM


def test_a_browser_is_opened_at_once_for_a_new_user(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit would first ask for an e-mail address."""
    opened, programs = tmp_path / "opened", tmp_path / "programs"
    programs.mkdir()
    opener = programs / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" >{opened}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    program = Path(sys.executable).with_name("mirpipe")
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "dashboard"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: process.poll() is not None or opened.exists(), seconds=60)
        assert process.poll() is None, log.read_text()
        eventually(lambda: opened.read_text().startswith("http://127.0.0.1:"), seconds=10)
    finally:
        process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    assert "mail" not in log.read_text()
    assert "Streamlit" not in log.read_text(), "the address is printed twice"


def test_no_other_machine_is_asked_for_the_address_of_this_one(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit would ask a web server for it if the dashboard listens on all addresses."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("MIRPIPE_BIND", "0.0.0.0")
        monkeypatch.setenv("MIRPIPE_DASHBOARD_WITHOUT_LOGIN", "true")
        with running_dashboard() as process:
            pass
        process.wait(20)
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def responds(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).text == "ok"
    except httpx.TransportError:
        return False


def test_without_a_database_nothing_is_started(fresh_database: Database) -> None:
    program = Path(sys.executable).with_name("mirpipe")
    done = subprocess.run(
        [program, "dashboard", "--no-browser"],
        env={"MIRPIPE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("mirpipe: ")
    assert "dashboard  http" not in done.stderr
