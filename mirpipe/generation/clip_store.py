"""Stores generated clips as FLAC files that are named after the SHA-256 of their bytes."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import soundfile

from mirpipe.files.durable_write import write_durably
from mirpipe.records import Float32
from mirpipe.settings import settings

SUBTYPE = "PCM_16"


@dataclass(frozen=True)
class StoredClip:
    """A clip file in the store."""

    path: Path
    content_sha256: bytes


def store_clip(samples: Float32, sample_rate: int) -> StoredClip:
    """Write mono samples to a 16-bit FLAC file and return the stored clip.

    `samples` has the shape (n,) and values from −1 to 1. Equal samples give the same file. After a
    crash, the file is either complete or does not exist. Raises OSError.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype=SUBTYPE)
    data = buffer.getvalue()
    digest = hashlib.sha256(data)
    folder = settings().clips_folder / digest.hexdigest()[:2]
    path = folder / f"{digest.hexdigest()}.flac"
    if _is_stored(path, data):
        path.touch()  # `mirpipe prune` deletes only old files of removed clips.
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(path, data)
    return StoredClip(path, digest.digest())


def _is_stored(path: Path, data: bytes) -> bool:
    """Return whether the file exists and has exactly these bytes."""
    return path.is_file() and path.read_bytes() == data
