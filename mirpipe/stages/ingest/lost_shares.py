"""Finds folders that have lost so many files at once that their disk or share may be offline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mirpipe.library.folder_scan import is_inside

MIN_LOST_FILES = 20
"""A folder that has lost fewer files is never reported."""


@dataclass
class FolderLoss:
    """A folder, and how many of its known files are lost. Files in subfolders are included."""

    folder: bytes
    lost: int = 0
    known: int = 0
    """Number of files that the last ingest knew, including the lost ones."""


def folders_with_heavy_losses(
    known_files: Iterable[tuple[bytes, bool]], roots: Sequence[bytes], *, max_share: float
) -> list[FolderLoss]:
    """Return the folders that have lost MIN_LOST_FILES files or more, and more than `max_share`.

    `known_files` yields the path of each known file, and whether the file is lost, sorted by path.
    Folders at and below `roots` are considered. A folder inside a returned folder is left out.
    """
    heavy: list[FolderLoss] = []
    open_folders: list[FolderLoss] = []

    def close() -> None:
        closed = open_folders.pop()
        if closed.lost >= MIN_LOST_FILES and closed.lost > max_share * closed.known:
            heavy[:] = [each for each in heavy if not is_inside(each.folder, closed.folder)]
            heavy.append(closed)
        if open_folders:
            open_folders[-1].lost += closed.lost
            open_folders[-1].known += closed.known

    for path, is_lost in known_files:
        # In sorted order, all files of a folder follow each other.
        while open_folders and not is_inside(path, open_folders[-1].folder):
            close()
        for folder in _folders_of(path, roots)[len(open_folders) :]:
            open_folders.append(FolderLoss(folder))
        open_folders[-1].lost += is_lost
        open_folders[-1].known += 1
    while open_folders:
        close()
    return heavy


def _folders_of(path: bytes, roots: Sequence[bytes]) -> list[bytes]:
    """Return the root that contains the file, and the folders between, ending with the file's."""
    root = next(root for root in roots if is_inside(path, root))
    if path == root:
        return [root]
    base = root.rstrip(b"/")
    names = path[len(base) + 1 :].split(b"/")[:-1]
    return [root, *(b"/".join([base, *names[:n]]) for n in range(1, len(names) + 1))]
