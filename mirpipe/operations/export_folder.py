"""A folder into which one export at a time moves its files, when all of them are complete."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirpipe.errors import ConfigurationError, MirpipeError

PARTIAL = ".partial"
"""Folder inside the output folder that contains the files until all of them are complete."""


@contextmanager
def locked_folder(folder: Path) -> Iterator[Path]:
    """Lock the folder for one export, and yield an empty folder inside it for incomplete files.

    Raises ConfigurationError if `folder` is not a folder, and MirpipeError if another export holds
    the lock or if a file cannot be written. The inner folder is deleted at the end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot write to the folder {folder}: {error.strerror}. Choose another folder."
        ) from None
    partial = folder / PARTIAL
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MirpipeError(
                f"Cannot export to {folder}: another export is writing there. Wait until it ends."
            ) from None
        try:
            shutil.rmtree(partial, ignore_errors=True)  # A killed export may have left this folder.
            partial.mkdir()
            yield partial
        except OSError as error:
            raise MirpipeError(f"Cannot write to {folder}: {error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        os.close(descriptor)


def publish(partial: Path, folder: Path) -> None:
    """Move all complete files from `partial` to the same places in `folder`. Other files stay."""
    for file in sorted(path for path in partial.rglob("*") if path.is_file()):
        place = folder / file.relative_to(partial)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
