"""The demo library's tracks as they are measured: once a session."""

import csv
from functools import cache

from mirpipe import audio
from mirpipe.music import features
from mirpipe.music.features import note_transcription
from mirpipe.music.metrics import melody_accuracy
from mirpipe.records import Features, Note
from mirpipe.settings import PROJECT

DEMO = PROJECT / "demo"


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
def melody_of(path: str) -> melody_accuracy.Melody:
    """What the melody metric knows of a track."""
    return melody_accuracy.transcribe(audio.load_mono(DEMO / path, melody_accuracy.SAMPLE_RATE))


@cache
def notes_of(path: str) -> tuple[Note, ...]:
    """The transcription of a track, unpitched or not."""
    return note_transcription.transcribe(
        audio.load_mono(DEMO / path, note_transcription.SAMPLE_RATE), note_transcription.SAMPLE_RATE
    )
