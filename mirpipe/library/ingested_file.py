"""Reads one file for ingest: its identity, then its facts, title and labels; never raises."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mirpipe.audio import AudioFacts, inspect, open_regular, show
from mirpipe.db.store.track_files import SeenFile
from mirpipe.db.store.tracks import KnownTrack, NewTrack
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import tags
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.manifest import Row

FAILED = "failed"
"""Reason of a file that something else than the file kept from being read."""


@dataclass(frozen=True)
class Reading:
    """What is known of a file so far; where it has a `problem`, nothing further is."""

    candidate: Candidate
    content_sha256: bytes | None = None
    facts: AudioFacts | KnownTrack | None = None
    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    problem: RejectedInput | None = None

    @property
    def path(self) -> bytes:
        """Absolute."""
        return self.candidate.path


def identify(candidate: Candidate) -> Reading:
    """The SHA-256 of the file, and its size and time when that was taken."""
    return _attempt(_identify, Reading(candidate, problem=candidate.obstacle))


def measure(reading: Reading, known: KnownTrack | None, row: Row | None) -> Reading:
    """The same with facts, decoded where not `known`, and with title and labels.

    These come from the manifest's row where there is one, else from the file's tags and name.
    """
    return _attempt(lambda reading: _measure(reading, known, row), reading)


def is_unsteady(reading: Reading) -> bool:
    """Whether the file changed, or went away, since `identify` looked at it."""
    if reading.candidate.obstacle is not None:
        return False
    try:
        found = Path(os.fsdecode(reading.path)).stat()
    except OSError:
        return True
    return (found.st_size, found.st_mtime_ns) != (
        reading.candidate.size,
        reading.candidate.mtime_ns,
    )


def stem(path: bytes) -> str:
    """A title from a file's name; what cannot be shown becomes �."""
    name = path.rpartition(b"/")[2].rpartition(b".")[0].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "�" for c in name)


def new_track(reading: Reading) -> NewTrack:
    """A usable reading as the table of tracks takes it."""
    assert reading.facts is not None
    assert reading.content_sha256 is not None
    return NewTrack(
        content_sha256=reading.content_sha256,
        title=reading.title,
        labels=reading.labels,
        format=reading.facts.format,
        seconds=reading.facts.seconds,
        sample_rate=reading.facts.sample_rate,
        channels=reading.facts.channels,
        rms_dbfs=reading.facts.rms_dbfs,
    )


def outline(reading: Reading) -> tuple[bytes, bytes] | None:
    """Content hash and packed peaks of what was decoded; None where the content was known."""
    if not isinstance(reading.facts, AudioFacts) or reading.content_sha256 is None:
        return None
    return reading.content_sha256, reading.facts.outline


def seen_file(reading: Reading) -> SeenFile:
    """A reading as the table of files takes it."""
    return SeenFile(
        path=reading.path,
        path_text=show(reading.path),
        size=reading.candidate.size,
        mtime_ns=reading.candidate.mtime_ns,
        content_sha256=None if reading.problem else reading.content_sha256,
        reason=reading.problem.reason if reading.problem else None,
    )


def _attempt(step: Callable[[Reading], Reading], reading: Reading) -> Reading:
    if reading.problem is not None:
        return reading
    outcome = result_or_error(step, reading)
    if isinstance(outcome, Exception):
        return replace(reading, problem=_rejection(outcome, reading.path))
    return outcome


def _rejection(problem: Exception, path: bytes) -> RejectedInput:
    if isinstance(problem, RejectedInput):
        return problem
    if isinstance(problem, OSError):
        return RejectedInput("unreadable", f"{show(path)}: {problem.strerror or problem}")
    return RejectedInput(FAILED, f"{show(path)}: {type(problem).__name__}: {problem}")


def _identify(reading: Reading) -> Reading:
    with (
        open_regular(reading.path) as descriptor,
        os.fdopen(descriptor, "rb", closefd=False) as file,
    ):
        found = os.fstat(descriptor)
        candidate = replace(reading.candidate, size=found.st_size, mtime_ns=found.st_mtime_ns)
        # Taken before reading: what changes while being read is then seen to have changed.
        reading = replace(reading, candidate=candidate)
        return replace(reading, content_sha256=hashlib.file_digest(file, "sha256").digest())


def _measure(reading: Reading, known: KnownTrack | None, row: Row | None) -> Reading:
    facts = known or inspect(reading.path)
    if row is not None:
        return replace(
            reading, facts=facts, title=row.title or stem(reading.path), labels=row.labels
        )
    found = tags.read(reading.path)
    title = found.title or stem(reading.path)
    return replace(reading, facts=facts, title=title, labels=found.labels)
