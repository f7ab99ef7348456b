"""Opens audio files, but only if they are regular files and not pipes, sockets or devices."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirpipe.audio.limits import MAX_BYTES
from mirpipe.audio.rejected_files import unreadable_error
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath, printable_path


@contextmanager
def open_regular_file(path: AnyPath) -> Iterator[int]:
    """Yield a file descriptor for reading a regular file of a supported size.

    Raises RejectedInput with one of the reasons not_a_file, unreadable, empty and too_large.
    """
    name = printable_path(path)
    try:
        # The file type is checked before opening, because opening a device can have side effects.
        # The check is repeated below, because another process may have replaced the file in the
        # meantime.
        _require_regular(Path(os.fsdecode(path)).stat(), name)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable_error(name, error) from error
    try:
        status = os.fstat(descriptor)
        _require_regular(status, name)
        if status.st_size == 0:
            raise RejectedInput("empty", f"{name} is empty. Copy or download it again.")
        if status.st_size > MAX_BYTES:
            raise RejectedInput(
                "too_large",
                f"{name} has {status.st_size:,} bytes, but at most {MAX_BYTES:,} are supported. "
                "Split it into shorter files.",
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _require_regular(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RejectedInput(
            "not_a_file",
            f"{name} is a folder, a pipe, a socket or a device. Only regular files can be read: "
            "remove it or rename it.",
        )
