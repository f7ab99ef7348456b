"""Reads files in batches and stores their tracks, file rows, waveforms and failures."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from more_itertools import batched
from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.store import audio_measurements, failure_ledger, track_files, tracks, waveforms
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.ingested_file import (
    FAILED,
    IngestedFile,
    has_changed_since_hashing,
    hash_file,
    measurements_by_hash,
    read_facts_and_labels,
    to_new_track,
    to_seen_file,
    waveforms_by_hash,
)
from mirpipe.records import Progress
from mirpipe.stages.ingest.duplicate_content import DuplicateDetector
from mirpipe.stages.ingest.ingest_job import IngestJob

BATCH_FILES = 64
"""Number of files per transaction. After a run is killed, at most this many must be read again."""


def read_and_store(
    job: IngestJob, candidates: Sequence[Candidate], progress: Progress | None, workers: int
) -> None:
    """Read the files in `workers` threads, and store and count them batch by batch."""
    done = 0
    duplicates = DuplicateDetector(job)
    with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
        for batch in batched(candidates, BATCH_FILES):
            hashed = list(pool.map(hash_file, batch))
            known = _tracks_with_same_content(hashed)
            by_hash = {track.content_sha256: track for track in known}
            files = []
            for file in pool.map(
                read_facts_and_labels,
                hashed,
                [by_hash.get(file.content_sha256 or b"") for file in hashed],
                [job.manifest_row(file.path) for file in hashed],
            ):
                files.append(file)
                done += 1
                if progress:
                    progress(done, len(candidates))
            stable = [file for file in files if not has_changed_since_hashing(file)]
            job.counts["changing"] += len(files) - len(stable)
            _store(job, stable)
            in_collection = [track for track in known if track.collection == job.collection]
            for file in stable:
                job.counts[_count_as(file, in_collection, duplicates)] += 1


def _tracks_with_same_content(files: Sequence[IngestedFile]) -> list[tracks.KnownTrack]:
    hashes = [file.content_sha256 for file in files if file.content_sha256 is not None]
    with engine("app").connect() as connection:
        return tracks.tracks_with_content(connection, hashes)


def _store(job: IngestJob, files: Sequence[IngestedFile]) -> None:
    """Store a batch of files in one transaction.

    Files with equal content become one track, because a track is stored by its content hash.
    """
    usable = [file for file in files if file.problem is None]
    with engine("app").begin() as connection:
        paths = [file.path for file in files]
        old_owners = track_files.track_ids_of(connection, job.collection, paths)
        owners = tracks.write(connection, job.collection, [to_new_track(file) for file in usable])
        track_files.write(connection, job.collection, [to_seen_file(file) for file in files])
        waveforms.write(connection, job.collection, waveforms_by_hash(usable))
        audio_measurements.write(connection, job.collection, measurements_by_hash(usable))
        job.update_track_states(connection, old_owners | owners)
        subjects = [printable_path(file.path) for file in usable]
        failure_ledger.clear(connection, stage="ingest", subjects=subjects)
        for file in files:
            _record_problem(connection, file)


def _record_problem(connection: Connection, file: IngestedFile) -> None:
    if file.problem is not None:
        failure_ledger.record(
            connection,
            stage="ingest",
            subject=printable_path(file.path),
            reason=file.problem.reason,
            message=str(file.problem),
            retry=file.problem.retry or file.problem.reason == FAILED,
        )


def _count_as(
    file: IngestedFile, known: Sequence[tracks.KnownTrack], duplicates: DuplicateDetector
) -> str:
    """Return the name of the count that includes this stored file.

    `known` are the collection's tracks that already had the content of a file in this batch.
    """
    if file.problem is not None:
        return "failed" if file.problem.reason == FAILED else "rejected"
    same = next((track for track in known if track.content_sha256 == file.content_sha256), None)
    return duplicates.classify(file, same)
