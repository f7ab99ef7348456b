"""The state of one ingest run: its input, the comparison with the stored files, and its counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy import Connection

from mirpipe.db.store import tracks
from mirpipe.db.store.scanned_files import FolderComparison
from mirpipe.library.manifest_matching import Manifest, ManifestRow
from mirpipe.library.update_labels import update_labels
from mirpipe.records import Collection

PAGE_FILES = 1000
"""Number of files or tracks per transaction in the steps that do not read files."""


@dataclass(frozen=True)
class IngestResult:
    """Counts of one run.

    They count files, except that `gone`, `returned` and `relabelled` count tracks and `unmatched`
    counts manifest rows.
    """

    seen: int
    """Files whose name is that of an audio file."""
    unchanged: int
    added: int
    moved: int
    retagged: int
    """Files that have changed, but not their audio."""
    duplicate: int
    """Files whose content equals that of another file, so both are one track."""
    rejected: int
    """Files that cannot be used, including those that were rejected in an earlier run."""
    failed: int
    """Files that could not be read because of an error outside the file.

    The next run tries to read them again.
    """
    changing: int
    """Files that another program changed while ingest read them. The next run reads them again."""
    withheld: int
    """Vanished files that are not marked as gone, because too many vanished at once.

    Files whose track has another file are left out.
    """
    gone: int
    """Tracks whose last file no longer exists."""
    returned: int
    """Tracks that were gone and have a file again."""
    relabelled: int
    """Tracks with a new title or new labels, from the manifest or from the tags."""
    unmatched: int
    """Manifest rows that match no file."""


@dataclass
class IngestJob:
    """One ingest run on the folders of one collection."""

    collection: Collection
    roots: Sequence[bytes]
    manifest: Manifest | None
    files: FolderComparison
    """The files in the folders, compared with those stored by earlier runs."""
    started: datetime
    """Time of the database when the run started."""
    matched_lines: set[int] = field(default_factory=set)
    """Lines of the manifest that match a file in the folders."""
    counts: Counter[str] = field(default_factory=Counter)

    def result(self) -> IngestResult:
        """Return the counts so far."""
        return IngestResult(**{each.name: self.counts[each.name] for each in fields(IngestResult)})

    def manifest_row(self, path: bytes) -> ManifestRow | None:
        """Return the manifest's row for the file, or None if there is no row or no manifest."""
        return None if self.manifest is None else self.manifest.find_row(path, self.roots)

    def note_manifest_row(self, path: bytes) -> None:
        """Remember that this file exists, so that its manifest row counts as matched."""
        row = self.manifest_row(path)
        if row is not None:
            self.matched_lines.add(row.line)

    def update_tracks(self, connection: Connection, track_ids: set[int]) -> None:
        """Store whether each of these tracks still has a file, and its title and labels.

        The changes are counted.
        """
        returned, gone = tracks.update_states(connection, track_ids)
        self.counts["relabelled"] += update_labels(connection, track_ids, since=self.started)
        self.counts["returned"] += returned
        self.counts["gone"] += gone
