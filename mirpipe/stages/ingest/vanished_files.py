"""Marks files that no longer exist, and tracks that have lost their last file, as gone."""

from collections.abc import Sequence

from more_itertools import batched

from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, track_files
from mirpipe.files.printable_path import printable_path
from mirpipe.stages.ingest.ingest_job import PAGE_FILES, IngestJob
from mirpipe.stages.ingest.lost_shares import (
    MIN_LOST_FILES,
    FolderLoss,
    folders_with_heavy_losses,
)


def mark_vanished_files(job: IngestJob, *, max_removed_share: float) -> Sequence[FolderLoss]:
    """Mark as gone the known files that the scan did not find, and delete their failures.

    If a folder has lost more than the share `max_removed_share` of its files, nothing is marked,
    and these folders are returned. A file in a folder that could not be listed is not marked.
    """
    lost = job.files.find_vanished()
    if lost >= MIN_LOST_FILES and max_removed_share < 1:
        heavy = folders_with_heavy_losses(
            job.files.known_files(), job.roots, max_share=max_removed_share
        )
        if heavy:
            job.counts["withheld"] = lost
            return heavy
    for page in batched(job.files.vanished_paths(), PAGE_FILES):
        with engine("app").begin() as connection:
            owners = track_files.track_ids_of(connection, job.collection, page)
            track_files.mark_gone(connection, job.collection, page)
            job.update_tracks(connection, owners)
            subjects = [printable_path(path) for path in page]
            failure_ledger.clear(connection, stage="ingest", subjects=subjects)
    return []
