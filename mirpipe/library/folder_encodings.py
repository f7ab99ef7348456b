"""Decides in which encoding the undecoded tags of each folder are, and updates the labels.

The encoding of a folder is decided again when a file with undecoded tags is added, changed or
removed there. The labels of all its files then change together.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import file_tags
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import is_inside
from mirpipe.library.tag_encodings import guess_encoding
from mirpipe.library.tags import WESTERN
from mirpipe.library.update_labels import update_labels
from mirpipe.records import COLLECTIONS, Collection


def decode_tags(collection: Collection, *, since: datetime) -> int:
    """Decide the encoding of each folder that needs it, and update titles and labels.

    The caller holds the lock of the collection's ingest. Each folder is one transaction. Returns
    how many tracks have a new title or new labels; tracks that were added after `since` are not
    counted.
    """
    relabelled = 0
    with engine("app").connect() as connection:
        paths_by_folder = file_tags.paths_to_decode(connection, collection)
        settings = file_tags.read_settings(connection)
    for folder, paths in paths_by_folder.items():
        with engine("app").begin() as connection:
            files = file_tags.read_undecoded(connection, collection, paths)
            encoding = _setting_of(folder, settings)
            guessed = encoding is None
            if encoding is None:
                encoding = guess_encoding(_texts_of_existing(files))
            file_tags.write_encoding(
                connection,
                collection,
                paths,
                encoding,
                guessed=guessed and encoding != WESTERN,
            )
            track_ids = {file.track_id for file in files if file.track_id is not None}
            relabelled += update_labels(connection, track_ids, since=since)
    return relabelled


def set_encoding(folder: bytes, encoding: str | None) -> None:
    """Set the encoding of a folder and its subfolders, and update titles and labels.

    If `encoding` is None, the setting is deleted, and the encoding is guessed again.
    """
    with engine("app").begin() as connection:
        file_tags.write_setting(connection, folder, printable_path(folder), encoding)
    for collection in COLLECTIONS:
        with hold_lock(f"ingest.{collection}"):
            decode_tags(collection, since=datetime.now(UTC))


def _setting_of(folder: bytes, settings: Mapping[bytes, str]) -> str | None:
    """Return the setting of the nearest folder that contains `folder`, or None."""
    return max(
        (
            (len(other), encoding)
            for other, encoding in settings.items()
            if is_inside(folder, other)
        ),
        default=(0, None),
    )[1]


def _texts_of_existing(files: list[file_tags.StoredTags]) -> list[bytes]:
    return [
        text
        for file in files
        if not file.is_gone
        for texts in file.undecoded.values()
        for text in texts
    ]
