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


_CAPTIONS = text("""
    SELECT track_id, title, captioner, caption, contradictions, tempo_bpm,
        octave_ambiguous, meter, key, voiced_fraction, reasons, licence_weights, random
    FROM mirpipe.v_caption WHERE wanted AND (contradictions <> '{}' OR NOT :contradicting)
    ORDER BY title, track_id LIMIT :limit OFFSET :offset
""")


@dataclass(frozen=True)
class CaptionCounts:
    """Number of captions by the configured captioner."""

    captions: int
    contradicting: int
    """Number of captions that contradict a measurement."""


_COUNTS = text("""
    SELECT count(*) AS captions, count(*) FILTER (WHERE contradictions <> '{}') AS contradicting
    FROM mirpipe.v_caption WHERE wanted
""")


def captions(
    *, contradicting: bool = False, limit: int | None = None, offset: int = 0
) -> list[Caption]:
    """Return the captions of the targets, sorted by title, from `offset` to `offset + limit`.

    `contradicting` leaves out the captions that do not contradict any measurement.
    """
    rows = read_rows(Caption, _CAPTIONS, contradicting=contradicting, limit=limit, offset=offset)
    return with_distinct_titles(rows, title="track_id")


def caption_counts() -> CaptionCounts:
    """Return how many captions there are, and how many contradict a measurement."""
    [counts] = read_rows(CaptionCounts, _COUNTS)
    return counts
