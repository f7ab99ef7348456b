"""Opens regular files only, never a pipe or a device, and shows any name as one printable line."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirpipe.audio.limits import MAX_BYTES
from mirpipe.errors import RejectedInput

Name = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path; as bytes, or with surrogate escapes, where the name is not UTF-8."""


def show(path: Name) -> str:
    r"""The path as printable text, a different text for every path.

    Backslashes are doubled; bytes that are no UTF-8, and what does not print, become `\xNN` a byte.
    """
    return "".join(map(_show_character, os.fsencode(path).decode("utf-8", "surrogateescape")))


def _show_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


@contextmanager
def open_regular(path: Name) -> Iterator[int]:
    """A descriptor of a regular file of a size that is taken for music.

    Raises RejectedInput: not_a_file, unreadable, empty, too_large.
    """
    try:
        # Asked before opening, because opening a device can have effects; asked again after,
        # because the name may have changed hands.
        _require_regular(Path(os.fsdecode(path)).stat(), path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise RejectedInput("unreadable", f"{show(path)}: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        _require_regular(found, path)
        if found.st_size == 0:
            raise RejectedInput("empty", f"{show(path)} holds no bytes")
        if found.st_size > MAX_BYTES:
            raise RejectedInput("too_large", f"{show(path)} holds {found.st_size:,} bytes")
        yield descriptor
    finally:
        os.close(descriptor)


def _require_regular(found: os.stat_result, path: Name) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise RejectedInput("not_a_file", f"{show(path)} is not a regular file")
