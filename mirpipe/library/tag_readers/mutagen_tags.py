"""Reads ID3, Vorbis comments, APEv2, MP4 and ASF tags by mutagen."""

from collections.abc import Iterator
from typing import Any

import mutagen
from mutagen.aiff import AIFF
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.id3 import ID3, Encoding, ID3NoHeaderError, TextFrame

from mirpipe.library.tag_readers.raw_values import RawTag, RawValue


def has_complete_reader(file: mutagen.FileType | None) -> bool:
    """Return whether mutagen reads all kinds of tags that the file's container can have.

    mutagen does not read the text chunks of AIFF.
    """
    return file is not None and not isinstance(file, AIFF)


def native_tags(file: mutagen.FileType | None) -> list[RawTag]:
    """Return the tags that belong to the file's container."""
    return [] if file is None or file.tags is None else list(_raw_tags(file.tags))


def attached_tags(path: str) -> list[RawTag]:
    """Return the ID3 and APEv2 tags at the start or the end of a file of any container."""
    return [*_id3(path), *_apev2(path)]


def _id3(path: str) -> Iterator[RawTag]:
    try:
        yield from _raw_tags(ID3(path))  # type: ignore[no-untyped-call] # mutagen
    except ID3NoHeaderError:
        return


def _apev2(path: str) -> Iterator[RawTag]:
    try:
        yield from _raw_tags(APEv2(path))  # type: ignore[no-untyped-call] # mutagen
    except APENoHeaderError:
        return


def _raw_tags(tags: Any) -> Iterator[RawTag]:
    for name in tags.keys():  # noqa: SIM118 - Vorbis comments are a list of pairs
        yield name, _raw_values(tags[name])


def _raw_values(value: Any) -> list[RawValue]:
    """Return the texts in a tag's value. Pictures and other binary values have none."""
    if isinstance(value, TextFrame):
        texts = [str(text) for text in getattr(value, "text", [])]
        # Many programs write text in a local encoding and state Latin-1. Latin-1 maps each byte to
        # one character, so the bytes can be restored.
        if value.encoding == Encoding.LATIN1:
            return [text.encode("latin-1") for text in texts if _is_latin1(text)]
        return list(texts)
    if isinstance(value, mutagen.apev2.APETextValue | list):
        return [_text(item) for item in value if not isinstance(item, bytes)]
    return []


def _is_latin1(text: str) -> bool:
    return all(ord(character) < 256 for character in text)


def _text(item: Any) -> str:
    """Return a value as text. In MP4, a track number is a pair of number and total."""
    if isinstance(item, tuple):
        return "/".join(str(number) for number in item if number)
    return str(item)
