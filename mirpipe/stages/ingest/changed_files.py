"""Selects the files that ingest has to read: new files and changed files.

A file counts as changed if its size or modification time differs from the stored one. A file that
could not be read is tried again, each time after a longer delay.
"""

from more_itertools import batched

from mirpipe.audio import has_ffmpeg
from mirpipe.db.engine import engine
from mirpipe.db.store import track_files
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.ingested_file import FAILED
from mirpipe.stages.ingest.ingest_job import PAGE_FILES, IngestJob

# A file with one of these problems is read again without a change of its size or modification time,
# because the problem can be solved without such a change.
_RETRIED_REASONS = {"unreadable", "not_a_file", "link_loop", "dangling_link", FAILED}


def select_changed_files(job: IngestJob) -> list[Candidate]:
    """Return the files to read, and count the other files.

    If a file was gone and has returned with the same size and modification time, it is marked as
    existing again.
    """
    job.counts["seen"] = len(job.listing.candidates)
    retried = _RETRIED_REASONS | ({"needs_ffmpeg"} if has_ffmpeg() else set())
    changed, returned = [], []
    for path, candidate in job.listing.candidates.items():
        known = job.known_files.get(path)
        if known is None or not _is_unchanged(candidate, known, retried):
            changed.append(candidate)
        elif known.gone:
            returned.append(path)
        else:
            job.counts["rejected" if known.reason else "unchanged"] += 1
    for page in batched(returned, PAGE_FILES):
        with engine("app").begin() as connection:
            track_files.mark_existing(connection, job.collection, page)
            owners = track_files.track_ids_of(connection, job.collection, page)
            job.update_track_states(connection, owners)
    return changed


def _is_unchanged(candidate: Candidate, known: track_files.KnownFile, retried: set[str]) -> bool:
    if candidate.problem is not None:
        return known.reason == candidate.problem.reason
    is_same = (candidate.size, candidate.mtime_ns) == (known.size, known.mtime_ns)
    return is_same and (known.reason not in retried or known.waits)
