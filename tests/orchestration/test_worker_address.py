"""The address under which the API server reaches a worker's machine."""

import socket

import pytest

from mirpipe.orchestration.worker_address import worker_address


def test_the_configured_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_ADDRESS", "10.8.0.2")
    assert worker_address() == "10.8.0.2"


@pytest.mark.parametrize("value", [None, ""])
def test_without_an_address_the_host_name_is_used(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("WORKER_ADDRESS", raising=False)
    if value is not None:  # as an empty line in .env
        monkeypatch.setenv("WORKER_ADDRESS", value)
    assert worker_address() == socket.gethostname()
