"""What tests of stages share: plug-ins that are cheap enough to run on every test."""

from pathlib import Path

import pytest

import mirpipe.captioners
import mirpipe.encoders
import mirpipe.generators
import mirpipe.track_metrics
from mirpipe.settings import settings


@pytest.fixture
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `tests/fake_encoders/tiny.py` an encoder like those that ship."""
    fakes = str(Path(__file__).parents[1] / "fake_encoders")
    monkeypatch.setattr(mirpipe.encoders, "__path__", [*mirpipe.encoders.__path__, fakes])


@pytest.fixture
def _fake_track_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `tests/fake_track_metrics/` models that score tracks, like those that ship."""
    fakes = str(Path(__file__).parents[1] / "fake_track_metrics")
    package = mirpipe.track_metrics
    monkeypatch.setattr(package, "__path__", [*package.__path__, fakes])


@pytest.fixture
def _echo_and_beep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the fake captioner and generator the wanted ones."""
    tests = Path(__file__).parents[1]
    for package, fakes in (
        (mirpipe.captioners, "fake_captioners"),
        (mirpipe.generators, "fake_generators"),
    ):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tests / fakes)])
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "echo")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "beep")
    settings.cache_clear()
