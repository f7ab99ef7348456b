"""Fixtures for the ingest tests: a small library, and a list of the files that ingest reads."""

import os
from pathlib import Path

import pytest

from mirpipe.library.folder_scan import Candidate
from mirpipe.library.ingested_file import IngestedFile
from mirpipe.stages.ingest import read_files as reading
from tests.stages.ingest.tables import ingest_references
from tests.support import encoded_audio
from tests.support.databases import Database


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder with three tracks, one of them in a subfolder."""
    folder = tmp_path / "library"
    (folder / "below").mkdir(parents=True)
    for seed, name in enumerate(("one.wav", "two.flac", "below/three.ogg")):
        kind = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG"}[name.rpartition(".")[2]]
        (folder / name).write_bytes(encoded_audio.encode(kind, encoded_audio.music(seed=seed)))
    return folder


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that ingest reads. The list grows during the test."""
    names: list[str] = []
    hash_file = reading.hash_file

    def record(candidate: Candidate) -> IngestedFile:
        names.append(os.fsdecode(candidate.path).rpartition("/")[2])
        return hash_file(candidate)

    monkeypatch.setattr(reading, "hash_file", record)
    return names


@pytest.fixture
def no_decoding(fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest the library as references. Any later decoding is an error."""
    ingest_references(library)

    def fail_on_decoding(_path: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("mirpipe.library.ingested_file.read_facts", fail_on_decoding)
