"""What tests of stages share: an encoder that is cheap enough to run on every test."""

from pathlib import Path

import pytest

import mirpipe.encoders


@pytest.fixture
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `tests/fake_encoders/tiny.py` an encoder like those that ship."""
    fakes = str(Path(__file__).parents[1] / "fake_encoders")
    monkeypatch.setattr(mirpipe.encoders, "__path__", [*mirpipe.encoders.__path__, fakes])
