"""Measures the demo library's tracks. Each measurement is made once per session."""

import csv
from functools import cache

from mirpipe import audio
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes, note_transcription
from mirpipe.records import Features, Note
from mirpipe.settings import PROJECT

DEMO = PROJECT / "demo"


@cache
def manifest() -> dict[str, dict[str, str]]:
    """Return the manifest rows, by path."""
    with (DEMO / "manifest.csv").open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def targets() -> list[str]:
    """Return the paths of the eleven targets."""
    return [path for path, row in manifest().items() if row["collection"] == "target"]


@cache
def features_of(path: str) -> Features:
    """Return all features of a track."""
    return features.measure(audio.load_mono(DEMO / path, features.SAMPLE_RATE))


@cache
def melody_of(path: str) -> melody_pitch_classes.Melody:
    """Return the pitch classes and the voiced fraction of a track."""
    samples = audio.load_mono(DEMO / path, melody_pitch_classes.SAMPLE_RATE)
    return melody_pitch_classes.transcribe_melody(samples)


@cache
def notes_of(path: str) -> tuple[Note, ...]:
    """Return a track's transcription, even if the track is unpitched."""
    sample_rate = note_transcription.SAMPLE_RATE
    return note_transcription.transcribe(audio.load_mono(DEMO / path, sample_rate), sample_rate)
