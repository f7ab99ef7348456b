"""Decides whether a file is a new track, a copy of an existing track, or a moved track.

Files with equal content are one track, because the SHA-256 hash of the bytes identifies a track
within its collection.
"""

from mirpipe.db.store.tracks import KnownTrack
from mirpipe.library.ingested_file import IngestedFile
from mirpipe.stages.ingest.ingest_job import IngestJob


class DuplicateDetector:
    """Classifies the files of one run. Pass the files in the order in which they are stored."""

    def __init__(self, job: IngestJob) -> None:
        self._job = job
        self._stored_hashes: set[bytes] = set()

    def classify(self, file: IngestedFile, track: KnownTrack | None) -> str:
        """Return added, returned_file, unchanged, moved or duplicate for a file without a problem.

        `track` is the collection's track that had the same content before the file was stored, or
        None. A `returned_file` belongs to a track that was gone. IngestResult does not count such
        files: its field `returned` is a number of tracks.
        """
        content_sha256 = file.content_sha256 or b""
        if content_sha256 in self._stored_hashes:
            return "duplicate"
        if track is None or track.state == "gone":
            self._stored_hashes.add(content_sha256)
            return "added" if track is None else "returned_file"
        paths = self._job.known_paths.get(track.track_id, [])
        if file.path in paths:
            return "unchanged"  # Only the file's modification time has changed.
        has_vanished_path = any(path not in self._job.listing.candidates for path in paths)
        return "moved" if has_vanished_path else "duplicate"
