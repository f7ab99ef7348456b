"""Chooses the title and the labels of a track from those of its files.

Two files of one track can have different tags, for example on a single and on a compilation. The
files are ordered: those with a title come first, then the order of the paths decides. The title is
that of the first file. Each label has the value of the first file that has the label; genres are
those of all files. If files have a row in the manifest, only these files count.

The result depends only on the existing files, so it is the same after any history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mirpipe.library.genres import join_genres, split_genres
from mirpipe.library.title_from_file_name import title_from_file_name
from mirpipe.records import TitleAndLabels

_GENRE = "genre"


@dataclass(frozen=True)
class DescribedFile:
    """What is known about the music in a file. A missing title is an empty string."""

    path: bytes
    tags: TitleAndLabels
    manifest_row: TitleAndLabels | None

    @property
    def shown(self) -> TitleAndLabels:
        """The row in the manifest, or the tags if there is no row."""
        return self.manifest_row or self.tags


def shown_labels(files: Sequence[DescribedFile]) -> TitleAndLabels:
    """Return the title and labels of a track that has these files, which must not be empty."""
    with_row = [file for file in files if file.manifest_row is not None]
    ordered = sorted(with_row or files, key=lambda file: (not file.shown.title, file.path))
    title = ordered[0].shown.title or title_from_file_name(ordered[0].path)
    return TitleAndLabels(title, _merged([file.shown.labels for file in ordered]))


def _merged(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for values in labels:
        for name, value in values.items():
            merged.setdefault(name, value)
    if _GENRE in merged:
        merged[_GENRE] = join_genres(split_genres(values.get(_GENRE, "") for values in labels))
    return merged
