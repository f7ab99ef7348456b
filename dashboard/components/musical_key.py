"""How the names of keys are written on the pages."""

import re

_KEY = re.compile(r"\b([A-G])([b#])(?= (?:major|minor)\b)")
_SIGNS = {"b": "\N{MUSIC FLAT SIGN}", "#": "\N{MUSIC SHARP SIGN}"}


def with_accidentals(text: str) -> str:
    """Return the text with the signs ♭ and ♯ in names of keys, such as `E♭ major`.

    The database stores ASCII letters (`Eb major`), which are easier to type in a query.
    """
    return _KEY.sub(lambda key: key[1] + _SIGNS[key[2]], text)
