"""The type of a tag's value before its field is known and its text is decoded."""

from collections.abc import Iterable

RawValue = str | bytes
"""A text, or the bytes of a text whose encoding the file does not state reliably."""

RawTag = tuple[str, list[RawValue]]
"""A tag's name in its own format, such as `TIT2` or `WM/Genre`, and its values."""

RawTags = Iterable[RawTag]
