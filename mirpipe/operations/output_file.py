"""Writes the files that a user has named on the command line, such as a report."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path
from tempfile import TemporaryFile

from mirpipe.errors import MirpipeError
from mirpipe.files.durable_write import write_durably
from mirpipe.files.printable_path import printable_path


class UnwritableFile(MirpipeError):
    """An output file cannot be written."""


def require_writable(path: Path) -> None:
    """Raise UnwritableFile if no file can be written at `path`. An existing file is not changed.

    Commands call this before they start, so that they do no work whose result cannot be written.
    """
    with _named_error(path):
        if path.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        with TemporaryFile(dir=path.parent):
            pass


def write_output(path: Path, data: bytes) -> None:
    """Write `data` to `path` durably. Raises UnwritableFile if the file cannot be written."""
    require_writable(path)
    with _named_error(path):
        write_durably(path, data)


@contextmanager
def _named_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritableFile(
            f"Cannot write {printable_path(path)}: {error.strerror}. Choose another file."
        ) from error
