"""Writes audio files as an M3U8 playlist: UTF-8, one title and one path per file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PlaylistEntry:
    """A file in a playlist."""

    path: Path
    """Absolute path. It may contain any bytes."""
    title: str
    seconds: float | None


def m3u8(title: str, entries: Sequence[PlaylistEntry]) -> bytes:
    """Return a playlist with these entries, in this order."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(title)}"]
    for entry in entries:
        seconds = -1 if entry.seconds is None else round(entry.seconds)
        lines += [f"#EXTINF:{seconds},{_one_line(entry.title)}", _location(entry.path)]
    return "".join(f"{line}\n" for line in lines).encode()


def _one_line(text: str) -> str:
    """Return the text with spaces instead of characters that are not printable."""
    printable = (character if character.isprintable() else " " for character in text)
    return " ".join("".join(printable).split())


def _location(path: Path) -> str:
    """Return the path, or a file URI if players could not read the path from a line of UTF-8."""
    plain = str(path)
    is_safe = plain.isprintable() and plain == plain.strip()
    return plain if is_safe else path.as_uri()
