"""Writes and ingests small audio files, each with one tone."""

from pathlib import Path

import numpy as np
import soundfile

from mirpipe.records import Collection
from mirpipe.stages.ingest import ingest

SAMPLE_RATE = 8000


def tone(path: Path, hertz: float, *, seconds: float = 2.0, level: float = 0.5) -> Path:
    """Write a sine wave to a WAV file and return the path. The arguments determine the content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    soundfile.write(path, level * np.sin(2 * np.pi * hertz * time), SAMPLE_RATE)
    return path


def tones(folder: Path, hertz: list[float]) -> None:
    """Write one file per frequency, named after the frequency, such as `440 Hz.wav`."""
    for frequency in hertz:
        tone(folder / f"{frequency:g} Hz.wav", frequency)


def ingest_folder(folder: Path, collection: Collection) -> None:
    """Ingest the folder. It may be empty."""
    ingest([folder], collection=collection, allow_removal=True)
