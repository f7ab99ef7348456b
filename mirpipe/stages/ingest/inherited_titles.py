"""Decides whether a title that an earlier version stored came from a manifest or from tags.

Earlier versions did not store where title and labels came from. If a file's tags do not contain
them, they came from a manifest, and are kept until a manifest changes them.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from mirpipe.db.store import track_files
from mirpipe.library.genres import split_genres
from mirpipe.library.ingested_file import IngestedFile
from mirpipe.library.tags import Tags, decode_western
from mirpipe.library.title_from_file_name import title_from_file_name
from mirpipe.records import Collection, TitleAndLabels


def settle_inherited_titles(
    connection: Connection, collection: Collection, files: Sequence[IngestedFile]
) -> None:
    """Decide for all of these files, whose tags have just been read."""
    paths = [file.path for file in files]
    inherited = track_files.inherited_rows(connection, collection, paths)
    from_tags = [
        file.path
        for file in files
        if file.tags is not None
        and file.path in inherited
        and _comes_from_tags(inherited[file.path], file.path, file.tags.decode(decode_western))
    ]
    if inherited:
        track_files.settle_inherited_rows(connection, collection, list(inherited), from_tags)


def _comes_from_tags(stored: TitleAndLabels, path: bytes, tags: Tags) -> bool:
    """Return whether the tags, or the file name, contain the stored title and labels."""
    return stored.title in (tags.title, title_from_file_name(path)) and all(
        set(split_genres([value])) <= set(split_genres([tags.labels.get(name, "")]))
        for name, value in stored.labels.items()
    )
