"""Where generated audio lies: FLAC files named after the hash of their bytes."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import soundfile

from mirpipe.files.durable_write import write_whole
from mirpipe.records import Float32
from mirpipe.settings import settings

SUBTYPE = "PCM_16"


@dataclass(frozen=True)
class StoredClip:
    """A file of the store."""

    path: Path
    content_sha256: bytes


def store(samples: Float32, sample_rate: int) -> StoredClip:
    """Writes mono samples of shape (n,), −1 … 1, as FLAC of 16 bits; the same bytes are one file.

    The file appears whole or not at all: written under another name, synced, then renamed.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype=SUBTYPE)
    data = buffer.getvalue()
    digest = hashlib.sha256(data)
    folder = settings().clips_folder / digest.hexdigest()[:2]
    path = folder / f"{digest.hexdigest()}.flac"
    if not _holds(path, data):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    return StoredClip(path, digest.digest())


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
