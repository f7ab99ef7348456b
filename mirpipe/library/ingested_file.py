"""Reads one file for ingest: its content hash, then its facts, title and labels.

The functions in this module do not raise an error for a file that cannot be used. They return the
error as part of the result.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mirpipe.audio import AudioFacts, open_regular_file, read_audio_facts
from mirpipe.db.store.track_files import SeenFile
from mirpipe.db.store.tracks import KnownTrack, NewTrack
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.library.tags import Tags, read_tags
from mirpipe.library.title_from_file_name import title_from_file_name

FAILED = "failed"
"""Reason code of a file that could not be read because of an unexpected error."""


@dataclass(frozen=True)
class IngestedFile:
    """Information that ingest has read from a file so far. Reading stops at the first `problem`."""

    candidate: Candidate
    content_sha256: bytes | None = None
    facts: AudioFacts | KnownTrack | None = None
    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    problem: RejectedInput | None = None

    @property
    def path(self) -> bytes:
        """Absolute path of the file."""
        return self.candidate.path


def hash_file(candidate: Candidate) -> IngestedFile:
    """Return the file with its SHA-256, and with its size and modification time before hashing."""
    return _attempt(_hash, IngestedFile(candidate, problem=candidate.problem))


def read_facts_and_labels(
    file: IngestedFile, known: KnownTrack | None, row: ManifestRow | None
) -> IngestedFile:
    """Return `file` with its facts, title and labels added.

    The file is decoded unless `known` is a track with the same content. The title and labels come
    from `row`, the file's row in the manifest, or from the file's tags if there is no row. If
    neither has a title, the file's name becomes the title.
    """
    return _attempt(lambda file: _read(file, known, row), file)


def has_changed_since_hashing(file: IngestedFile) -> bool:
    """Return whether the file was changed or removed after `hash_file` had read it."""
    if file.candidate.problem is not None:
        return False
    try:
        status = Path(os.fsdecode(file.path)).stat()
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns) != (file.candidate.size, file.candidate.mtime_ns)


def to_new_track(file: IngestedFile) -> NewTrack:
    """Return the track to store for a file without a problem."""
    assert file.facts is not None
    assert file.content_sha256 is not None
    return NewTrack(
        content_sha256=file.content_sha256,
        title=file.title,
        labels=file.labels,
        format=file.facts.format,
        seconds=file.facts.seconds,
        sample_rate=file.facts.sample_rate,
        channels=file.facts.channels,
        rms_dbfs=file.facts.rms_dbfs,
        silence=file.facts.silence,
    )


def waveforms_by_hash(files: list[IngestedFile]) -> dict[bytes, bytes]:
    """Return the packed waveform outlines of all files that were decoded, by content hash."""
    return {
        file.content_sha256: file.facts.outline
        for file in files
        if isinstance(file.facts, AudioFacts) and file.content_sha256 is not None
    }


def to_seen_file(file: IngestedFile) -> SeenFile:
    """Return the row to store for the file itself, whether or not it has a problem."""
    return SeenFile(
        path=file.path,
        path_text=printable_path(file.path),
        size=file.candidate.size,
        mtime_ns=file.candidate.mtime_ns,
        content_sha256=None if file.problem else file.content_sha256,
        reason=file.problem.reason if file.problem else None,
    )


def _attempt(step: Callable[[IngestedFile], IngestedFile], file: IngestedFile) -> IngestedFile:
    """Return the step's result, or the file with the error that the step raised."""
    if file.problem is not None:
        return file
    outcome = result_or_error(step, file)
    if isinstance(outcome, Exception):
        return replace(file, problem=_to_rejection(outcome, printable_path(file.path)))
    return outcome


def _to_rejection(error: Exception, name: str) -> RejectedInput:
    if isinstance(error, RejectedInput):
        return error
    if isinstance(error, OSError):
        cause = error.strerror or error
        return RejectedInput(
            "unreadable", f"{name} cannot be read: {cause}. Check its permissions and its disk."
        )
    return RejectedInput(
        FAILED,
        f"{name} could not be read: {type(error).__name__}: {error}. The next ingest will try "
        "to read it again.",
    )


def _hash(file: IngestedFile) -> IngestedFile:
    with (
        open_regular_file(file.path) as descriptor,
        os.fdopen(descriptor, "rb", closefd=False) as content,
    ):
        # The size and modification time are read before the content, so that
        # `has_changed_since_hashing` detects a change during hashing.
        status = os.fstat(descriptor)
        candidate = replace(file.candidate, size=status.st_size, mtime_ns=status.st_mtime_ns)
        digest = hashlib.file_digest(content, "sha256").digest()
        return replace(file, candidate=candidate, content_sha256=digest)


def _read(file: IngestedFile, known: KnownTrack | None, row: ManifestRow | None) -> IngestedFile:
    facts = known or read_audio_facts(file.path)
    source: Tags | ManifestRow = read_tags(file.path) if row is None else row
    title = source.title or title_from_file_name(file.path)
    return replace(file, facts=facts, title=title, labels=source.labels)
