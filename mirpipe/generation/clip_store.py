"""Stores generated clips as FLAC files that are named after the SHA-256 of their bytes.

The store is a local folder, or a folder in an S3 bucket.
"""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from mirpipe.files.addresses import Address
from mirpipe.files.durable_write import write_durably
from mirpipe.records import Float32
from mirpipe.settings import settings
from mirpipe.storage.objects import put

SUBTYPE = "PCM_16"


@dataclass(frozen=True)
class StoredClip:
    """A clip file in the store."""

    path: Address
    content_sha256: bytes
    size: int
    """Size in bytes."""
    mtime_ns: int = field(compare=False)
    ctime_ns: int = field(compare=False)
    """Times of the last change of the content and of the file, in nanoseconds since 1970."""


def store_clip(samples: Float32, sample_rate: int) -> StoredClip:
    """Write mono samples to a 16-bit FLAC file and return the stored clip.

    `samples` has the shape (n,) and values from −1 to 1. Equal samples give the same file. After a
    crash, the file is either complete or does not exist. Raises OSError, and StorageUnavailable if
    the clips are in a bucket that cannot be written now.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype=SUBTYPE)
    data = buffer.getvalue()
    digest = hashlib.sha256(data)
    path = settings().clips_folder / digest.hexdigest()[:2] / f"{digest.hexdigest()}.flac"
    if not isinstance(path, Path):
        version = put(path, data)
        times = version.modified_ns, version.modified_ns
        return StoredClip(path, digest.digest(), version.size, *times)
    if _is_stored(path, data):
        path.touch()  # `mirpipe prune` deletes only old files of removed clips.
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, data)
    status = path.stat()
    return StoredClip(path, digest.digest(), status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_stored(path: Path, data: bytes) -> bool:
    """Return whether the file exists and has exactly these bytes."""
    return path.is_file() and path.read_bytes() == data
