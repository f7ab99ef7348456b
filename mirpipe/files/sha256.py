"""Computes a file's SHA-256 digest, block by block."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> bytes:
    """Return the file's SHA-256 digest, which has 32 bytes.

    Memory use does not grow with the file size. Raises OSError.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
