"""Captions of targets, together with the measured tempo, meter, key and pitch."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class Caption:
    """The configured captioner's caption of one target, with the measured features."""

    track_id: int
    title: str
    """Title of the target."""
    captioner: str
    caption: str
    """Sentence that describes the target."""
    contradictions: list[str]
    """Statements in the caption that contradict the measured features."""
    tempo_bpm: float | None
    """Measured tempo in beats per minute. None if it could not be measured."""
    octave_ambiguous: bool | None
    """Whether a listener may also count half or double the tempo. None: no tempo."""
    meter: int | None
    """Measured beats per bar. None if they could not be measured."""
    key: str | None
    """Measured key, such as "A minor". None if it could not be measured."""
    voiced_fraction: float
    """Share of frames with a clear pitch, 0 to 1."""
    reasons: dict[str, str]
    """Codes of the reasons why features are missing, by field name."""
    licence_weights: str
    """Licence of the captioner's weights."""
    random: bool
    """Whether the captioner has random weights. Its captions are then not meaningful for music."""


_SELECT = """
    SELECT track_id, title, captioner, caption, contradictions, tempo_bpm,
        octave_ambiguous, meter, key, voiced_fraction, reasons, licence_weights, random
    FROM mirpipe.v_caption WHERE wanted
"""
_CAPTION_OF_TARGET = text(f"{_SELECT} AND track_id = :track_id")
_CAPTIONS = text(f"{_SELECT} ORDER BY title, track_id")


def captions(track_id: int | None = None) -> list[Caption]:
    """Return the captions of all targets, sorted by title, or only those of the given target."""
    if track_id is None:
        return with_distinct_titles(read_rows(Caption, _CAPTIONS), title="track_id")
    return read_rows(Caption, _CAPTION_OF_TARGET, track_id=track_id)
