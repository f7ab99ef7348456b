"""A small library, and who reads its files."""

import os
from pathlib import Path

import pytest

from mirpipe.stages import ingest as stage
from tests.support import hostile_files


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three tracks, one of them in a folder below."""
    folder = tmp_path / "library"
    (folder / "below").mkdir(parents=True)
    for seed, name in enumerate(("one.wav", "two.flac", "below/three.ogg")):
        kind = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG"}[name.rpartition(".")[2]]
        (folder / name).write_bytes(hostile_files.encode(kind, hostile_files.music(seed=seed)))
    return folder


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that ingest opened to read their bytes."""
    names: list[str] = []
    identify = stage.identify

    def noted(candidate: stage.Candidate) -> stage.Reading:
        names.append(os.fsdecode(candidate.path).rpartition("/")[2])
        return identify(candidate)

    monkeypatch.setattr(stage, "identify", noted)
    return names
