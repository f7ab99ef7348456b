"""Cleans texts from tags, so that they can be stored and shown on one line."""

import unicodedata

MAX_CHARACTERS = 500
"""Longest text that is kept of one value."""


def clean_text(text: str) -> str:
    """Return the text on one line, without control characters, cut to MAX_CHARACTERS.

    Each run of spaces, tabs and line ends becomes one space, including the full-width space that
    Japanese and Chinese texts use. Characters that join or direct letters are kept.
    """
    kept = "".join(_replacement(character) for character in text)
    return " ".join(kept.split())[:MAX_CHARACTERS].rstrip()


def _replacement(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Cs":  # Half of a surrogate pair, which Postgres cannot store.
        return "\N{REPLACEMENT CHARACTER}"
    return "" if category == "Cc" else character
