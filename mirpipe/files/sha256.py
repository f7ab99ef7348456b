"""Computes the SHA-256 of files, block by block."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> bytes:
    """Return the 32 bytes of the file's SHA-256.

    Memory use does not grow with the size of the file. Raises OSError.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
