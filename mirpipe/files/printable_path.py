"""Converts any path to one line of printable text.

Names in Latin, Chinese or any other script stay readable. Control characters and bytes that are
not valid UTF-8 are escaped.
"""

import os

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path. If it is not valid UTF-8, it is given as bytes or with surrogate escapes."""


def printable_path(path: AnyPath) -> str:
    r"""Return the path as one line of printable text. Different paths give different texts.

    Every backslash is doubled. Each byte of an unprintable character or of invalid UTF-8 is
    replaced by `\xNN`.
    """
    return "".join(map(_printable_character, os.fsencode(path).decode("utf-8", "surrogateescape")))


def _printable_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
