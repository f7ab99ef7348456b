"""Ingest: makes the database know every usable track in a folder, and why the others are not.

Reconciles files with tables: a file whose size and time are as they were is not read; content that
was measured before, at whatever path, is hashed and not decoded. Bad input goes to the ledger and
is left alone until the file changes.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

from more_itertools import batched
from sqlalchemy import Connection

from mirpipe.audio import has_ffmpeg, show
from mirpipe.db.advisory_locks import exclusive
from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger, track_files, tracks, waveforms
from mirpipe.errors import ConfigurationError
from mirpipe.library import folder_scan
from mirpipe.library.folder_scan import Candidate, Listing
from mirpipe.library.ingested_file import (
    FAILED,
    Reading,
    identify,
    is_unsteady,
    measure,
    new_track,
    outline,
    seen_file,
    stem,
)
from mirpipe.library.manifest import Manifest, Row
from mirpipe.library.manifest import read as read_manifest
from mirpipe.library.missing_waveforms import draw_missing
from mirpipe.records import Collection, Progress

BATCH_FILES = 64
"""Files a transaction, and at most what a killed ingest reads twice."""
_PAGE = 1000


# What may change without the file's size and time: it is looked at again every time.
_RETRIED = {"unreadable", "not_a_file", "link_loop", "dangling_link", FAILED}


@dataclass(frozen=True)
class IngestResult:
    """What ingest found, counted in files, but `gone`, `returned` and `relabelled` in tracks."""

    seen: int
    unchanged: int
    added: int
    moved: int
    duplicate: int
    rejected: int
    """Bad input, known before or not."""
    failed: int
    """Could not be read for a reason that is not the file's; tried again next time."""
    changing: int
    """Written to while being read; read again next time."""
    gone: int
    returned: int
    relabelled: int
    unmatched: int
    """Rows of the manifest that name no file here."""

    @property
    def changed(self) -> bool:
        """Whether the usable tracks, or what is said of them, are others than before."""
        return any((self.added, self.gone, self.returned, self.relabelled))


@dataclass
class _Job:
    collection: Collection
    roots: Sequence[bytes]
    manifest: Manifest | None
    known: dict[bytes, track_files.KnownFile]
    listing: Listing
    counts: Counter[str] = field(default_factory=Counter)
    met: set[bytes] = field(default_factory=set)
    """Contents that this run added or brought back."""

    @cached_property
    def paths_by_track(self) -> dict[int, list[bytes]]:
        """Where each track lay when the run began."""
        paths: dict[int, list[bytes]] = {}
        for path, file in self.known.items():
            if file.track_id is not None and not file.gone:
                paths.setdefault(file.track_id, []).append(path)
        return paths

    def row(self, path: bytes) -> Row | None:
        return None if self.manifest is None else self.manifest.find(path, self.roots)


def ingest(
    roots: Sequence[Path],
    *,
    collection: Collection,
    manifest: Path | None = None,
    progress: Progress | None = None,
    allow_empty: bool = False,
    workers: int = 2,
    unmatched: Callable[[Sequence[Row]], None] | None = None,
) -> IngestResult:
    """Brings the collection in line with what lies below `roots`; safe to kill and to repeat.

    `unmatched` is told the rows of the manifest that name no file here, where there are any.
    Raises ConfigurationError for a manifest that cannot be read, and, unless `allow_empty`, where
    a folder that held tracks is missing or empty: its disk may not be mounted.
    """
    paths = folder_scan.absolute(roots)
    rows = None if manifest is None else read_manifest(manifest, collection)
    with exclusive(f"ingest.{collection}"):
        with engine("app").connect() as connection:
            known = track_files.known(connection, collection, paths)
        job = _Job(collection, paths, rows, known, folder_scan.scan(paths))
        _require_present(job, allow_empty=allow_empty)
        _read(job, _bring_back(job), progress, workers)
        _leave(job)
        left = _relabel(job)
        draw_missing(collection, workers=workers)
    job.counts["unmatched"] = len(left)
    if left and unmatched:
        unmatched(left)
    return IngestResult(**{name.name: job.counts[name.name] for name in fields(IngestResult)})


def _require_present(job: _Job, *, allow_empty: bool) -> None:
    for root in job.roots:
        if any(folder_scan.is_below(path, root) for path in job.listing.candidates):
            continue
        held = sum(
            folder_scan.is_below(path, root)
            for path, file in job.known.items()
            if file.track_id is not None and not file.gone
        )
        if held and not allow_empty:
            raise ConfigurationError(
                f"{show(root)} held {held} tracks and holds none now: mount its disk; or, if they "
                "are gone for good, ingest with --allow-empty (allow_empty=True)"
            )
        if not held and not allow_empty and not Path(os.fsdecode(root)).exists():
            raise ConfigurationError(f"{show(root)} does not exist: name a folder that holds audio")


