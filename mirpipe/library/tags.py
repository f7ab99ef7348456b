"""Title and labels from the tags inside an audio file, as far as they can be read."""

import os
from dataclasses import dataclass

import mutagen

from mirpipe.errors import result_or_error

# Our name, which is also that of Vorbis, APEv2 and mutagen's easy tags, and the frame of ID3.
_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "composer": "TCOM",
    "genre": "TCON",
    "bpm": "TBPM",
    "date": "TDRC",
    "tracknumber": "TRCK",
}
_LONGEST = 500


@dataclass(frozen=True)
class Tags:
    """What a file says of itself; empty where it says nothing."""

    title: str
    labels: dict[str, str]


def read(path: bytes) -> Tags:
    """The file's tags; none where there are none or they are damaged."""
    found = result_or_error(_read, path)
    return Tags("", {}) if isinstance(found, Exception) else found


def _read(path: bytes) -> Tags:
    found = mutagen.File(os.fsdecode(path), easy=True)
    tags = (found.tags if found is not None else None) or {}
    values = {name: _text(tags.get(name) or tags.get(f)) for name, f in _FRAMES.items()}
    title = values.pop("title")
    return Tags(title, {name: value for name, value in values.items() if value})


def _text(value: object) -> str:
    """The first text of a tag's value, which every format wraps in its own way."""
    value = getattr(value, "text", value)
    if isinstance(value, list):
        value = value[0] if value else None
    text = "" if value is None else str(value)
    return "".join(c for c in text if c.isprintable()).strip()[:_LONGEST]
