"""Reads a range of a file's bytes as if it were a file of its own.

Joined files are decoded part by part. A read that fails, for example on a network drive, raises
RejectedInput here, because decoders report it as the end of the file or as damage.
"""

import os
from collections.abc import Sequence

from mirpipe.audio.rejected_files import unreadable_error
from mirpipe.errors import RejectedInput

_BUFFER_BYTES = 1 << 18


class FilePart:
    """A range of a file's bytes, with the methods of a binary file that soundfile needs."""

    def __init__(
        self,
        descriptor: int,
        start: int,
        end: int,
        name: str,
        patches: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """`patches` replace bytes of the part: each has a position in the part and the bytes."""
        self.start = start
        self.end = end
        self.size = end - start
        self.name = name
        self.failure: RejectedInput | None = None
        """The error of the first read that failed."""
        self._descriptor = descriptor
        self._patches = patches
        self._position = 0
        self._buffer = b""
        self._buffer_start = 0

    @classmethod
    def complete(cls, descriptor: int, name: str) -> "FilePart":
        """Return the complete file. `name` is its printable path."""
        return cls(descriptor, 0, os.fstat(descriptor).st_size, name)

    @property
    def is_complete_file(self) -> bool:
        """Whether the part is the complete file."""
        return self.start == 0 and self.end == os.fstat(self._descriptor).st_size

    def between(
        self, start: int, end: int, patches: Sequence[tuple[int, bytes]] = ()
    ) -> "FilePart":
        """Return a part of this part, without its patches."""
        return FilePart(self._descriptor, self.start + start, self.start + end, self.name, patches)

    def read_at(self, position: int, count: int) -> bytes:
        """Return `count` bytes from this position, or fewer at the end of the part.

        Raises RejectedInput with the reason unreadable.
        """
        count = max(0, min(count, self.size - position))
        try:
            content = os.pread(self._descriptor, count, self.start + position)
        except OSError as error:
            self.failure = unreadable_error(self.name, error)
            raise self.failure from error
        return self._patched(position, content) if self._patches else content

    def buffered_at(self, position: int, count: int) -> bytes:
        """Return the same as `read_at`, but quickly for many short reads in ascending order."""
        offset = position - self._buffer_start
        if offset < 0 or offset + count > len(self._buffer):
            self._buffer = self.read_at(position, max(_BUFFER_BYTES, count))
            self._buffer_start, offset = position, 0
        return self._buffer[offset : offset + count]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, as `io.IOBase.seek` does."""
        self._position = offset + (0, self._position, self.size)[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, count: int) -> bytes:
        """Return the next bytes. The result is empty at the end, and after a read has failed.

        An error cannot be raised through libsndfile, so the caller checks `failure`.
        """
        try:
            content = self.buffered_at(self._position, count)
        except RejectedInput:
            return b""
        self._position += len(content)
        return content

    def _patched(self, position: int, content: bytes) -> bytes:
        patched = bytearray(content)
        for offset, replacement in self._patches:
            first = max(position, offset)
            last = min(position + len(content), offset + len(replacement))
            if first < last:
                patched[first - position : last - position] = replacement[
                    first - offset : last - offset
                ]
        return bytes(patched)
