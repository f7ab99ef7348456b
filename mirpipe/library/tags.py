"""Reads a track's title and labels from the tags in its audio file.

A file can have several kinds of tags. For each field, the first kind that contains it is used: the
tags that belong to the container, then ID3 and APEv2 at the start or end of the file, then the INFO
list of a WAV file. ffprobe is asked about containers that mutagen does not read.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import mutagen

from mirpipe.errors import result_or_error
from mirpipe.library.genres import join_genres, name_numbered_genres, split_genres
from mirpipe.library.tag_fields import FIELDS, field_of
from mirpipe.library.tag_readers.ffprobe_tags import ffprobe_tags
from mirpipe.library.tag_readers.mutagen_tags import (
    attached_tags,
    has_complete_reader,
    native_tags,
)
from mirpipe.library.tag_readers.raw_values import RawTag, RawValue
from mirpipe.library.tag_readers.riff_info import riff_info
from mirpipe.library.tag_text import clean_text

WESTERN = "cp1252"
"""Encoding of texts that the file marks as Latin-1. It is Latin-1 with more characters."""
MAX_VALUES = 50
"""Number of values of one field that are kept."""
_MAX_BYTES = 2_000
"""Longest undecoded value that is kept."""

T = TypeVar("T")


@dataclass(frozen=True)
class Tags:
    """A file's title and labels. Both are empty if the file has no tags."""

    title: str
    labels: dict[str, str]


@dataclass(frozen=True)
class FileTags:
    """The values of the fields in a file's tags. A field is in one of the two mappings."""

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values whose encoding is certain, by field."""
    undecoded: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Values whose encoding the file does not state reliably, by field."""

    def decode(self, decode_text: Callable[[bytes], str]) -> Tags:
        """Return the title and the labels. `decode_text` decodes the undecoded values.

        Several genres are separated by a semicolon, and so are several values of another field.
        """
        decoded = {
            name: tuple(decode_text(value) for value in values)
            for name, values in self.undecoded.items()
        }
        values = {**self.texts, **decoded}
        labels = {name: _label(name, values.get(name, ())) for name in FIELDS}
        title = labels.pop("title")
        return Tags(title, {name: value for name, value in labels.items() if value})


def read_tags(path: bytes) -> FileTags:
    """Return the file's tags. The result is empty if the tags are missing or damaged."""
    name = os.fsdecode(path)
    file = _or_default(lambda: mutagen.File(name), None)
    kinds: list[Callable[[], list[RawTag]]] = [
        lambda: native_tags(file),
        lambda: attached_tags(name),
        lambda: riff_info(name),
    ]
    found: dict[str, list[RawValue]] = {}
    for read in kinds:
        found = _values_by_field(_or_default(read, [])) | found
    if not found and not has_complete_reader(file):
        found = _values_by_field(_or_default(lambda: ffprobe_tags(name), []))
    return _to_file_tags(found)


def decode_western(value: bytes) -> str:
    """Return the text of a value in WESTERN. The few bytes that it leaves out are Latin-1."""
    try:
        return value.decode(WESTERN)
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _or_default(read: Callable[[], T], default: T) -> T:
    """Return what `read` returns, or `default` if the tags are damaged."""
    outcome = result_or_error(read)
    return default if isinstance(outcome, Exception) else outcome


def _values_by_field(tags: Sequence[RawTag]) -> dict[str, list[RawValue]]:
    """Return the values by field. If several names contain a field, the first name is used."""
    values: dict[str, list[RawValue]] = {}
    name_of: dict[str, str] = {}
    for name, texts in tags:
        field_name = field_of(name)
        if field_name is not None and name_of.setdefault(field_name, name) == name:
            values.setdefault(field_name, []).extend(filter(None, texts))
    return {name: list(dict.fromkeys(found)) for name, found in values.items() if found}


def _to_file_tags(found: Mapping[str, Sequence[RawValue]]) -> FileTags:
    texts, undecoded = {}, {}
    for name, all_values in found.items():
        values = all_values[:MAX_VALUES]
        raw = [value for value in values if isinstance(value, bytes)]
        if any(not value.isascii() for value in raw):
            # Postgres cannot store NUL characters. In a text, they have no meaning.
            undecoded[name] = tuple(value.replace(b"\0", b"")[:_MAX_BYTES] for value in raw)
        else:
            texts[name] = tuple(
                clean_text(value.decode("ascii") if isinstance(value, bytes) else value)
                for value in values
            )
    return FileTags(texts, undecoded)


def _label(name: str, values: Sequence[str]) -> str:
    """Return the values of a field as one text."""
    if name == "genre":
        values = [genre for value in values for genre in name_numbered_genres(value)]
        return join_genres(split_genres(map(clean_text, values))[:MAX_VALUES])
    return clean_text("; ".join(filter(None, map(clean_text, values))))
