"""Reads one file for ingest: its hash, then its facts, its audio's identity, title and labels.

The functions in this module do not raise an error for a file that cannot be used. They return the
error as part of the result.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mirpipe.audio import (
    AudioFacts,
    AudioIdentity,
    identify,
    open_regular_file,
    read_audio_facts,
    unreadable_error,
)
from mirpipe.db.store.track_files import SeenFile
from mirpipe.db.store.tracks import KnownTrack, LabelOrigin, NewTrack
from mirpipe.errors import ObjectChanged, RejectedInput, StorageUnavailable, result_or_error
from mirpipe.files.addresses import parse_address
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.library.folder_scan import Candidate
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.library.tags import FileTags, Tags, decode_western, read_tags
from mirpipe.library.title_from_file_name import title_from_file_name
from mirpipe.records import AudioMeasurement, Fingerprint, TitleAndLabels
from mirpipe.settings import settings
from mirpipe.storage.local_copies import local_copy

FAILED = "failed"
"""Reason code of a file that could not be read because of an unexpected error."""
UNREACHABLE = "unreachable"
"""Reason code of an object whose bucket cannot be used now. Nothing is known about the object."""
_CHANGING = "changing"
"""Reason code of an object that was replaced or deleted after it was listed."""


@dataclass(frozen=True)
class IngestedFile:
    """Information that ingest has read from a file so far. Reading stops at the first `problem`."""

    candidate: Candidate
    file_sha256: bytes | None = None
    """SHA-256 of the file's bytes."""
    identity: AudioIdentity | None = None
    facts: AudioFacts | KnownTrack | None = None
    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_from: LabelOrigin = "tags"
    manifest_row: TitleAndLabels | None = None
    tags: FileTags | None = None
    """The file's tags. None if they were not read."""
    problem: RejectedInput | None = None

    @property
    def path(self) -> bytes:
        """Absolute path of the file."""
        return self.candidate.path


def hash_file(candidate: Candidate) -> IngestedFile:
    """Return the file with its SHA-256, and a local file with its size and times before hashing."""
    return _attempt(_hash, IngestedFile(candidate, problem=candidate.problem))


def read_facts_and_labels(
    file: IngestedFile, known: KnownTrack | None, row: ManifestRow | None
) -> IngestedFile:
    """Return `file` with its facts, its identity, title and labels added.

    The file is decoded unless `known` is a track that has a file with the same bytes. The title and
    labels come from `row`, the file's row in the manifest, or from the file's tags if there is no
    row. If neither has a title, the file's name becomes the title.
    """
    return _attempt(lambda file: _read(file, known, row), file)


def read_facts(path: AnyPath) -> AudioFacts:
    """Decode the file and return its facts.

    Raises RejectedInput if it cannot be used, for example because more of its audio is missing than
    the setting `max_missing_percent` accepts.
    """
    max_missing = settings().max_missing_percent / 100
    return read_audio_facts(path, max_missing=max_missing, with_fingerprint=True)


def has_changed_since_hashing(file: IngestedFile) -> bool:
    """Return whether the file was changed or removed after `hash_file` had read it."""
    if file.candidate.problem is not None:
        return False
    if file.candidate.etag is not None:  # Only the listed version of an object is read.
        return file.problem is not None and file.problem.reason == _CHANGING
    try:
        status = Path(os.fsdecode(file.path)).stat()
    except OSError:
        return True
    found = file.candidate
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns) != (
        found.size,
        found.mtime_ns,
        found.ctime_ns,
    )


def to_new_track(file: IngestedFile) -> NewTrack:
    """Return the track to store for a file without a problem."""
    assert file.facts is not None
    assert file.identity is not None
    return NewTrack(
        content_sha256=file.identity.sha256,
        content_kind=file.identity.kind,
        title=file.title,
        labels=file.labels,
        labels_from=file.labels_from,
        seconds=file.facts.seconds,
        sample_rate=file.facts.sample_rate,
        channels=file.facts.channels,
        rms_dbfs=file.facts.rms_dbfs,
        silence=file.facts.silence,
    )


def waveforms_by_hash(files: list[IngestedFile]) -> dict[bytes, bytes]:
    """Return the packed waveform outlines of all files that were decoded, by content hash."""
    return {
        file.identity.sha256: file.facts.outline
        for file in files
        if isinstance(file.facts, AudioFacts) and file.identity is not None
    }


def measurements_by_hash(files: list[IngestedFile]) -> dict[bytes, AudioMeasurement]:
    """Return what was measured of the audio of all files that were decoded, by content hash."""
    return {
        file.identity.sha256: file.facts.measurement
        for file in files
        if isinstance(file.facts, AudioFacts) and file.identity is not None
    }


