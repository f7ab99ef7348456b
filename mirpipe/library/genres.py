"""Genres as a set: splits texts that contain several genres.

Only a semicolon separates genres. A comma and a slash can be part of one genre, such as "Folk,
World, & Country", "Funk / Soul" or "Hip-Hop/Rap".
"""

import re
from collections.abc import Iterable

from mutagen.id3 import TCON

SEPARATOR = ";"
_UNKNOWN = "Unknown"
_NUMBERED = re.compile(r"\d+|\((?:\d+|RX|CR)\).*")


def split_genres(texts: Iterable[str]) -> list[str]:
    """Return the genres in the texts, in order, each once. Upper and lower case are equal."""
    genres: dict[str, str] = {}
    for text in texts:
        for part in text.split(SEPARATOR):
            genre = part.strip()
            if genre:
                genres.setdefault(genre.casefold(), genre)
    return list(genres.values())


def join_genres(genres: Iterable[str]) -> str:
    """Return the genres as one text, which `split_genres` splits into the same genres."""
    return f"{SEPARATOR} ".join(genres)


def name_numbered_genres(text: str) -> list[str]:
    """Return the names of genres that a tag gives by ID3v1 number, such as `17` or `(17)(8)`.

    A text without such a number is returned unchanged. Numbers without a name, and the name
    "Unknown" that mutagen gives them, are left out.
    """
    if not _NUMBERED.fullmatch(text):
        return [] if text == _UNKNOWN else [text]
    genres = TCON(encoding=3, text=[text]).genres  # type: ignore[no-untyped-call] # mutagen
    return [genre for genre in genres if genre != _UNKNOWN]