def _bring_back(job: _Job) -> list[Candidate]:
    """The files that must be read; files as they were are counted, and no longer gone."""
    job.counts["seen"] = len(job.listing.candidates)
    retried = _RETRIED | ({"needs_ffmpeg"} if has_ffmpeg() else set())
    to_read, back = [], []
    for path, candidate in job.listing.candidates.items():
        known = job.known.get(path)
        if known is None or not _is_unchanged(candidate, known, retried):
            to_read.append(candidate)
        elif known.gone:
            back.append(path)
        else:
            job.counts["rejected" if known.reason else "unchanged"] += 1
    for page in batched(back, _PAGE):
        with engine("app").begin() as connection:
            track_files.bring_back(connection, job.collection, page)
            _settle(connection, job, track_files.owners(connection, job.collection, page))
    return to_read


def _is_unchanged(candidate: Candidate, known: track_files.KnownFile, retried: set[str]) -> bool:
    if candidate.obstacle is not None:
        return known.reason == candidate.obstacle.reason
    same = (candidate.size, candidate.mtime_ns) == (known.size, known.mtime_ns)
    return same and known.reason not in retried


def _read(job: _Job, to_read: Sequence[Candidate], progress: Progress | None, workers: int) -> None:
    done = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
        for batch in batched(to_read, BATCH_FILES):
            identified = list(pool.map(identify, batch))
            hashes = [r.content_sha256 for r in identified if r.content_sha256 is not None]
            with engine("app").connect() as connection:
                known = tracks.known(connection, hashes)
            by_hash = {track.content_sha256: track for track in known}
            readings = []
            for reading in pool.map(
                measure,
                identified,
                [by_hash.get(r.content_sha256 or b"") for r in identified],
                [job.row(r.path) for r in identified],
            ):
                readings.append(reading)
                done += 1
                if progress:
                    progress(done, len(to_read))
            _write(job, readings, [t for t in known if t.collection == job.collection])


def _write(job: _Job, readings: Sequence[Reading], known: Sequence[tracks.KnownTrack]) -> None:
    steady = [reading for reading in readings if not is_unsteady(reading)]
    job.counts["changing"] += len(readings) - len(steady)
    usable = [reading for reading in steady if reading.problem is None]
    with engine("app").begin() as connection:
        owners = track_files.owners(connection, job.collection, [r.path for r in steady])
        written = tracks.write(connection, job.collection, [new_track(r) for r in usable])
        track_files.write(connection, job.collection, [seen_file(r) for r in steady])
        waveforms.write(connection, job.collection, dict(filter(None, map(outline, usable))))
        _settle(connection, job, owners | written)
        failure_ledger.clear(connection, stage="ingest", subjects=[show(r.path) for r in usable])
        for reading in steady:
            if reading.problem is not None:
                failure_ledger.record(
                    connection,
                    stage="ingest",
                    subject=show(reading.path),
                    reason=reading.problem.reason,
                    message=str(reading.problem),
                    retry=reading.problem.reason == FAILED,
                )
    by_hash = {track.content_sha256: track for track in known}
    for reading in steady:
        job.counts[_kind(job, reading, by_hash.get(reading.content_sha256 or b""))] += 1


def _kind(job: _Job, reading: Reading, known: tracks.KnownTrack | None) -> str:
    """What a file that was read and stored is counted as."""
    if reading.problem is not None:
        return "failed" if reading.problem.reason == FAILED else "rejected"
    content = reading.content_sha256 or b""
    if content in job.met:
        return "duplicate"
    if known is None or known.state == "gone":
        job.met.add(content)
        return "added" if known is None else "brought_back"
    before = job.paths_by_track.get(known.track_id, [])
    if reading.path in before:
        return "unchanged"  # only its time is another
    vanished = any(path not in job.listing.candidates for path in before)
    return "moved" if vanished else "duplicate"


def _leave(job: _Job) -> None:
    vanished = [
        path
        for path, file in job.known.items()
        if not file.gone and path not in job.listing.candidates and not job.listing.is_blind(path)
    ]
    for page in batched(vanished, _PAGE):
        with engine("app").begin() as connection:
            owners = track_files.owners(connection, job.collection, page)
            track_files.leave(connection, job.collection, page)
            _settle(connection, job, owners)
            failure_ledger.clear(connection, stage="ingest", subjects=[show(path) for path in page])


def _settle(connection: Connection, job: _Job, track_ids: set[int]) -> None:
    returned, gone = tracks.settle(connection, track_ids)
    job.counts["returned"] += returned
    job.counts["gone"] += gone


def _relabel(job: _Job) -> list[Row]:
    """Gives tracks what the manifest says now; one that it does not name keeps what it has.

    Returns the rows that name no file here.
    """
    if job.manifest is None:
        return []
    with engine("app").connect() as connection:
        now = track_files.known(connection, job.collection, job.roots)
    chosen: dict[int, tuple[str, Mapping[str, str]]] = {}
    matched = set()
    for path in job.listing.candidates:
        row = job.row(path)
        track_id = now[path].track_id if path in now else None
        if row is not None:
            matched.add(row.line)
            if track_id is not None:
                # of several files with one content the first decides
                chosen.setdefault(track_id, (row.title or stem(path), row.labels))
    for page in batched(list(chosen), _PAGE):
        with engine("app").begin() as connection:
            labels = {track_id: chosen[track_id] for track_id in page}
            job.counts["relabelled"] += tracks.relabel(connection, labels)
    return [row for row in job.manifest.rows if row.line not in matched]
