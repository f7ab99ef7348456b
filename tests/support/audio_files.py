"""Small audio files for tests, and ingesting them."""

from pathlib import Path

import numpy as np
import soundfile

from mirpipe.records import Collection
from mirpipe.stages.ingest import ingest

SAMPLE_RATE = 8000


def tone(path: Path, hertz: float, *, seconds: float = 2.0, level: float = 0.5) -> Path:
    """A sine in a WAV file; other arguments make another content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    soundfile.write(path, level * np.sin(2 * np.pi * hertz * time), SAMPLE_RATE)
    return path


def tones(folder: Path, hertz: list[float]) -> None:
    """A tone a file, named by its frequency."""
    for frequency in hertz:
        tone(folder / f"{frequency:g} Hz.wav", frequency)


def ingest_folder(folder: Path, collection: Collection) -> None:
    """Ingests the folder; empty is allowed."""
    ingest([folder], collection=collection, allow_empty=True)
