"""Updates the titles and labels of tracks whose files have changed."""

from datetime import datetime

from sqlalchemy import Connection

from mirpipe.db.store import file_tags, tracks
from mirpipe.library.shown_labels import DescribedFile, shown_labels
from mirpipe.library.tag_encodings import decode_text
from mirpipe.library.tags import WESTERN, FileTags
from mirpipe.records import TitleAndLabels


def update_labels(connection: Connection, track_ids: set[int], *, since: datetime) -> int:
    """Give these tracks the titles and labels that follow from their existing files.

    Returns how many tracks have changed. A track that was added after `since` is not counted. A
    track without an existing file keeps its title and labels. So does a track of which the encoding
    of a file's tags is not known yet; `decode_tags` updates it later in the same ingest.
    """
    changed = 0
    shown: dict[tracks.LabelOrigin, dict[int, TitleAndLabels]] = {"manifest": {}, "tags": {}}
    for track_id, files in file_tags.read_existing(connection, track_ids).items():
        if any(file.undecoded and file.encoding is None for file in files):
            continue
        has_row = any(file.manifest_row is not None for file in files)
        origin: tracks.LabelOrigin = "manifest" if has_row else "tags"
        shown[origin][track_id] = shown_labels([describe(file) for file in files])
    for origin, labels in shown.items():
        changed += tracks.update_labels(connection, labels, labels_from=origin, since=since)
    return changed


def describe(file: file_tags.StoredTags) -> DescribedFile:
    """Return what the stored tags and the stored manifest row say about a file."""
    encoding = file.encoding or WESTERN
    tags = FileTags(file.texts, file.undecoded).decode(lambda text: decode_text(text, encoding))
    return DescribedFile(file.path, TitleAndLabels(tags.title, tags.labels), file.manifest_row)
