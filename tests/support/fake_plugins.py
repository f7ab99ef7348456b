"""Fake plug-ins, which tests add to the ones that ship."""

import importlib
from pathlib import Path

import pytest


def folder_of(kind: str) -> str:
    """Return the folder of fakes of one kind: encoders, track_metrics, captioners, generators."""
    return str(Path(__file__).parent / f"fake_{kind}")


def add_fakes(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    """Let the registry find the fakes of these kinds until the test ends."""
    for kind in kinds:
        package = importlib.import_module(f"mirpipe.plugins.{kind}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, folder_of(kind)])
