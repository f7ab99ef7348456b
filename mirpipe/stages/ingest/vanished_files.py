"""Marks files that no longer exist, and tracks that have lost their last file, as gone."""

from more_itertools import batched

from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, track_files
from mirpipe.files.printable_path import printable_path
from mirpipe.stages.ingest.ingest_job import PAGE_FILES, IngestJob


def mark_vanished_files(job: IngestJob) -> None:
    """Mark as gone the known files that the scan did not find, and delete their failures.

    A file in a folder that could not be listed is not marked.
    """
    vanished = [
        path
        for path, file in job.known_files.items()
        if not file.gone
        and path not in job.listing.candidates
        and not job.listing.is_unlisted(path)
    ]
    for page in batched(vanished, PAGE_FILES):
        with engine("app").begin() as connection:
            owners = track_files.track_ids_of(connection, job.collection, page)
            track_files.mark_gone(connection, job.collection, page)
            job.update_track_states(connection, owners)
            subjects = [printable_path(path) for path in page]
            failure_ledger.clear(connection, stage="ingest", subjects=subjects)
