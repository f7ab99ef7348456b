"""Fixtures for the stage tests: fake plug-ins that are fast enough for every test."""

import pytest

from mirpipe.settings import settings
from tests.support.fake_plugins import add_fakes


@pytest.fixture
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the fake encoders of `tests/support/fake_encoders/`, such as `tiny`."""
    add_fakes(monkeypatch, "encoders")


@pytest.fixture
def _fake_track_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the fake track metrics of `tests/support/fake_track_metrics/`."""
    add_fakes(monkeypatch, "track_metrics")


@pytest.fixture
def _echo_and_beep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the fake captioner `echo` and the fake generator `beep`, and configure them."""
    add_fakes(monkeypatch, "captioners", "generators")
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "echo")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "beep")
    settings.cache_clear()
