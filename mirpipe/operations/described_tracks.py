"""What a file of vectors says about tracks: the column `tracks`, with a list per content hash.

The same content can be a target and a reference, so a list has up to two tracks. From these values,
a library without the recordings gives the same matches and the same counts of them.
"""

from typing import Annotated, Literal, Self

import pyarrow as pa
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from mirpipe.library.genres import join_genres, split_genres
from mirpipe.records import ContentKind

MAX_TEXT = 10_000
"""Largest number of characters of a title or a label."""
MAX_LABELS = 100
MAX_FRAMES = 4 << 20
"""Largest size of a fingerprint in bytes: 36 hours of audio."""

MAX_SECONDS = 1e6
"""Largest length of a track: eleven days."""
MAX_DB = 200.0
"""Largest distance of a level from full scale, in dB."""

COLUMN = "tracks"
TYPE = pa.list_(
    pa.struct(
        [
            ("collection", pa.string()),
            ("title", pa.string()),
            ("labels", pa.map_(pa.string(), pa.string())),
            ("content_kind", pa.string()),
            ("seconds", pa.float64()),
            ("rms_dbfs", pa.float64()),
            ("fingerprint_revision", pa.string()),
            ("fingerprint_frames", pa.binary()),
            ("fingerprint_reason", pa.string()),
        ]
    )
)
"""Type of the column."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("it contains a NUL character")
    return text


def _whole_values(frames: bytes) -> bytes:
    if len(frames) % 4:
        raise ValueError("it does not consist of 32-bit values")
    return frames


def _by_name(labels: object) -> object:
    """Return the pairs of an Arrow map as a dictionary."""
    return dict(labels) if isinstance(labels, list) else labels


def _joined_genres(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels with the genres in the form that the library stores."""
    genres = join_genres(split_genres([labels.get("genre", "")]))
    others = {name: value for name, value in labels.items() if name != "genre"}
    return {"genre": genres} | others if genres else others


_Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_without_nul)]
_Labels = Annotated[
    dict[_Text, _Text],
    Field(max_length=MAX_LABELS),
    BeforeValidator(_by_name),
    AfterValidator(_joined_genres),
]
_Frames = Annotated[bytes, Field(max_length=MAX_FRAMES), AfterValidator(_whole_values)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class DescribedTrack:
    """A track of another library."""

    collection: Literal["reference", "target"]
    title: _Text
    labels: _Labels
    content_kind: ContentKind
    seconds: Annotated[float, Field(gt=0, le=MAX_SECONDS)]
    """Length in seconds."""
    rms_dbfs: Annotated[float, Field(ge=-MAX_DB, le=MAX_DB)]
    """RMS level of the mono mix without its DC offset, in dB relative to full scale."""
    fingerprint_revision: _Text | None
    """What computed the fingerprint. None if there is none."""
    fingerprint_frames: _Frames | None
    """One 32-bit value per 0.124 s, little-endian."""
    fingerprint_reason: _Text | None
    """Reason code if there is a revision, but no frames."""

    @model_validator(mode="after")
    def _check_fingerprint(self) -> Self:
        has_frames, has_reason = self.fingerprint_frames is not None, bool(self.fingerprint_reason)
        if has_frames + has_reason != bool(self.fingerprint_revision):
            raise ValueError("a fingerprint needs a revision, and either frames or a reason")
        return self


_TRACKS = TypeAdapter(list[DescribedTrack])


def parse(values: object) -> list[DescribedTrack]:
    """Return the tracks of a row, from the Python values of the column.

    Raises ValueError with one line of text if a value is not valid.
    """
    try:
        tracks = _TRACKS.validate_python(values or [])
    except ValidationError as error:
        problem = error.errors()[0]
        track, *place = problem["loc"] or ("",)
        words = str(problem["msg"]).removeprefix("Value error, ")
        name = ".".join(map(str, place)) or "the track"
        which = f"track {int(track) + 1}" if isinstance(track, int) else COLUMN
        raise ValueError(f"{which}, {name}: {words}") from None
    if len({track.collection for track in tracks}) < len(tracks):
        raise ValueError("two of its tracks are in the same collection")
    return tracks
