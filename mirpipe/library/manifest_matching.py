"""Matches manifest rows to audio files by path.

A row's path is absolute, or it is relative to the manifest's folder or to an ingested folder.
Unicode has two forms for a letter such as é, composed and decomposed. On macOS, the form of a file
name may differ from the form in the manifest, so both forms match.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirpipe.library.folder_scan import is_inside


@dataclass(frozen=True)
class ManifestRow:
    """One manifest row: a file's path, title and labels."""

    path: str
    line: int
    """Line number in the manifest; the header is line 1."""
    title: str
    """Title of the track, or an empty string if the manifest has none."""
    labels: dict[str, str]


class Manifest:
    """The rows of a manifest that apply to one collection."""

    def __init__(self, folder: Path, rows: Sequence[ManifestRow]) -> None:
        """`folder` is the absolute path of the folder that contains the manifest."""
        self._folder = os.fsencode(folder)
        self._rows_by_path = {row.path: row for row in rows}
        self._rows_by_composed_path = {_composed(row.path): row for row in rows}

    def __len__(self) -> int:
        return len(self._rows_by_path)

    @property
    def rows(self) -> Iterable[ManifestRow]:
        """All rows, in line order."""
        return self._rows_by_path.values()

    def find_row(self, path: bytes, roots: Sequence[bytes]) -> ManifestRow | None:
        """Return the row for the file at the absolute path `path`, or None if there is no row.

        `roots` are the ingested folders. If several rows match, a path relative to the manifest's
        folder takes precedence over a path relative to a root, which takes precedence over an
        absolute path. Rows in the same Unicode form as `path` take precedence over all other rows.
        """
        names = [os.fsdecode(name) for name in _possible_names(path, [self._folder, *roots])]
        rows = [self._rows_by_path.get(name) for name in names]
        rows += [self._rows_by_composed_path.get(_composed(name)) for name in names]
        return next((row for row in rows if row is not None), None)


def _possible_names(path: bytes, folders: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the paths by which a manifest can refer to the file, in order of precedence."""
    for folder in folders:
        if path != folder and is_inside(path, folder):
            yield path[len(folder.rstrip(b"/")) + 1 :]
    yield path


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
