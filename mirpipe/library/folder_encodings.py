"""Decides in which encoding the undecoded tags of each folder are, and updates the labels.

The encoding of a folder is decided again when a file with undecoded tags is added, changed or
removed there. The labels of all its files then change together.
"""

from collections.abc import Mapping

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import file_tags, tracks
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import is_inside
from mirpipe.library.tag_encodings import decode_text, guess_encoding
from mirpipe.library.tags import WESTERN, FileTags
from mirpipe.library.title_from_file_name import title_from_file_name
from mirpipe.records import COLLECTIONS, Collection


def decode_tags(collection: Collection) -> None:
    """Decide the encoding of each folder that needs it, and update titles and labels.

    The caller holds the lock of the collection's ingest. Each folder is one transaction.
    """
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
            shown = file_tags.read_shown(connection, track_ids)
            labels = {track_id: _title_and_labels(file) for track_id, file in shown.items()}
            tracks.update_labels(connection, labels, labels_from="tags")


def set_encoding(folder: bytes, encoding: str | None) -> None:
    """Set the encoding of a folder and its subfolders, and update titles and labels.

    If `encoding` is None, the setting is deleted, and the encoding is guessed again.
    """
    with engine("app").begin() as connection:
        file_tags.write_setting(connection, folder, printable_path(folder), encoding)
    for collection in COLLECTIONS:
        with hold_lock(f"ingest.{collection}"):
            decode_tags(collection)


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


def _title_and_labels(file: file_tags.StoredTags) -> tuple[str, Mapping[str, str]]:
    encoding = file.encoding or WESTERN
    tags = FileTags(file.texts, file.undecoded).decode(lambda text: decode_text(text, encoding))
    return tags.title or title_from_file_name(file.path), tags.labels
