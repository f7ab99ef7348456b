"""The demo library's tracks as they are measured: once a session."""

import csv
from functools import cache
from pathlib import Path

from mirpipe import audio, features
from mirpipe.features import notes
from mirpipe.metrics import melody
from mirpipe.musical import Features, Note

DEMO = Path(__file__).parents[1] / "demo"


@cache
def manifest() -> dict[str, dict[str, str]]:
    """Rows of the manifest by path."""
    with (DEMO / "manifest.csv").open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def targets() -> list[str]:
    """Paths of the eleven targets."""
    return [path for path, row in manifest().items() if row["collection"] == "target"]


@cache
def features_of(path: str) -> Features:
    """All features of a track."""
    return features.measure(audio.load_mono(DEMO / path, features.SAMPLE_RATE))


@cache
def melody_of(path: str) -> melody.Melody:
    """What the melody metric knows of a track."""
    return melody.transcribe(audio.load_mono(DEMO / path, melody.SAMPLE_RATE))


@cache
def notes_of(path: str) -> tuple[Note, ...]:
    """The transcription of a track, unpitched or not."""
    return notes.transcribe(audio.load_mono(DEMO / path, notes.SAMPLE_RATE), notes.SAMPLE_RATE)
