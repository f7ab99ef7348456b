"""Finds the links of an Ogg file by reading its page headers.

`cat a.ogg b.ogg` is a valid Ogg file, called a chain, whose parts are called links. Most decoders
read only the first link. Source: RFC 3533.
"""

from dataclasses import dataclass

from mirpipe.audio.file_part import FilePart

_CONTINUED, _FIRST, _LAST = 1, 2, 4
_MAX_HEADER_BYTES = 27 + 255


@dataclass
class OggLink:
    """One link: the byte range of its pages, and how it ends."""

    start: int
    end: int
    has_last_page: bool = False
    """Whether the link has a page that is marked as the last page of a stream."""
    is_cut: bool = False
    """Whether the link ends in the middle of a page."""


def read_ogg_links(file: FilePart) -> list[OggLink]:
    """Return the links in order. The list is empty if the file has no Ogg page.

    Bytes between pages are skipped.
    """
    links: list[OggLink] = []
    has_begun = False  # Whether the current link has pages other than first pages of streams.
    position = _next_page(file, 0)
    while position is not None:
        header = file.buffered_at(position, _MAX_HEADER_BYTES)
        segments = header[26] if len(header) > 26 else 0
        end = position + 27 + segments + sum(header[27 : 27 + segments])
        is_first = len(header) > 5 and bool(header[5] & _FIRST)
        if not links or (is_first and has_begun):
            links.append(OggLink(position, position))
            has_begun = False
        has_begun = has_begun or not is_first
        link = links[-1]
        link.is_cut = len(header) < 27 + segments or end > file.size
        link.has_last_page |= not link.is_cut and bool(header[5] & _LAST)
        link.end = min(end, file.size)
        position = _next_page(file, end)
    return links


def _next_page(file: FilePart, position: int) -> int | None:
    """Return the position of the next page at or after this position, or None."""
    while position < file.size:
        if file.buffered_at(position, 5) == b"OggS\0":
            return position
        found = file.read_at(position, 1 << 16).find(b"OggS\0")
        if found >= 0:
            return position + found
        position += (1 << 16) - 4
    return None
