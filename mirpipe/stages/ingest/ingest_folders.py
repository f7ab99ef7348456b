"""Runs the steps of ingest in order."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import track_files
from mirpipe.library.folder_scan import absolute_roots, scan_folders
from mirpipe.library.manifest import read_manifest
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.library.missing_measurements import measure_missing
from mirpipe.records import Collection, Progress
from mirpipe.stages.ingest.changed_files import select_changed_files
from mirpipe.stages.ingest.ingest_job import IngestJob, IngestResult
from mirpipe.stages.ingest.manifest_labels import apply_manifest
from mirpipe.stages.ingest.missing_folders import require_folders
from mirpipe.stages.ingest.read_files import read_and_store
from mirpipe.stages.ingest.vanished_files import mark_vanished_files


def ingest(
    roots: Sequence[Path],
    *,
    collection: Collection,
    manifest: Path | None = None,
    progress: Progress | None = None,
    allow_empty: bool = False,
    workers: int = 2,
    on_unmatched: Callable[[Sequence[ManifestRow]], None] | None = None,
) -> IngestResult:
    """Update the tracks of the collection to match the files in the folders `roots`.

    It is safe to kill a run and repeat it. `workers` is the number of threads that read files. If
    the manifest has rows that match no file, `on_unmatched` is called with these rows.

    Raises ConfigurationError if the manifest cannot be read. Unless `allow_empty` is true, also
    raises ConfigurationError if a folder does not exist or has lost all its files, because its disk
    might not be mounted.
    """
    paths = absolute_roots(roots)
    rows = None if manifest is None else read_manifest(manifest, collection)
    with hold_lock(f"ingest.{collection}"):
        with engine("app").connect() as connection:
            known_files = track_files.read_known_files(connection, collection, paths)
        job = IngestJob(collection, paths, rows, known_files, scan_folders(paths))
        if not allow_empty:
            require_folders(job)
        read_and_store(job, select_changed_files(job), progress, workers)
        mark_vanished_files(job)
        unmatched = apply_manifest(job)
        measure_missing(collection, workers=workers)
    job.counts["unmatched"] = len(unmatched)
    if unmatched and on_unmatched:
        on_unmatched(unmatched)
    return job.result()
