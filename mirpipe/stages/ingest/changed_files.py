"""Finds the files that ingest has to read: new files and changed files.

A file counts as changed if its size, its modification time or the time of its last change (ctime)
differs from the stored one. A program can change a file and keep the first two, but not the third.
An object in S3 counts as changed if its size or its ETag differs.
A file that could not be read is tried again, each time after a longer delay.
"""

from collections.abc import Iterator

from more_itertools import batched

from mirpipe.audio import has_ffmpeg
from mirpipe.db.engine import engine
from mirpipe.db.store import track_files
from mirpipe.db.store.scanned_files import ScannedFile
from mirpipe.errors import RejectedInput
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.ingested_file import FAILED
from mirpipe.library.library_scan import scan
from mirpipe.stages.ingest.ingest_job import PAGE_FILES, IngestJob

# A file with one of these problems is read again without a change of the file, because the problem
# can be solved without such a change.
_RETRIED_REASONS = {"unreadable", "not_a_file", "link_loop", "dangling_link", FAILED}


def scan_and_compare(job: IngestJob) -> None:
    """Scan the folders, compare the files with the stored ones, and count those not to be read."""
    retried = _RETRIED_REASONS | ({"needs_ffmpeg"} if has_ffmpeg() else set())
    job.files.compare(_scanned_files(job), retried, identify=has_ffmpeg())
    counts = job.files.counts()
    job.counts["seen"] = sum(counts.values())
    for outcome in ("rejected", "unchanged"):
        job.counts[outcome] = counts.get(outcome, 0)


def changed_files(job: IngestJob) -> Iterator[Candidate]:
    """Yield the files to read, sorted by path."""
    for file in job.files.files("changed"):
        problem = RejectedInput(file.reason, file.message) if file.reason else None
        yield Candidate(
            file.path,
            file.size,
            file.mtime_ns,
            file.ctime_ns,
            problem,
            file.is_unlisted_folder,
            file.etag or None,
        )


def mark_returned_files(job: IngestJob) -> None:
    """Mark files as existing that were gone and have returned unchanged."""
    for page in batched((file.path for file in job.files.files("returned")), PAGE_FILES):
        with engine("app").begin() as connection:
            track_files.mark_existing(connection, job.collection, page)
            owners = track_files.track_ids_of(connection, job.collection, page)
            job.update_tracks(connection, owners)


def _scanned_files(job: IngestJob) -> Iterator[ScannedFile]:
    for candidate in scan(job.roots):
        job.note_manifest_row(candidate.path)
        problem = candidate.problem
        yield ScannedFile(
            path=candidate.path,
            size=candidate.size,
            mtime_ns=candidate.mtime_ns,
            ctime_ns=candidate.ctime_ns,
            reason=problem.reason if problem else "",
            message=str(problem or ""),
            is_unlisted_folder=candidate.is_unlisted_folder,
            etag=candidate.etag or "",
        )
