"""Reads files in batches and stores their tracks, file rows, waveforms and failures."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from more_itertools import batched
from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.store import (
    audio_measurements,
    failure_ledger,
    fingerprints,
    track_files,
    track_identity,
    tracks,
    waveforms,
)
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.ingested_file import (
    FAILED,
    UNREACHABLE,
    IngestedFile,
    fingerprints_by_hash,
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
from mirpipe.stages.ingest.inherited_titles import settle_inherited_titles

BATCH_FILES = 64
"""Number of files per transaction. After a run is killed, at most this many must be read again."""


def read_and_store(
    job: IngestJob, candidates: Iterable[Candidate], progress: Progress | None, workers: int
) -> None:
    """Read the files in `workers` threads, and store and count them batch by batch."""
    done, total = 0, job.files.counts().get("changed", 0)
    with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
        for batch in batched(candidates, BATCH_FILES):
            hashed = list(pool.map(hash_file, batch))
            known = _tracks_with_same_bytes(hashed)
            files = []
            for file in pool.map(
                read_facts_and_labels,
                hashed,
                [known.get(file.file_sha256 or b"") for file in hashed],
                [job.manifest_row(file.path) for file in hashed],
            ):
                files.append(file)
                done += 1
                if progress:
                    progress(done, total)
            reached = [file for file in files if not _is_unreachable(file)]
            _record_unreachable(file for file in files if _is_unreachable(file))
            job.counts["failed"] += len(files) - len(reached)
            stable = [file for file in reached if not has_changed_since_hashing(file)]
            job.counts["changing"] += len(reached) - len(stable)
            _identify_known_tracks(job, stable)
            duplicates = _duplicate_detector(job, stable)
            _store(job, stable)
            for file in stable:
                job.counts[_count_as(file, duplicates)] += 1


def _is_unreachable(file: IngestedFile) -> bool:
    return file.problem is not None and file.problem.reason == UNREACHABLE


def _record_unreachable(files: Iterable[IngestedFile]) -> None:
    """Record the failures. Nothing else is stored, so that a known object keeps its track."""
    with engine("app").begin() as connection:
        for file in files:
            _record_problem(connection, file)


def _tracks_with_same_bytes(files: Sequence[IngestedFile]) -> dict[bytes, tracks.KnownTrack]:
    """Return the tracks that have a file with the same bytes, in any collection, by file hash."""
    hashes = [file.file_sha256 for file in files if file.file_sha256 is not None]
    with engine("app").connect() as connection:
        return tracks.tracks_by_file(connection, hashes)


def _identify_known_tracks(job: IngestJob, files: Sequence[IngestedFile]) -> None:
    """Give stored tracks the identity of their audio, if it was not known before."""
    identities = {
        file.file_sha256: (file.identity.sha256, file.identity.kind)
        for file in files
        if file.file_sha256 and file.identity and not file.problem and file.identity.kind != "file"
    }
    with engine("app").begin() as connection:
        job.update_tracks(
            connection, track_identity.identify_tracks(connection, job.collection, identities)
        )


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
        settle_inherited_titles(connection, job.collection, usable)
        waveforms.write(connection, job.collection, waveforms_by_hash(usable))
        audio_measurements.write(connection, job.collection, measurements_by_hash(usable))
        fingerprints.write(connection, job.collection, fingerprints_by_hash(usable))
        job.update_tracks(connection, old_owners | owners)
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


def _duplicate_detector(job: IngestJob, files: Sequence[IngestedFile]) -> DuplicateDetector:
    """Return the detector for a batch that is not stored yet."""
    hashes = [file.identity.sha256 for file in files if file.identity is not None]
    with engine("app").connect() as connection:
        known = tracks.tracks_with_content(connection, job.collection, hashes)
        existing = track_files.existing_files(connection, [track.track_id for track in known])
    return DuplicateDetector(known, existing)


def _count_as(file: IngestedFile, duplicates: DuplicateDetector) -> str:
    """Return the name of the count that includes this stored file."""
    if file.problem is not None:
        return "failed" if file.problem.reason == FAILED else "rejected"
    return duplicates.classify(file)
