"""Keeps copies of objects on this machine, so that each version is downloaded once.

The cache is shared by all processes of a machine. A copy is named after the object's address and
ETag. While a process reads a copy, it holds a shared lock on it, and no other process deletes it.
A killed process leaves at most an incomplete download, which is overwritten or deleted later.
"""

import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mirpipe.errors import StorageUnavailable
from mirpipe.files.addresses import S3Address
from mirpipe.files.printable_path import printable_path
from mirpipe.settings import settings
from mirpipe.storage.objects import current_version, download

_PARTIAL = ".part"
_LOCK = ".lock"
_COPY = re.compile(r"[0-9a-f]{64}(\..+)?", re.DOTALL)
"""Names of copies and incomplete downloads. The folder may contain other files, which are kept."""


@contextmanager
def cached_copy(address: S3Address, etag: str | None) -> Iterator[Path]:
    """Yield the path of a copy of the object's version with this ETag, or of its current version.

    The copy is not deleted while the context is open. Raises the errors of `bucket_of`, and
    StorageUnavailable if the copy cannot be written.
    """
    etag = etag or current_version(address).etag
    path = _path_of(address, etag)
    try:
        descriptor = _open(path, address, etag)
    except OSError as error:
        if error.filename == str(address):  # The object does not exist.
            raise
        raise _not_written(address, error) from error
    try:
        os.utime(path)  # The copies that were used longest ago are deleted first.
        yield path
    finally:
        os.close(descriptor)


def _path_of(address: S3Address, etag: str) -> Path:
    """Return the path of a copy. It has the object's suffix, because decoders use it."""
    name = hashlib.sha256(f"{address}\0{etag}".encode()).hexdigest()
    return settings().object_cache / f"{name}{Path(address.name).suffix}"


def _open(path: Path, address: S3Address, etag: str) -> int:
    """Return a descriptor that holds a shared lock on the copy. It is downloaded if it is missing.

    If several processes need the copy, one downloads it and the others wait.
    """
    while True:
        with suppress(FileNotFoundError):
            return _open_locked(path, os.O_RDONLY, fcntl.LOCK_SH)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock_path = path.with_name(path.name + _LOCK)
        lock = _open_locked(lock_path, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX)
        try:
            if not path.exists():
                return _download(path, address, etag)
        finally:
            lock_path.unlink()
            os.close(lock)


def _download(path: Path, address: S3Address, etag: str) -> int:
    """Download the copy, and return a descriptor that holds a shared lock on it."""
    partial = path.with_name(path.name + _PARTIAL)
    descriptor = _open_locked(partial, os.O_RDWR | os.O_CREAT, fcntl.LOCK_SH)
    with ExitStack() as if_it_fails:
        if_it_fails.callback(os.close, descriptor)
        if_it_fails.callback(partial.unlink, missing_ok=True)
        os.truncate(descriptor, 0)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            download(address, etag, file)
        os.fsync(descriptor)
        partial.rename(path)
        if_it_fails.pop_all()
    _delete_oldest(path.parent, int(settings().object_cache_gb * 1e9))
    return descriptor


def _open_locked(path: Path, flags: int, operation: int) -> int:
    """Open the file at `path` and lock it. Raises OSError.

    If another process deletes the file in between, the file that is then there is opened.
    """
    while True:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
        with ExitStack() as unless_returned:
            unless_returned.callback(os.close, descriptor)
            fcntl.flock(descriptor, operation)
            with suppress(FileNotFoundError):  # Another process may delete it at any moment.
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    unless_returned.pop_all()
                    return descriptor


def _delete_oldest(folder: Path, limit: int) -> None:
    """Delete the copies that were used longest ago, until all have at most `limit` bytes.

    Copies that are being read are kept.
    """
    with os.scandir(folder) as entries:
        files = [
            entry
            for entry in entries
            if _COPY.fullmatch(entry.name) and not entry.name.endswith(_LOCK)
        ]
    found = []
    for entry in files:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # Another process has deleted or renamed it.
            continue
        if not stat.S_ISREG(status.st_mode):
            continue
        found.append((status.st_mtime_ns, status.st_size, Path(entry.path)))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        total -= size if _delete_unused(path) else 0


def _delete_unused(path: Path) -> bool:
    """Delete the file unless it is locked. Return whether it is gone."""
    try:
        descriptor = _open_locked(path, os.O_RDONLY, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return True
    try:
        path.unlink()
    finally:
        os.close(descriptor)
    return True


def _not_written(address: S3Address, error: OSError) -> StorageUnavailable:
    return StorageUnavailable(
        f"The copy of {printable_path(address)} cannot be written to {settings().object_cache}: "
        f"{error.strerror or error}. Free disk space there, or set MIRPIPE_OBJECT_CACHE_DIR to "
        "another folder."
    )
