"""Finds what may be audio in folders: names as the bytes that the file system gave, links followed.

A candidate is anything whose name ends in a known audio suffix, in any case. Everything else is
none of our business, and so are hidden names (`.DS_Store`, the `._` twins that macOS leaves).
Nothing but directories is opened here.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mirpipe.audio import show
from mirpipe.errors import ConfigurationError, RejectedInput

SUFFIXES = frozenset(
    b"wav wave bwf rf64 w64 flac mp3 mp2 ogg oga opus aif aiff aifc au snd caf "
    b"m4a m4b m4r mp4 aac adts mka webm weba wma asf wv ape tta tak mpc amr ac3 eac3 dts dsf dff "
    b"alac 3gp ra rm".split()
)


@dataclass(frozen=True)
class Candidate:
    """A name that ends like an audio file's."""

    path: bytes
    """Absolute."""
    size: int
    mtime_ns: int
    obstacle: RejectedInput | None = None
    """Why it can never be read: not_a_file, link_loop, dangling_link, unreadable."""


@dataclass
class Listing:
    """What the folders hold."""

    candidates: dict[bytes, Candidate] = field(default_factory=dict)
    blind: list[bytes] = field(default_factory=list)
    """Directories that could not be listed: what is below them is neither there nor gone."""

    def is_blind(self, path: bytes) -> bool:
        """Whether `path` lies below a directory that could not be listed."""
        return any(is_below(path, directory) for directory in self.blind)


def absolute(roots: Sequence[Path]) -> list[bytes]:
    """The folders as absolute bytes paths, links resolved, those inside another one left out."""
    paths = sorted({os.fsencode(root.expanduser().resolve()) for root in roots})
    return [p for p in paths if not any(p != other and is_below(p, other) for other in paths)]


def is_below(path: bytes, directory: bytes) -> bool:
    """Whether `path` is `directory` or lies in it."""
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")


def scan(roots: Sequence[bytes]) -> Listing:
    """Every candidate below `roots`, in an order that does not change.

    A root may be a single file. Raises ConfigurationError where a root cannot be listed; a root
    that does not exist holds nothing.
    """
    listing = Listing()
    for root in roots:
        try:
            found = _stat(root)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigurationError(f"{show(root)}: {error.strerror}") from error
        if not stat.S_ISDIR(found.st_mode):
            _add_file(listing, root, found)
            continue
        _scan_folder(listing, root, found)
        if root in listing.blind:
            raise ConfigurationError(
                f"{show(root)} cannot be listed: give its user read permission"
            )
    listing.candidates = dict(sorted(listing.candidates.items()))
    return listing


def _scan_folder(listing: Listing, root: bytes, found: os.stat_result) -> None:
    # A stack in place of recursion: a hostile tree is deeper than Python's.
    folders = [(root, frozenset({(found.st_dev, found.st_ino)}))]
    while folders:
        folder, above = folders.pop()
        for path in _names(listing, folder):
            try:
                found = _stat(path)
            except OSError as error:
                _add_broken(listing, path, error)
                continue
            if not stat.S_ISDIR(found.st_mode):
                _add_file(listing, path, found)
                continue
            identity = (found.st_dev, found.st_ino)
            if identity in above:
                _add_obstacle(listing, path, found, "link_loop", "leads back to a folder above it")
            elif _has_suffix(path):
                said = "is a folder named like audio: rename it to have it searched"
                _add_obstacle(listing, path, found, "not_a_file", said)
            else:
                folders.append((path, above | {identity}))


def _names(listing: Listing, folder: bytes) -> Iterator[bytes]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return  # went away since it was found
    except OSError as error:
        listing.blind.append(folder)
        said = f"cannot be listed: {error.strerror}"
        _add_obstacle(listing, folder, _lstat(folder), "unreadable", said)
        return
    for name in names:
        if not name.startswith(b"."):
            yield os.path.join(folder, name)  # noqa: PTH118 - Path takes no bytes


def _add_file(listing: Listing, path: bytes, found: os.stat_result) -> None:
    if not _has_suffix(path):
        return
    if stat.S_ISREG(found.st_mode):
        listing.candidates[path] = Candidate(path, found.st_size, found.st_mtime_ns)
    else:
        _add_obstacle(listing, path, found, "not_a_file", "is a pipe, a socket or a device")


def _add_broken(listing: Listing, path: bytes, error: OSError) -> None:
    try:
        link = _lstat(path)
    except OSError:
        return  # went away since it was listed
    if error.errno == errno.ELOOP:
        _add_obstacle(listing, path, link, "link_loop", "is a link that leads to itself")
    elif _has_suffix(path):
        if isinstance(error, FileNotFoundError):
            _add_obstacle(listing, path, link, "dangling_link", "is a link that leads nowhere")
        else:
            _add_obstacle(
                listing, path, link, "unreadable", f"cannot be followed: {error.strerror}"
            )


def _add_obstacle(
    listing: Listing, path: bytes, found: os.stat_result, reason: str, said: str
) -> None:
    obstacle = RejectedInput(reason, f"{show(path)} {said}")
    listing.candidates[path] = Candidate(path, found.st_size, found.st_mtime_ns, obstacle)


def _has_suffix(path: bytes) -> bool:
    name, dot, suffix = path.rpartition(b"/")[2].rpartition(b".")
    return bool(name and dot) and suffix.lower() in SUFFIXES


def _stat(path: bytes) -> os.stat_result:
    return os.stat(path)  # noqa: PTH116 - Path takes no bytes


def _lstat(path: bytes) -> os.stat_result:
    return os.lstat(path)
