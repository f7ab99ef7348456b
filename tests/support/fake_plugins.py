"""Adds fake plug-ins to the shipped plug-ins for one test."""

import importlib
from pathlib import Path

import pytest


def folder_of(kind: str) -> str:
    """Return the folder with the fakes of one kind, such as `encoders` or `track_metrics`."""
    return str(Path(__file__).parent / f"fake_{kind}")


def add_fakes(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    """Let the registry find the fake plug-ins of these kinds until the test ends."""
    for kind in kinds:
        package = importlib.import_module(f"mirpipe.plugins.{kind}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, folder_of(kind)])
