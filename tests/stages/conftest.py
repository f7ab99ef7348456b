"""What tests of stages share: plug-ins that are cheap enough to run on every test."""

import pytest

from mirpipe.settings import settings
from tests.support.fake_plugins import add_fakes


@pytest.fixture
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `tests/support/fake_encoders/tiny.py` an encoder like those that ship."""
    add_fakes(monkeypatch, "encoders")


@pytest.fixture
def _fake_track_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `tests/support/fake_track_metrics/` models that score tracks, like those that ship."""
    add_fakes(monkeypatch, "track_metrics")


@pytest.fixture
def _echo_and_beep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the fake captioner and generator the wanted ones."""
    add_fakes(monkeypatch, "captioners", "generators")
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "echo")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "beep")
    settings.cache_clear()
