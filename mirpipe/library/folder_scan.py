"""Finds audio files in folders by file name, and skips hidden files and folders.

A candidate is a file whose name ends with a known audio suffix, in upper or lower case. A file or
folder is hidden if its name starts with a dot, for example `.DS_Store` or `._song.mp3` on macOS.
Links are followed. Names are bytes, as the file system returns them. The scan does not open files.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mirpipe.errors import ConfigurationError, RejectedInput
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
    """Absolute path."""
    size: int
    mtime_ns: int
    problem: RejectedInput | None = None
    """The error if the file cannot be read: not_a_file, link_loop, dangling_link or unreadable."""


@dataclass
class Listing:
    """The result of a scan."""

    candidates: dict[bytes, Candidate] = field(default_factory=dict)
    """Candidates by absolute path."""
    unlisted_folders: list[bytes] = field(default_factory=list)
    """Folders that could not be listed. It is unknown whether their files still exist."""

    def is_unlisted(self, path: bytes) -> bool:
        """Return whether `path` is inside a folder that could not be listed."""
        return any(is_inside(path, folder) for folder in self.unlisted_folders)


def absolute_roots(roots: Sequence[Path]) -> list[bytes]:
    """Return the folders as sorted absolute paths with links resolved.

    A folder that is inside another of these folders is left out.
    """
    paths = sorted({os.fsencode(root.expanduser().resolve()) for root in roots})
    return [p for p in paths if not any(p != other and is_inside(p, other) for other in paths)]


def is_inside(path: bytes, folder: bytes) -> bool:
    """Return whether `path` is `folder` itself or is inside it at any depth."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def scan_folders(roots: Sequence[bytes]) -> Listing:
    """Return all candidates in the folders `roots` and their subfolders, sorted by path.

    A root may also be a single file. A root that does not exist has no candidates. Raises
    ConfigurationError if a root cannot be listed.
    """
    listing = Listing()
    for root in roots:
        try:
            status = _stat(root)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigurationError(
                f"{printable_path(root)} cannot be read: {error.strerror}. Check its permissions."
            ) from error
        if not stat.S_ISDIR(status.st_mode):
            _add_file(listing, root, status)
            continue
        _scan_folder(listing, root, status)
        if root in listing.unlisted_folders:
            raise ConfigurationError(
                f"The folder {printable_path(root)} cannot be listed. Give the user that runs "
                "mirpipe permission to read it."
            )
    listing.candidates = dict(sorted(listing.candidates.items()))
    return listing


def _scan_folder(listing: Listing, root: bytes, status: os.stat_result) -> None:
    # A stack is used instead of recursion, because folders may be nested deeper than Python can
    # recurse.
    stack = [(root, frozenset({(status.st_dev, status.st_ino)}))]
    while stack:
        folder, ancestors = stack.pop()
        for path in _visible_entries(listing, folder):
            try:
                status = _stat(path)
            except OSError as error:
                _add_broken_entry(listing, path, error)
                continue
            if not stat.S_ISDIR(status.st_mode):
                _add_file(listing, path, status)
                continue
            identity = (status.st_dev, status.st_ino)
            if identity in ancestors:
                message = "is a link to a folder that contains it. Delete the link."
                _add_problem(listing, path, status, "link_loop", message)
            elif _has_audio_suffix(path):
                message = "is a folder whose name has an audio suffix. To scan it, rename it."
                _add_problem(listing, path, status, "not_a_file", message)
            else:
                stack.append((path, ancestors | {identity}))


def _visible_entries(listing: Listing, folder: bytes) -> Iterator[bytes]:
    """Yield the paths of the folder's visible entries, in sorted order."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return  # The folder was removed during the scan.
    except OSError as error:
        listing.unlisted_folders.append(folder)
        message = f"is a folder that cannot be listed: {error.strerror}. Allow mirpipe to read it."
        _add_problem(listing, folder, _lstat(folder), "unreadable", message)
        return
    for name in names:
        if not _is_hidden(name):
            yield os.path.join(folder, name)  # noqa: PTH118 - Path does not accept bytes


def _is_hidden(name: bytes) -> bool:
    return name.startswith(b".")


def _add_file(listing: Listing, path: bytes, status: os.stat_result) -> None:
    if not _has_audio_suffix(path):
        return
    if stat.S_ISREG(status.st_mode):
        listing.candidates[path] = Candidate(path, status.st_size, status.st_mtime_ns)
    else:
        message = "is a pipe, a socket or a device, and not a file. Remove it or rename it."
        _add_problem(listing, path, status, "not_a_file", message)


def _add_broken_entry(listing: Listing, path: bytes, error: OSError) -> None:
    """Add a problem for an entry whose `stat` call raised `error`."""
    try:
        status = _lstat(path)
    except OSError:
        return  # The file was removed during the scan.
    if error.errno == errno.ELOOP:
        message = "is a link to itself. Delete the link."
        _add_problem(listing, path, status, "link_loop", message)
    elif _has_audio_suffix(path):
        if isinstance(error, FileNotFoundError):
            message = (
                "is a link to a file that does not exist. Restore the file or delete the link."
            )
            _add_problem(listing, path, status, "dangling_link", message)
        else:
            message = f"cannot be read: {error.strerror}. Check its permissions."
            _add_problem(listing, path, status, "unreadable", message)


def _add_problem(
    listing: Listing, path: bytes, status: os.stat_result, reason: str, message: str
) -> None:
    problem = RejectedInput(reason, f"{printable_path(path)} {message}")
    listing.candidates[path] = Candidate(path, status.st_size, status.st_mtime_ns, problem)


def _has_audio_suffix(path: bytes) -> bool:
    name, dot, suffix = path.rpartition(b"/")[2].rpartition(b".")
    return bool(name and dot) and suffix.lower() in AUDIO_SUFFIXES


def _stat(path: bytes) -> os.stat_result:
    return os.stat(path)  # noqa: PTH116 - Path does not accept bytes


def _lstat(path: bytes) -> os.stat_result:
    return os.lstat(path)
