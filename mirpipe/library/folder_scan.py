"""Finds audio files in folders by file name, and skips hidden files and folders.

A candidate is a file whose name ends with a known audio suffix, in upper or lower case. A file or
folder is hidden if its name starts with a dot, for example `.DS_Store` or `._song.mp3` on macOS.
Links are followed. Names are bytes, as the file system returns them. The scan does not open files.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mirpipe.errors import ConfigurationError, RejectedInput
from mirpipe.files.addresses import Address
from mirpipe.files.printable_path import printable_path

AUDIO_SUFFIXES = frozenset(
    b"wav wave bwf rf64 w64 flac mp3 mp2 ogg oga opus aif aiff aifc au snd caf "
    b"m4a m4b m4r mp4 aac adts mka webm weba wma asf wv ape tta tak mpc amr ac3 eac3 dts dsf dff "
    b"alac 3gp ra rm".split()
)


@dataclass(frozen=True)
class Candidate:
    """A file whose name has an audio suffix, as found by the scan."""

    path: bytes
    """Absolute path, or the address of an object."""
    size: int
    mtime_ns: int
    ctime_ns: int
    """Time of the last change of the file's content or properties, in nanoseconds since 1970."""
    problem: RejectedInput | None = None
    """The error if the file cannot be read: not_a_file, link_loop, dangling_link or unreadable."""
    is_unlisted_folder: bool = False
    """Whether this is a folder that could not be listed. Files in it may still exist."""
    etag: str | None = None
    """ETag of an object in S3. None for a local file."""


def absolute_roots(roots: Sequence[Address]) -> list[bytes]:
    """Return the folders as sorted absolute paths with links resolved, or as addresses.

    A folder that is inside another of these folders is left out.
    """
    resolved = [root.expanduser().resolve() if isinstance(root, Path) else root for root in roots]
    paths = sorted({os.fsencode(root) for root in resolved})
    return [p for p in paths if not any(p != other and is_inside(p, other) for other in paths)]


def is_inside(path: bytes, folder: bytes) -> bool:
    """Return whether `path` is `folder` itself or is inside it at any depth."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def scan_folders(roots: Sequence[bytes]) -> Iterator[Candidate]:
    """Yield all candidates in the folders `roots` and their subfolders, folder by folder.

    Memory use depends on the largest folder, and not on the number of files. A root may also be a
    single file. A root that does not exist has no candidates. Raises ConfigurationError if a root
    cannot be listed.
    """
    for root in roots:
        try:
            status = _stat(root)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigurationError(
                f"{printable_path(root)} cannot be read: {error.strerror}. Check its permissions."
            ) from error
        if stat.S_ISDIR(status.st_mode):
            yield from _scan_folder(root, status)
        else:
            yield from _file(root, status)


def _scan_folder(root: bytes, status: os.stat_result) -> Iterator[Candidate]:
    # A stack is used instead of recursion, because folders may be nested deeper than Python can
    # recurse.
    stack = [(root, frozenset({(status.st_dev, status.st_ino)}))]
    while stack:
        folder, ancestors = stack.pop()
        try:
            names = _visible_names(folder)
        except OSError as error:
            if folder == root:
                raise ConfigurationError(
                    f"The folder {printable_path(root)} cannot be listed. Give the user that runs "
                    "mirpipe permission to read it."
                ) from error
            yield _unlisted_folder(folder, error)
            continue
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - Path does not accept bytes
            try:
                status = _stat(path)
            except OSError as error:
                yield from _broken_entry(path, error)
                continue
            if not stat.S_ISDIR(status.st_mode):
                yield from _file(path, status)
                continue
            identity = (status.st_dev, status.st_ino)
            if identity in ancestors:
                message = "is a link to a folder that contains it. Delete the link."
                yield _with_problem(path, status, "link_loop", message)
            elif has_audio_suffix(path):
                message = "is a folder whose name has an audio suffix. To scan it, rename it."
                yield _with_problem(path, status, "not_a_file", message)
            else:
                stack.append((path, ancestors | {identity}))


def _visible_names(folder: bytes) -> list[bytes]:
    """Return the names of the folder's visible entries, sorted. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(b"."))
    except (FileNotFoundError, NotADirectoryError):
        return []  # The folder was removed during the scan.


def _unlisted_folder(folder: bytes, error: OSError) -> Candidate:
    message = f"is a folder that cannot be listed: {error.strerror}. Allow mirpipe to read it."
    candidate = _with_problem(folder, _lstat(folder), "unreadable", message)
    return replace(candidate, is_unlisted_folder=True)


def _file(path: bytes, status: os.stat_result) -> Iterator[Candidate]:
    if not has_audio_suffix(path):
        return
    if stat.S_ISREG(status.st_mode):
        yield Candidate(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    else:
        message = "is a pipe, a socket or a device, and not a file. Remove it or rename it."
        yield _with_problem(path, status, "not_a_file", message)


def _broken_entry(path: bytes, error: OSError) -> Iterator[Candidate]:
    """Yield the candidate, if there is one, for an entry whose `stat` call raised `error`."""
    try:
        status = _lstat(path)
    except OSError:
        return  # The file was removed during the scan.
    if error.errno == errno.ELOOP:
        message = "is a link to itself. Delete the link."
        yield _with_problem(path, status, "link_loop", message)
    elif has_audio_suffix(path):
        if isinstance(error, FileNotFoundError):
            message = (
                "is a link to a file that does not exist. Restore the file or delete the link."
            )
            yield _with_problem(path, status, "dangling_link", message)
        else:
            message = f"cannot be read: {error.strerror}. Check its permissions."
            yield _with_problem(path, status, "unreadable", message)


def _with_problem(path: bytes, status: os.stat_result, reason: str, message: str) -> Candidate:
    problem = RejectedInput(reason, f"{printable_path(path)} {message}")
    return Candidate(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, problem)


def has_audio_suffix(path: bytes) -> bool:
    """Return whether the name of the file ends with a known audio suffix."""
    name, dot, suffix = path.rpartition(b"/")[2].rpartition(b".")
    return bool(name and dot) and suffix.lower() in AUDIO_SUFFIXES


def _stat(path: bytes) -> os.stat_result:
    return os.stat(path)  # noqa: PTH116 - Path does not accept bytes


def _lstat(path: bytes) -> os.stat_result:
    return os.lstat(path)
