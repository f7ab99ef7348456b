"""What tests of stages share: plug-ins that are cheap enough to run on every test."""

from pathlib import Path

import pytest

import mirpipe.encoders
import mirpipe.track_metrics


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
