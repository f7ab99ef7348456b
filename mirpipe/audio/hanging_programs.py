"""Ends ffmpeg and ffprobe if they hang, for example because a network drive does not answer."""

import errno
import io
import os
import select
import subprocess
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from mirpipe.audio.file_part import FilePart
from mirpipe.audio.rejected_files import unreadable_error
from mirpipe.errors import RejectedInput

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IDLE_SECONDS = 120.0
"""Longest time without output. A disk that has stopped to save power needs half a minute."""
SLOWEST_BYTES_PER_SECOND = 1 << 20
"""A program that writes no output before it ends has this much time per byte of the file."""


def run(command: Sequence[str], part: FilePart) -> subprocess.CompletedProcess[str]:
    """Run a program that reads this part of a file, and return its output.

    Raises RejectedInput with the reason unreadable if it takes too long.
    """
    limit = IDLE_SECONDS + part.size / SLOWEST_BYTES_PER_SECOND
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",  # Messages contain paths, which can be any bytes.
            check=False,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        raise hanging_error(part.name, limit) from None


class OutputWithLimit(io.RawIOBase):
    """The output of a process. Raises RejectedInput if nothing arrives for `IDLE_SECONDS`."""

    def __init__(self, output: IO[bytes], name: str) -> None:
        """`name` is the printable path of the file that the process reads."""
        self._output, self._name = output, name

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read the next bytes into `buffer`, and return their number. 0 is the end."""
        if not select.select([self._output], [], [], IDLE_SECONDS)[0]:
            raise hanging_error(self._name, IDLE_SECONDS)
        return os.readv(self._output.fileno(), [buffer])


def hanging_error(name: str, seconds: float) -> RejectedInput:
    """Return the error for a file that ffmpeg or ffprobe has not read in this time."""
    cause = f"ffmpeg has returned nothing for {seconds:.0f} s"
    return unreadable_error(name, TimeoutError(errno.ETIMEDOUT, cause))