def fingerprints_by_hash(files: list[IngestedFile]) -> dict[bytes, Fingerprint]:
    """Return the fingerprints of all files that were decoded, by content hash."""
    return {
        file.identity.sha256: file.facts.fingerprint
        for file in files
        if isinstance(file.facts, AudioFacts) and file.facts.fingerprint and file.identity
    }


def to_seen_file(file: IngestedFile) -> SeenFile:
    """Return the row to store for the file itself, whether or not it has a problem."""
    tags = None if file.problem else file.tags
    return SeenFile(
        path=file.path,
        path_text=printable_path(file.path),
        size=file.candidate.size,
        mtime_ns=file.candidate.mtime_ns,
        ctime_ns=file.candidate.ctime_ns,
        content_sha256=file.identity.sha256 if file.identity and not file.problem else None,
        reason=file.problem.reason if file.problem else None,
        manifest_row=file.manifest_row,
        tags=None if tags is None else tags.texts,
        undecoded_tags=tags.undecoded if tags else {},
        file_sha256=file.file_sha256,
        etag=file.candidate.etag,
        format=file.facts.format if file.facts and not file.problem else None,
    )


def _attempt(step: Callable[[IngestedFile], IngestedFile], file: IngestedFile) -> IngestedFile:
    """Return the step's result, or the file with the error that the step raised."""
    if file.problem is not None:
        return file
    outcome = result_or_error(step, file)
    if isinstance(outcome, Exception):
        return replace(file, problem=_to_rejection(outcome, file))
    return outcome


def _to_rejection(error: Exception, file: IngestedFile) -> RejectedInput:
    name, is_object = printable_path(file.path), file.candidate.etag is not None
    if isinstance(error, RejectedInput):
        return error
    if isinstance(error, StorageUnavailable):
        return RejectedInput(UNREACHABLE, f"{name} could not be read. {error}")
    if isinstance(error, ObjectChanged) or (is_object and isinstance(error, FileNotFoundError)):
        return RejectedInput(_CHANGING, f"{name} was replaced or deleted while it was read.")
    if isinstance(error, OSError):
        return unreadable_error(name, error)
    return RejectedInput(
        FAILED,
        f"{name} could not be read: {type(error).__name__}: {error}. The next ingest will try "
        "to read it again.",
    )


def _hash(file: IngestedFile) -> IngestedFile:
    with (
        _local_copy(file) as path,
        open_regular_file(path) as descriptor,
        os.fdopen(descriptor, "rb", closefd=False) as content,
    ):
        candidate = file.candidate
        if candidate.etag is None:
            # The size and the times are read before the content, so that
            # `has_changed_since_hashing` detects a change during hashing.
            status = os.fstat(descriptor)
            candidate = replace(
                candidate,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                ctime_ns=status.st_ctime_ns,
            )
        digest = hashlib.file_digest(content, "sha256").digest()
        return replace(file, candidate=candidate, file_sha256=digest)


def _read(file: IngestedFile, known: KnownTrack | None, row: ManifestRow | None) -> IngestedFile:
    with _local_copy(file) as path:
        facts = known or read_facts(path)
        identity = _identity(file, path, facts)
        tags = read_tags(os.fsencode(path))
    # The last step of ingest decodes the tags again, when the tags of the whole folder are known.
    source: Tags | ManifestRow = tags.decode(decode_western) if row is None else row
    return replace(
        file,
        facts=facts,
        identity=identity,
        title=source.title or title_from_file_name(file.path),
        labels=source.labels,
        labels_from="tags" if row is None else "manifest",
        manifest_row=None if row is None else TitleAndLabels(row.title, row.labels),
        tags=tags,
    )


def _local_copy(file: IngestedFile) -> AbstractContextManager[Path]:
    return local_copy(parse_address(file.path), file.candidate.etag)


def _identity(file: IngestedFile, path: Path, facts: AudioFacts | KnownTrack) -> AudioIdentity:
    """Return the identity of the audio, or of the file's bytes if ffmpeg would be needed."""
    if isinstance(facts, KnownTrack) and facts.content_kind != "file":
        return AudioIdentity(facts.content_sha256, facts.content_kind)
    if isinstance(facts, AudioFacts) and facts.samples is None:
        identity = identify(path, parts=facts.parts)
    else:
        identity = identify(path, None if isinstance(facts, KnownTrack) else facts.samples)
    assert file.file_sha256 is not None
    return identity or AudioIdentity(file.file_sha256, "file")
