"""Writes files durably: after a crash or a power cut, a file is complete or does not exist."""

import os
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write `data` to `path`. After a crash, the file is complete or does not exist.

    The data is written to a temporary file in the same folder and flushed to disk. The temporary
    file is then renamed. Raises OSError, and deletes the temporary file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.rename(path)
        except OSError:
            temporary.unlink()
            raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush to disk a file that another library has written. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that a rename in it is not lost in a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
