"""Reads a track's title and labels from the tags in its audio file."""

import os
from dataclasses import dataclass

import mutagen

from mirpipe.errors import result_or_error

# Label names, and the ID3 frames that contain the same information. Vorbis comments, APEv2 tags and
# mutagen's "easy" tags use the same names as the labels.
_ID3_FRAMES = {
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
_MAX_CHARACTERS = 500


@dataclass(frozen=True)
class Tags:
    """A file's title and labels. Both are empty if the file has no tags."""

    title: str
    labels: dict[str, str]


def read_tags(path: bytes) -> Tags:
    """Return the file's tags. The result is empty if the tags are missing or damaged."""
    tags = result_or_error(_read_tags, path)
    return Tags("", {}) if isinstance(tags, Exception) else tags


def _read_tags(path: bytes) -> Tags:
    file = mutagen.File(os.fsdecode(path), easy=True)
    tags = (file.tags if file is not None else None) or {}
    values = {
        name: _first_text(tags.get(name) or tags.get(frame)) for name, frame in _ID3_FRAMES.items()
    }
    title = values.pop("title")
    return Tags(title, {name: value for name, value in values.items() if value})


def _first_text(value: object) -> str:
    """Return the first text in a tag's value, cut to 500 printable characters.

    Depending on the file format, the value is a text, a list, or a frame that contains a list.
    """
    value = getattr(value, "text", value)
    if isinstance(value, list):
        value = value[0] if value else None
    text = "" if value is None else str(value)
    return "".join(c for c in text if c.isprintable()).strip()[:_MAX_CHARACTERS]
