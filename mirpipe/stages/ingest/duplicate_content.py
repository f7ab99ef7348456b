"""Decides whether a file is a new track, a copy of an existing track, or a moved track.

Files with equal audio are one track, because its audio identifies a track within its collection.
"""

from collections.abc import Mapping, Sequence

from mirpipe.db.store.tracks import KnownTrack
from mirpipe.errors import MirpipeError
from mirpipe.files.addresses import S3Address, parse_address
from mirpipe.library.ingested_file import IngestedFile
from mirpipe.storage.objects import current_version


class DuplicateDetector:
    """Classifies the files of one batch. Pass the files in the order in which they are stored."""

    def __init__(
        self,
        known: Sequence[KnownTrack],
        existing_files: Mapping[int, Mapping[bytes, bytes | None]],
    ) -> None:
        """`known` are the collection's tracks before the batch is stored.

        `existing_files` are the hashes of their files that were not marked as gone, by track id
        and path.
        """
        self._known = {track.content_sha256: track for track in known}
        self._existing_files = existing_files
        self._stored_hashes: set[bytes] = set()

    def classify(self, file: IngestedFile) -> str:
        """Return how a file without a problem is counted.

        The result is added, returned_file, unchanged, retagged, moved or duplicate. The times of an
        unchanged file have changed; the bytes of a retagged file have changed, but not its audio.
        A `returned_file` belongs to a track that was gone. IngestResult does not count such files:
        its field `returned` is a number of tracks.
        """
        content_sha256 = file.identity.sha256 if file.identity else b""
        if content_sha256 in self._stored_hashes:
            return "duplicate"
        track = self._known.get(content_sha256)
        if track is None or track.state == "gone":
            self._stored_hashes.add(content_sha256)
            return "added" if track is None else "returned_file"
        files = self._existing_files.get(track.track_id, {})
        if file.path in files:
            return "unchanged" if files[file.path] == file.file_sha256 else "retagged"
        return "moved" if any(map(_is_missing, files)) else "duplicate"


def _is_missing(path: bytes) -> bool:
    address = parse_address(path)
    try:
        if isinstance(address, S3Address):
            current_version(address)
        else:
            address.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, MirpipeError):
        return False  # The folder or the bucket cannot be read. The file may exist.
    return False
