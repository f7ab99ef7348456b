"""Runs the steps of ingest in order."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store.scanned_files import folder_comparison
from mirpipe.files.addresses import Address
from mirpipe.library.folder_encodings import decode_tags
from mirpipe.library.folder_scan import absolute_roots
from mirpipe.library.manifest import read_manifest
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.library.unmeasured_tracks import measure_tracks
from mirpipe.records import Collection, Progress
from mirpipe.settings import settings
from mirpipe.stages.ingest.changed_files import (
    changed_files,
    mark_returned_files,
    scan_and_compare,
)
from mirpipe.stages.ingest.ingest_job import IngestJob, IngestResult
from mirpipe.stages.ingest.lost_shares import FolderLoss
from mirpipe.stages.ingest.manifest_labels import apply_manifest
from mirpipe.stages.ingest.missing_folders import require_folders
from mirpipe.stages.ingest.read_files import read_and_store
from mirpipe.stages.ingest.vanished_files import mark_vanished_files


def ingest(
    roots: Sequence[Address],
    *,
    collection: Collection,
    manifest: Path | None = None,
    progress: Progress | None = None,
    allow_removal: bool = False,
    workers: int = 2,
    on_unmatched: Callable[[Sequence[ManifestRow]], None] | None = None,
    on_withheld: Callable[[Sequence[FolderLoss]], None] | None = None,
) -> IngestResult:
    """Update the tracks of the collection to match the files in the folders `roots`.

    It is safe to kill a run and repeat it. `workers` is the number of threads that read files. If
    the manifest has rows that match no file, `on_unmatched` is called with these rows. If folders
    have lost more than the share MIRPIPE_MAX_REMOVED_SHARE of their files, no file is marked as
    gone, and `on_withheld` is called with these folders. `allow_removal` accepts the removal.

    Raises ConfigurationError if the manifest cannot be read. Unless `allow_removal` is true, also
    raises ConfigurationError if a folder does not exist or has lost all its files, because its disk
    might not be mounted. Raises StorageUnavailable if a bucket cannot be listed; then, no file is
    marked as gone.
    """
    paths = absolute_roots(roots)
    rows = None if manifest is None else read_manifest(manifest, collection)
    with hold_lock(f"ingest.{collection}"), folder_comparison(collection, paths) as files:
        job = IngestJob(collection, paths, rows, files, files.started())
        scan_and_compare(job)
        if not allow_removal:
            require_folders(job)
        mark_returned_files(job)
        read_and_store(job, changed_files(job), progress, workers)
        max_share = 1.0 if allow_removal else settings().max_removed_share
        losses = mark_vanished_files(job, max_removed_share=max_share)
        unmatched = apply_manifest(job)
        job.counts["relabelled"] += decode_tags(collection, since=job.started)
        measure_tracks(collection, workers=workers)
    job.counts["unmatched"] = len(unmatched)
    if unmatched and on_unmatched:
        on_unmatched(unmatched)
    if losses and on_withheld:
        on_withheld(losses)
    return job.result()
